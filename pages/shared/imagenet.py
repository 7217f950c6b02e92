"""The offer to fetch the ImageNet weights, and how far that is."""

import streamlit as st

from nst_core.downloads import Download, missing
from pages.shared.state import workshop

_ASKED = "imagenet.asked"  # the download that this visitor asked for
REFRESH = 0.5  # seconds between two looks at a running download


def offer_imagenet() -> None:
    """One line while ImageNet weights are missing: what is used instead, and a button to fetch them."""
    download = workshop().downloads.current
    if download is not None and download.state == "running":
        st.fragment(_progress, run_every=REFRESH)(download)
        return
    absent = missing()
    if not absent:
        return
    asked: Download | None = st.session_state.get(_ASKED)
    # Whoever else is here has asked for nothing.
    if asked is not None and asked is download and asked.state == "failed":
        st.warning(asked.message)
    megabytes = sum(row.imagenet_megabytes for row in absent)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Painting with bundled sketch weights: quick, offline, small networks of our own training."
        )
        if st.button(
            f"Get the ImageNet weights ({megabytes:.0f} MB)",
            type="tertiary",
            icon=":material/cloud_download:",
        ):
            st.session_state[_ASKED] = workshop().downloads.start(absent)
            st.rerun()


def _progress(download: Download) -> None:
    if download.state != "running":
        st.rerun()
    arrived = download.share * download.megabytes
    text = f"ImageNet weights: {download.label}, {arrived:.0f} of {download.megabytes:.0f} MB"
    st.progress(download.share, text=text)
