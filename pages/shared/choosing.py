"""Choosing a content and a style picture: the samples and the visitor's own."""

from functools import lru_cache

import streamlit as st

from nst_core.errors import NSTError
from nst_core.images import Picture, encode_jpeg, resize_longest
from nst_core.intake import MAX_UPLOAD_BYTES, read_picture
from nst_core.samples import SAMPLES, load_sample, thumbnail
from pages.shared.picker import Option, pick
from pages.shared.state import uploads

THUMBNAIL = 240  # pixels, longest side
FILE_TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]
MOST_UPLOADS = 8
LABELS = {"content": "Content: the picture to paint", "style": "Style: the manner to paint it in"}


def choose_picture(kind: str) -> Picture:
    """The chosen content or style picture (`kind`); the choice is the same on every page."""
    key = f"pair.{kind}"
    samples = [name for name, sample in SAMPLES.items() if sample.kind == kind]
    own = {f"own:{digest}": picture for digest, picture in uploads().items()}
    options = [_sample_option(name) for name in samples]
    options += [_own_option(value, picture) for value, picture in own.items()]
    chosen = pick(LABELS[kind], options, key=key, default=samples[0])
    _upload(kind, key)
    if chosen not in own:
        return sample_picture(chosen)
    if own[chosen].notes:
        st.caption(f"{own[chosen].name}: {', '.join(own[chosen].notes)}")
    return own[chosen]


def _upload(kind: str, key: str) -> None:
    with st.popover("My own picture", icon=":material/upload:", type="tertiary"):
        # A new key after each file, so that the uploader does not hold on to its bytes.
        file_key = f"{key}.file.{st.session_state.get(f'{key}.count', 0)}"
        st.file_uploader(
            f"My own {kind} picture",
            type=FILE_TYPES,
            max_upload_size=MAX_UPLOAD_BYTES // 1_000_000,
            key=file_key,
            on_change=_accept,
            args=(key, file_key),
        )
        if refusal := st.session_state.pop(f"{key}.refusal", ""):
            st.error(refusal)


def _accept(key: str, file_key: str) -> None:
    file = st.session_state.get(file_key)
    if file is None:
        return
    st.session_state[f"{key}.count"] = st.session_state.get(f"{key}.count", 0) + 1
    try:
        picture = read_picture(file.getvalue(), name=file.name)
    except NSTError as error:
        st.session_state[f"{key}.refusal"] = str(error)
        return
    held = uploads()
    held[picture.sha256] = picture
    st.session_state[key] = f"own:{picture.sha256}"
    chosen = {st.session_state.get(f"pair.{kind}") for kind in LABELS}
    idle = [digest for digest in held if f"own:{digest}" not in chosen]
    for digest in idle[: max(0, len(held) - MOST_UPLOADS)]:
        del held[digest]


def _sample_option(name: str) -> Option:
    sample = SAMPLES[name]
    return Option(value=name, title=sample.title, thumbnail=sample_thumbnail(name), hint=sample.category)


def _own_option(value: str, picture: Picture) -> Option:
    small = encode_jpeg(resize_longest(picture.pixels, THUMBNAIL), quality=80)
    return Option(value=value, title=picture.name, thumbnail=small, hint="my own picture")


@lru_cache(maxsize=16)
def sample_thumbnail(name: str) -> bytes:
    """A sample small enough for the picker, as encoded bytes."""
    return thumbnail(name, longest_side=THUMBNAIL)


@lru_cache(maxsize=4)
def sample_picture(name: str) -> Picture:
    """A sample, kept while it is in use: a page runs again at every press."""
    return load_sample(name)
