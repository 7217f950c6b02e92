"""Loss curves of any finished runs, chosen from a table."""

import streamlit as st

from pages.shared.curves_view import choose_runs, choose_view, show_curves
from pages.shared.frame import frame, lead_to
from pages.shared.state import finished_runs, keep_alive, unfinished_jobs

frame("pages/curves.py")
going = unfinished_jobs()  # asked first: what ends from now on is noticed below
runs = finished_runs()
if not runs and going:
    st.subheader("A run is going")
    st.write("It appears here with its curves as soon as it has ended.")
elif not runs:
    st.subheader("No finished runs yet")
    st.write("Run a transfer or a comparison; each finished run appears here with its curves.")
    lead_to("pages/compare.py", "Compare three networks")
else:
    chosen = choose_runs(runs)
    if chosen:
        show_curves(chosen, choose_view(chosen))
    else:
        st.info("Tick one run or more in the table.")
keep_alive(going)
