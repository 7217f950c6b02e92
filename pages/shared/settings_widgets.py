"""Widgets that keep their value from page to page, each known by the setting that it is for."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import streamlit as st

from nst_core.config import TransferConfig


def remember(name: str, value: Any) -> str:
    """The widget's key, holding `value` until something else is chosen.

    Widgets get no default of their own: Streamlit objects to one when code has set their state as well.
    """
    key = f"settings.{name}"
    st.session_state.setdefault(key, value)
    return key


def carry_over() -> None:
    """Give every setting its value anew, once on each change of page and before the first widget is drawn.

    To Streamlit a widget is another one on another page, and a value that code has set and nobody touched
    stays with the old one for a run more, in which the new one begins at its own default: a strength of 0, no
    quality at all.
    """
    for key in list(st.session_state):
        if str(key).startswith("settings."):
            st.session_state[key] = st.session_state[key]


def held(name: str, otherwise: Any) -> Any:
    """What is chosen, whether its widget was drawn yet or not."""
    return st.session_state.get(f"settings.{name}", otherwise)


def _place_of(name: str, config: TransferConfig) -> str:
    """Under which name a field's widget keeps its value: some have one for each canvas or loss scale."""
    if name == "learning_rate":
        return f"{name}.{config.canvas}"
    return f"{name}.{config.balance}" if name.endswith("_weight") else name


def put(config: TransferConfig, names: Sequence[str]) -> None:
    """Set the widgets of these fields to the config's values, by code."""
    resolved = config.resolved()
    for name in names:
        value = getattr(resolved, name)
        if name == "content_weight":
            st.session_state["settings.own_weights"] = value is not None
        elif name == "finish":
            value = value == "lbfgs"
        if value is not None:
            st.session_state[f"settings.{_place_of(name, resolved)}"] = value


def select(name: str, label: str, words: Mapping[Any, str], line: str, value: Hashable | None = None) -> Any:
    """One of some named values; at first `value`, or the first of them."""
    key = remember(name, next(iter(words)) if value is None else value)
    chosen = st.session_state[key]
    shown = words if chosen in words else {**words, chosen: f"{chosen:g}"}
    return st.selectbox(
        label,
        list(shown),
        format_func=lambda value: shown.get(value, str(value)),
        key=key,
        help=line,
        persist_state="session",
    )


def number(
    name: str, label: str, value: float, line: str, *, least: float = 0.0, most: float = 1e15
) -> float:
    """Any number in a range."""
    chosen = st.number_input(
        label,
        min_value=least,
        max_value=most,
        step=value / 5 or 0.1,
        format="%g",
        key=remember(name, value),
        help=line,
        persist_state="session",
    )
    return float(chosen)


def number_or_none(name: str, label: str, line: str, *, otherwise: str) -> float | None:
    """Any number from 0, or None where the field is empty, which then says `otherwise`."""
    chosen = st.number_input(
        label,
        min_value=0.0,
        max_value=1e15,
        value=None,
        step=0.2,
        format="%g",
        key=remember(name, None),
        help=line,
        placeholder=otherwise,
        persist_state="session",
    )
    return None if chosen is None else float(chosen)


def whole(name: str, label: str, value: int, low: int, high: int, line: str) -> int:
    """A whole number in a range."""
    key = remember(name, value)
    chosen = st.number_input(
        label, min_value=low, max_value=high, key=key, help=line, persist_state="session"
    )
    return int(chosen)


def switch(
    name: str, label: str, value: bool, line: str, on_change: Callable[[], None] | None = None
) -> bool:
    """On or off."""
    return bool(
        st.toggle(
            label,
            key=remember(name, value),
            help=line,
            persist_state="session",
            on_change=on_change or "rerun",
            wrap=True,
        )
    )


def slide(
    name: str,
    label: str,
    values: Sequence[float],
    words: Callable[[float], str],
    line: str,
    *,
    value: float,
    disabled: bool = False,
) -> float:
    """One of some values in a row, in words."""
    key = remember(name, value)
    # A value that code has put there may lie between two of them.
    options = sorted({*values, st.session_state[key]})
    chosen = st.select_slider(
        label,
        options,
        format_func=words,
        key=key,
        help=line,
        disabled=disabled,
        persist_state="session",
    )
    return float(chosen)
