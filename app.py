"""The dashboard's router: which pages there are. Each page stands alone (see pages/shared/frame.py)."""

import streamlit as st

from pages.shared.frame import PAGES, arrive, favicon


def home() -> None:
    """The bare address leads to the first page, so that every page has an address of its own."""
    st.switch_page(PAGES[0].path, query_params=st.query_params.to_dict())


st.set_page_config(page_title="Style transfer, side by side", page_icon=favicon(), layout="wide")
pages = [st.Page(row.path, title=row.title, icon=row.icon, url_path=row.address) for row in PAGES]
page = st.navigation([*pages, st.Page(home, title="Home", default=True, visibility="hidden")], position="top")
arrive()
page.run()
