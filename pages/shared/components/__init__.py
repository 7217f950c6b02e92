"""Streamlit components written in plain HTML, CSS and JavaScript: no build step and no outside address.

A component is three files beside this one, `<name>.html`, `<name>.css` and `<name>.js`; `base.css` holds what
all of them share. They are read once, when the module that mounts the component is imported.

What `data` holds at its first level is text, numbers or tuples: Streamlit takes a list or a mapping there for
what might be a table, and imports pandas and pyarrow, half a second and 60 MB, to find out.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent


def load(name: str) -> "ComponentRenderer":
    """Register the component whose files are `<name>.*` and return the function that mounts it."""
    return st.components.v2.component(
        f"nst_{name}",
        html=_read(f"{name}.html"),
        css=_read("base.css") + _read(f"{name}.css"),
        js=_read(f"{name}.js"),
    )


def _read(file_name: str) -> str:
    return (_FOLDER / file_name).read_text(encoding="utf-8")
