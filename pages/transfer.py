"""One picture in the manner of another: choose two pictures and a network, press Run, watch, keep."""

import streamlit as st

from nst_core.backbones import find_backbone
from nst_core.errors import NSTError
from nst_core.lanes import Request
from pages.shared.again import offer_again, take_asked
from pages.shared.choosing import choose_picture
from pages.shared.frame import frame
from pages.shared.imagenet import offer_imagenet
from pages.shared.settings import choose_backbone, choose_preset, choose_settings, choose_strength
from pages.shared.settings_times import preset_seconds
from pages.shared.stage import show_forming, show_result
from pages.shared.state import current_job, keep_alive, start

PAGE = "transfer"

frame("pages/transfer.py")
job = current_job(PAGE)
running = job is not None and job.state != "done"
controls, stage = st.columns([5, 7], gap="large")
with controls:
    content, style = choose_picture("content"), choose_picture("style")
    backbone = choose_backbone()
    preset = choose_preset(preset_seconds([{"backbone": backbone}], content, style))
    choose_strength(preset)
    pressed = st.button(
        "Run",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=running,
        key="transfer.run",
    )
    try:
        if (asked := take_asked()) is not None:
            start(PAGE, [asked])
            st.rerun()
    except NSTError as error:
        st.error(str(error))
    try:
        config = choose_settings(backbone, preset)
        if pressed:
            label = find_backbone(backbone).label
            start(PAGE, [Request(label=label, config=config, content=content, style=style)])
            st.rerun()
    except NSTError as error:
        st.error(str(error))
    offer_imagenet()
with stage:
    if job is None:
        st.subheader("Two pictures in, one out")
        st.write("Choose a content and a style picture, then press Run. The picture forms here.")
    elif running:
        show_forming(job)
    else:
        lane = job.lanes[0]
        show_result(lane, lane.request.content)
        if lane.run is not None:
            offer_again(lane.request, lane.run.record.weights.source)
keep_alive()
