"""A row of pictures to choose one from."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from nst_core.errors import ConfigError
from pages.shared.components import load
from pages.shared.embedding import embed

_mount = load("picker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One picture on offer: what `pick` returns, what is written under it, its thumbnail, a line about it.

    The thumbnail is an encoded JPEG, PNG or WebP, best about 200 pixels on its shorter side and 10 kB.
    """

    value: str
    title: str
    thumbnail: bytes
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What the browser shows, and the choice last sent to it under which stamp.

    The reader's own choices are not sent back: the message to the browser stays the same to the byte, so
    Streamlit answers from its cache and no thumbnail travels twice.
    """

    now: str
    sent: str
    stamp: str


def pick(label: str, options: Sequence[Option], *, key: str, default: str) -> str:
    """Show the pictures and return the value of the chosen one.

    The choice is `st.session_state[key]`. It survives reruns and page switches, and code may set it at any
    time, before or after this call. It falls back to `default` when it is not among the options.
    Not for use inside `st.form`, which holds back what a component reports.

    Raises ConfigError if two options share a value or `default` is none of them.
    """
    values = [option.value for option in options]
    _check(values, default)
    if st.session_state.get(key) not in values:
        st.session_state[key] = default
    shown = _shown(key)
    _mount(
        key=f"{key}.picker",
        data={
            "key": key,
            "label": label,
            "selected": shown.sent,
            "stamp": shown.stamp,
            "options": tuple(_to_data(option) for option in options),
        },
        on_picked_change=partial(_accept, key),
    )
    return str(st.session_state[key])


def _check(values: list[str], default: str) -> None:
    if len(set(values)) < len(values):
        raise ConfigError(
            f"The values of the pictures to pick from must differ. Received: {', '.join(values)}"
        )
    if default not in values:
        raise ConfigError(f"The default picture must be one of {', '.join(values)}. Received: {default!r}")


def _shown(key: str) -> _Shown:
    """Bring the record up to date; a new stamp tells the browser to follow a choice made in code."""
    wanted = st.session_state[key]
    shown = st.session_state.get(f"{key}.shown")
    if shown is None or shown.now != wanted:
        shown = _Shown(now=wanted, sent=wanted, stamp=secrets.token_hex(4))
        st.session_state[f"{key}.shown"] = shown
    return shown


def _accept(key: str) -> None:
    """Take the reader's choice over; Streamlit calls this before it runs the page again."""
    picked = st.session_state[f"{key}.picker"].picked
    st.session_state[key] = picked
    st.session_state[f"{key}.shown"] = replace(st.session_state[f"{key}.shown"], now=picked)


def _to_data(option: Option) -> dict[str, str]:
    return {
        "value": option.value,
        "title": option.title,
        "hint": option.hint,
        "thumbnail": embed(option.thumbnail).url,
    }
