"""The same pictures and settings through several networks, side by side: one press runs all."""

import streamlit as st

from nst_core.backbones import BACKBONES
from nst_core.comparison import advance_together
from nst_core.errors import NSTError
from nst_core.system import available_memory
from pages.shared.choosing import choose_picture
from pages.shared.columns import COLUMNS, examine, make_requests
from pages.shared.compared import show_comparison
from pages.shared.frame import frame
from pages.shared.imagenet import offer_imagenet
from pages.shared.race import show_race
from pages.shared.settings import choose_preset, choose_settings, choose_strength
from pages.shared.settings_times import preset_seconds
from pages.shared.settings_widgets import held
from pages.shared.state import current_job, keep_alive, start

PAGE = "compare"
MOST_COLUMNS = 4

frame("pages/compare.py")
job = current_job(PAGE)
running = job is not None and job.state != "done"
first, second, third = st.columns(3, gap="medium")
with first:
    content = choose_picture("content")
with second:
    style = choose_picture("style")
with third:
    st.session_state.setdefault("compare.columns", list(BACKBONES))
    names = st.multiselect(
        "Columns",
        list(COLUMNS),
        format_func=lambda name: COLUMNS[name].label,
        key="compare.columns",
        max_selections=MOST_COLUMNS,
        select_all=False,
        wrap=True,
        persist_state="session",
        help="Each column differs from the shared settings in what its name says, and in nothing else.",
    )
    columns = [COLUMNS[name].settings(held("weights", "auto")) for name in names]
    preset = choose_preset(preset_seconds(columns, content, style))
    choose_strength(preset)
    pressed = st.button(
        f"Run all {len(names)}" if len(names) > 1 else "Run",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=running or not names,
        key="compare.run",
    )
    if not names:
        st.caption("Choose at least one column.")
try:
    config = choose_settings("vgg19", preset, columns=4)
    if pressed:
        requests = make_requests(names, config, content, style)
        together, why = advance_together([request.config for request in requests], available_memory())
        st.session_state["compare.why"] = why
        start(PAGE, requests, together=together, epilogue=examine)
        st.rerun()
except NSTError as error:
    st.error(str(error))
offer_imagenet()
st.divider()
if job is None:
    st.subheader("One pair, three networks")
    st.write("Press Run: VGG16, VGG19 and ResNet50 paint the same pair with the same settings, side by side.")
elif running:
    st.caption(st.session_state.get("compare.why", ""))
    show_race(job)
else:
    show_comparison(job)
keep_alive()
