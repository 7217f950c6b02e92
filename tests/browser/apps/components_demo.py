"""Picker, slider and viewer on one page, with pictures small enough to reason about."""

from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image

from pages.shared.picker import Option, pick
from pages.shared.slider import before_after
from pages.shared.viewer import Panel, synchronised_viewer

HEIGHT, WIDTH = 120, 160


def plain(red: int, green: int, blue: int) -> bytes:
    """A PNG of one colour."""
    pixels = np.full((HEIGHT, WIDTH, 3), (red, green, blue), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


DARK, MIDDLE, LIGHT = plain(40, 40, 40), plain(100, 110, 120), plain(220, 220, 220)


def first_page() -> None:
    """All three components and what Python knows of them."""
    options = [
        Option(value=f"picture-{number}", title=f"Picture {number}", thumbnail=MIDDLE, hint="a plain grey")
        for number in range(1, 8)
    ]
    options.append(
        Option(value="long", title="A file name of the longest sort " * 4 + ".jpeg", thumbnail=LIGHT)
    )
    if st.button("Choose picture 5"):
        st.session_state["content"] = "picture-5"
    picked = pick("Content picture", options, key="content", default="picture-2")
    st.text(f"picked={picked}")
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    st.text(f"runs={st.session_state['runs']}")
    st.button("Rerun")

    before_after(
        DARK, LIGHT, before_label="Content", after_label="Result", key="slider", aspect=WIDTH / HEIGHT
    )

    panels = [
        Panel(label="Content", picture=DARK),
        Panel(label="VGG16", picture=MIDDLE, colour="#0072B2"),
        Panel(label="VGG19", picture=LIGHT, colour="#009E73"),
    ]
    synchronised_viewer(panels, key="viewer")


def second_page() -> None:
    """Somewhere to go and come back from."""
    st.text("elsewhere")


st.set_page_config(page_title="Components", layout="wide")
pages = [st.Page(first_page, title="First", default=True), st.Page(second_page, title="Second")]
st.navigation(pages, position="top").run()
