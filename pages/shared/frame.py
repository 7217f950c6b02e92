"""What every page has around it: the list of pages, and the way back into it from a cold address."""

from dataclasses import dataclass

import streamlit as st
from PIL import Image
from streamlit.errors import StreamlitAPIException

from nst_core.backbones import BACKBONES
from pages.shared.settings_widgets import carry_over


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page of the dashboard."""

    path: str
    title: str
    icon: str

    @property
    def address(self) -> str:
        """The page's own address, which is its file's name."""
        return self.path.removeprefix("pages/").removesuffix(".py")


PAGES = (
    PageRow("pages/transfer.py", "Transfer", ":material/brush:"),
    PageRow("pages/compare.py", "Compare", ":material/compare:"),
    PageRow("pages/curves.py", "Curves", ":material/show_chart:"),
    PageRow("pages/method.py", "Method", ":material/schema:"),
)


def favicon() -> Image.Image:
    """The three backbones' colours, side by side. A Material icon here would be fetched from elsewhere."""
    icon = Image.new("RGB", (48, 48), "#FAFAFA")
    for place, row in enumerate(BACKBONES.values()):
        icon.paste(row.colour, (1 + 16 * place, 4, 15 + 16 * place, 44))
    return icon


_ROUTED, _TARGET, _SHOWN = "frame.routed", "frame.target", "frame.shown"


def arrive() -> None:
    """Called by the router: note that it ran, and go on to the page that sent the visitor here."""
    st.session_state[_ROUTED] = True
    target = st.session_state.pop(_TARGET, None)
    if target is not None:
        path, query = target
        st.switch_page(path, query_params=query)


def frame(path: str) -> None:
    """Called first by every page.

    After a start of the server the first visit to a page's own address runs that page without the router,
    because a folder named `pages` stands beside app.py. The page then goes through the router and back.
    """
    st.set_page_config(layout="wide")
    if st.session_state.get(_SHOWN) != path:
        st.session_state[_SHOWN] = path
        carry_over()
    if st.session_state.get(_ROUTED):
        return
    st.session_state[_TARGET] = (path, st.query_params.to_dict())
    try:
        st.switch_page("app.py")
    except StreamlitAPIException:
        # The page was started by itself, as its own app: then it simply shows itself.
        del st.session_state[_TARGET]


def lead_to(path: str, label: str) -> None:
    """A link to another page, where there is one: a page that was started by itself has no others."""
    if st.session_state.get(_ROUTED):
        icon = next(row.icon for row in PAGES if row.path == path)
        st.page_link(path, label=label, icon=icon)
