"""How it works: the algorithm, what each layer sees, and how peaky activations become with depth."""

import streamlit as st

from nst_core.errors import NSTError
from pages.shared.choosing import choose_picture
from pages.shared.frame import frame
from pages.shared.method_layers import show_layers
from pages.shared.method_measuring import show_activations
from pages.shared.method_words import show_algorithm
from pages.shared.settings import choose_backbone
from pages.shared.state import keep_alive

KINDS = {"content": "a content picture", "style": "a style picture"}

frame("pages/method.py")
algorithm, layers, activations = st.tabs(
    ["Algorithm", "Layers", "Activations"], key="method.part", on_change="rerun"
)
try:
    if algorithm.open:
        with algorithm:
            show_algorithm()
    if layers.open:
        with layers:
            show_layers(choose_backbone())
    if activations.open:
        with activations:
            kind = st.segmented_control(
                "Measure",
                list(KINDS),
                format_func=lambda name: KINDS[name],
                default="content",
                required=True,
                key="method.kind",
            )
            show_activations(choose_picture(str(kind)))
except NSTError as error:
    st.error(str(error))
keep_alive()
