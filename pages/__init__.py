"""Streamlit pages; `pages.shared` holds what they have in common."""
