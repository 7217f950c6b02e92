"""Parts of the report: its sections, the table of numbers and the cross-examination."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from nst_core.comparison import Comparison
from nst_core.comparison_table import Row, comparison_rows
from nst_core.judge import Verdict
from nst_core.wording import three_digits


def section(name: str, title: str, body: str, *, lead: str = "", classes: str = "") -> str:
    """One section with its heading; all three texts are HTML already."""
    told = f"<p>{lead}</p>" if lead else ""
    return f'<section id="{name}" class="{classes}">\n<h2>{title}</h2>\n{told}{body}\n</section>'


def swatch(comparison: Comparison, index: int) -> str:
    """A square in the colour of a run's backbone."""
    return f'<i class="swatch" style="background:{escape(comparison.colours[index])}"></i>'


def named(comparison: Comparison, index: int) -> str:
    """A run's label after its swatch."""
    return f"{swatch(comparison, index)}{escape(comparison.labels[index])}"


def number_table(comparison: Comparison) -> str:
    """The section of all rows of the comparison, those ahead marked."""
    heads = "".join(
        f'<th scope="col">{named(comparison, index)}</th>' for index in range(len(comparison.runs))
    )
    groups = groupby(comparison_rows(comparison), key=lambda row: row.group)
    bodies = "".join(_group(comparison, name, list(rows)) for name, rows in groups)
    corner = "<small>↑ higher, ↓ lower is better</small>"
    return section(
        "numbers",
        "What can be measured?",
        f'<div class="scroll"><table><thead><tr><th scope="col">{corner}</th>{heads}</tr></thead>{bodies}'
        "</table></div>",
        lead="A number is marked ● when it is ahead of every other by more than the noise, the difference"
        " that means nothing. Where no number is marked, nobody is ahead, or the noise is not known. No"
        " number says whether a picture is good.",
    )


def _group(comparison: Comparison, name: str, rows: Sequence[Row]) -> str:
    span = len(comparison.runs) + 1
    lines = "".join(_line(comparison, row) for row in rows)
    head = f'<tr class="group"><th colspan="{span}" scope="colgroup">{escape(name)}</th></tr>'
    return f"<tbody>{head}{lines}</tbody>"


def _line(comparison: Comparison, row: Row) -> str:
    arrow = {"higher": "&nbsp;↑", "lower": "&nbsp;↓", "": ""}[row.better]
    noise = f"<small>noise {row.noise:g}</small>" if row.noise is not None else ""
    unit = f" {row.unit}" if row.unit in ("s", "MB") else ""
    cells = "".join(
        f'<td class="ahead" style="--colour:{escape(colour)}">{escape(text)}{unit}</td>'
        if best
        else f"<td>{escape(text)}{unit}</td>"
        for text, best, colour in zip(row.texts, row.best, comparison.colours, strict=True)
    )
    return (
        f'<tr><th scope="row" title="{escape(row.help)}">{escape(row.label)}{arrow}{noise}</th>{cells}</tr>'
    )


def verdict_matrix(comparison: Comparison) -> str:
    """The section of what each network sees in each picture."""
    title = "What does each network see in each picture?"
    if not comparison.verdicts:
        return section("verdicts", title, "<p>Nobody was asked.</p>")
    return section(
        "verdicts",
        title,
        f'<div class="columns">{_matrix(comparison, "style_error", "Style error")}'
        f"{_matrix(comparison, 'content_error', 'Content error')}</div>",
        lead="Relative errors at the judge's own layers: 0 is equal to the style or content picture, 1 is"
        " nothing of it. In italics: a network's view of its own work, which it was made to please. VGG16 and"
        " VGG19 are near relations, so that their views of each other flatter too.",
    )


def _matrix(comparison: Comparison, error: str, title: str) -> str:
    found = {(verdict.judge, verdict.picture): verdict for verdict in comparison.verdicts}
    judges = list(dict.fromkeys(judge for judge, _ in found))
    labels = [label for label in comparison.labels if (judges[0], label) in found]
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    lines = "".join(
        f'<tr><th scope="row">{escape(judge)}</th>'
        f"{''.join(_mark(found[judge, label], error) for label in labels)}</tr>"
        for judge in judges
    )
    return (
        f'<div class="scroll"><h3>{title}</h3><table><thead><tr><th scope="col"><small>judge ↓, picture →'
        f"</small></th>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _mark(verdict: Verdict, error: str) -> str:
    text = three_digits(getattr(verdict, error))
    return f'<td class="own">{text}</td>' if verdict.own else f"<td>{text}</td>"
