"""A comparison as one HTML page that opens from disk and asks nothing of any other place."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from nst_core.comparison import Comparison, differing_fields
from nst_core.curves import DASHES, loss_curves
from nst_core.images import Pixels, encode_jpeg, resize_longest
from nst_core.records import PictureSource, RunRecord
from nst_core.report_dress import SCRIPT, STYLE
from nst_core.report_parts import named, number_table, section, swatch, verdict_matrix
from nst_core.series import series_of
from nst_core.wording import and_list, settings_in_words, shared_in_words, three_digits

LONGEST = 1600  # pixels: larger pictures are shrunk for the page
QUALITY = 92  # of JPEG
# The page may show its own pictures and run its own script, and nothing else.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
CURVES = (
    ("total", "How far did the total loss fall?"),
    ("style", "How far did the style's share fall?"),
    ("content", "What did it cost in content?"),
)


def html_report(comparison: Comparison) -> str:
    """The page, whole: pictures, curves, table, cross-examination, settings and records.

    Pictures are inside it as JPEG; every text that a person may have chosen is escaped.
    """
    title = f"{comparison.content.name} in the manner of {comparison.style.name}"
    sections = (_pictures, _wipe, _curves, number_table, verdict_matrix, _settings, _records)
    body = "\n".join(make(comparison) for make in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{_header(comparison)}\n"
        f"<main>\n{body}\n</main>\n<footer>Neural style transfer by optimisation (Gatys, Ecker and Bethge,"
        " 2015 and 2016). This page needs no connection.</footer>\n"
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _header(comparison: Comparison) -> str:
    content, style = escape(comparison.content.name), escape(comparison.style.name)
    return f"<header><h1>{content} <span>in the manner of</span> {style}</h1>{_fairness(comparison)}</header>"


def _fairness(comparison: Comparison) -> str:
    """What the runs differ in: whoever reads numbers side by side must know it first."""
    if len(comparison.runs) == 1:
        return f"<p>One run: {escape(comparison.labels[0])}.</p>"
    differing = [name.replace("_", " ") for name in differing_fields(comparison.records)]
    who = escape(and_list(comparison.labels))
    if not differing:
        return f"<p>{who}: the same pictures and the same settings.</p>"
    told = f"{who}: the same in everything but {and_list(differing)}."
    return f'<p class="warning">{told}</p>' if len(differing) > 1 else f"<p>{told}</p>"


def _pictures(comparison: Comparison) -> str:
    pair = (("Content", comparison.content), ("Style", comparison.style))
    sources = "".join(
        _figure(picture.pixels, word, caption=f"<b>{word}</b><span>{escape(picture.name)}</span>")
        for word, picture in pair
    )
    results = "".join(
        _result(comparison, index) for index, run in enumerate(comparison.runs) if run.picture is not None
    )
    body = f'<div class="pictures sources">{sources}</div>\n<div class="pictures">{results}</div>'
    missing = [
        label for label, run in zip(comparison.labels, comparison.runs, strict=True) if run.picture is None
    ]
    lead = f"Without a picture: {escape(and_list(missing))}; see its record for why." if missing else ""
    return section("pictures", "What did each network make of it?", body, lead=lead)


def _result(comparison: Comparison, index: int) -> str:
    run, label = comparison.runs[index], comparison.labels[index]
    record, pixels = run.record, run.picture
    if pixels is None:
        return ""
    told = f"step {record.best_step} of {len(record.steps)} · {three_digits(record.seconds)} s"
    name = f"<span>{swatch(comparison, index)}<b>{escape(label)}</b></span>"
    caption = f"{name}<span>{escape(record.weights.label)} · {told}</span>"
    return _figure(pixels, label, caption=caption)


def _figure(pixels: Pixels, name: str, *, caption: str) -> str:
    if max(pixels.shape) > LONGEST:
        pixels = resize_longest(pixels, LONGEST)
    height, width, _ = pixels.shape
    data = base64.b64encode(encode_jpeg(pixels, quality=QUALITY)).decode("ascii")
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="{escape(name)}" data-name="{escape(name)}"'
        f' width="{width}" height="{height}"><figcaption>{caption}</figcaption></figure>\n'
    )


def _wipe(comparison: Comparison) -> str:
    width, height = comparison.content.size
    body = (
        '<div class="choice"><label>Left <select></select></label>'
        "<label>Right <select></select></label></div>"
        f'<div class="frame" style="--shape:{width}/{height}">'
        '<div class="stack"><img alt=""><img alt=""><hr></div>'
        '<input type="range" min="0" max="100" value="50" aria-label="Where the one picture ends"></div>'
    )
    return section("wipe", "Where do two pictures differ?", body, classes="wipe")


def _curves(comparison: Comparison) -> str:
    kinds = list(DASHES)
    lines = [
        series_of(record, label, kinds[comparison.colours[:index].count(colour) % len(kinds)])
        for index, (record, label, colour) in enumerate(
            zip(comparison.records, comparison.labels, comparison.colours, strict=True)
        )
    ]
    key = "".join(
        f"<li>{swatch(comparison, index)}{escape(label)}</li>"
        for index, label in enumerate(comparison.labels)
    )
    charts = "".join(
        f"<figure><h3>{title}</h3>{loss_curves(lines, part=part, title=title)}</figure>\n"
        for part, title in CURVES
    )
    return section(
        "curves",
        "How did they get there?",
        f'<ul class="key">{key}</ul>\n<div class="charts">{charts}</div>',
        lead="Losses as they enter the total, on a logarithmic axis. A dot is the best step, whose picture is"
        " the result; a dotted line is where the picture grew to a larger size, which starts a new scale of"
        " losses.",
    )


def _settings(comparison: Comparison) -> str:
    configs = [record.config for record in comparison.records]
    return section(
        "settings",
        "With which settings?",
        _pairs(shared_in_words(configs, without=differing_fields(comparison.records))),
        lead="What all runs share." if len(comparison.runs) > 1 else "",
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    lines = (f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for what, value in pairs)
    return f"<dl>{''.join(lines)}</dl>"


def _records(comparison: Comparison) -> str:
    shared = shared_in_words([record.config for record in comparison.records])
    columns = "".join(
        f"<div><h3>{named(comparison, index)}</h3>{_pairs([*_summary(record), *_own(record, shared)])}"
        f"<p><code>{escape(record.config.to_json())}</code></p></div>\n"
        for index, record in enumerate(comparison.records)
    )
    return section(
        "records",
        "What exactly was run?",
        f'<div class="columns">{columns}</div>',
        lead="With the two pictures and the last line of a column a run can be repeated.",
    )


def _summary(record: RunRecord) -> list[tuple[str, str]]:
    weights = record.weights
    pairs = [
        ("Run", record.id),
        ("Started", record.started),
        ("Ended", f"{record.ending}, {len(record.steps)} of {record.config.steps} steps"),
        ("Content", _source(record.content)),
        ("Style", _source(record.style)),
        ("Weights", f"{weights.label}, SHA-256 {weights.sha256}"),
        ("Device", f"{record.device}, {record.precision}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        ("Notes", " ".join((*record.notes, f"{weights.note}." if weights.note else ""))),
    ]
    return [(what, value) for what, value in pairs if value.strip()]


def _own(record: RunRecord, shared: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The settings that are not those of all runs; `_summary` and the heading tell weights and backbone."""
    words = settings_in_words(record.config, without=("backbone", "weights"))
    return [pair for pair in words if pair not in shared]


def _source(source: PictureSource) -> str:
    return f"{source.name}, {source.size[0]} × {source.size[1]} px, SHA-256 {source.sha256}"
