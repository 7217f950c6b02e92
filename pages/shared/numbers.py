"""A comparison in numbers: the table, what the networks make of each other's pictures, and the files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import streamlit as st

from nst_core.comparison import Comparison, differing_fields
from nst_core.comparison_table import Row, comparison_rows
from nst_core.judge import Verdict
from nst_core.records import RunRecord
from nst_core.report import html_report
from nst_core.sheet import contact_sheet
from nst_core.tables import records_json, steps_csv
from nst_core.wording import and_list, three_digits

if TYPE_CHECKING:
    import pandas as pd

BEST = "font-weight: 700; background-color: rgba(127, 127, 127, 0.18)"


def show_exports(comparison: Comparison, *, key: str) -> None:
    """Everything to take away; each file is made when it is asked for."""
    files = (
        ("Report (HTML)", "report.html", "text/html", lambda: html_report(comparison), "article"),
        ("Contact sheet (PNG)", "sheet.png", "image/png", lambda: contact_sheet(comparison), "grid_view"),
        ("Steps (CSV)", "steps.csv", "text/csv", lambda: steps_csv(comparison.records), "table"),
        (
            "Records (JSON)",
            "records.json",
            "application/json",
            lambda: records_json(comparison.records),
            "data_object",
        ),
    )
    with st.container(horizontal=True):
        for label, name, kind, make, icon in files:
            st.download_button(
                label,
                data=make,
                file_name=name,
                mime=kind,
                icon=f":material/{icon}:",
                on_click="ignore",
                key=f"export.{name}.{key}",
            )


def show_numbers(comparison: Comparison) -> None:
    """The table by groups, the best of each row marked where it is ahead by more than noise."""
    st.caption(_difference(comparison.records))
    for group, rows in groupby(comparison_rows(comparison), key=lambda row: row.group):
        st.markdown(f"**{group}**")
        _show_rows(list(rows), comparison.labels)
    st.caption(
        "A value stands out where it is ahead of every other by more than the noise of its row: what"
        " re-encoding or shifting the same picture changes."
    )
    if comparison.verdicts:
        show_verdicts(comparison)


def _difference(records: Sequence[RunRecord]) -> str:
    """In which settings the runs differ, and what follows from the same strength without being one."""
    fields = differing_fields(records)

    def follows(names: tuple[str, str]) -> bool:
        """Whether both are not the same in all runs, though neither was set otherwise."""
        several = [len({getattr(record.config, name) for record in records}) > 1 for name in names]
        return all(several) and not set(names) & set(fields)

    differing = [name.replace("_", " ") for name in fields]
    told = f"These runs differ in {and_list(differing or ['no setting'])} and in nothing else."
    if follows(("style_layers", "content_layers")):
        told += " Each network reads its own usual layers."
    if follows(("content_weight", "variation_weight")):
        told += " The same strength means another α, and with it another γ, on each network."
    return told


def _show_rows(rows: list[Row], labels: tuple[str, ...]) -> None:
    import pandas as pd

    table = pd.DataFrame(
        [[_name(row), *row.texts, _noise(row)] for row in rows], columns=["", *labels, "Better, noise"]
    )
    if not any(_noise(row) for row in rows):
        table = table.drop(columns="Better, noise")
    marks = pd.DataFrame("", index=table.index, columns=table.columns)
    for line, row in enumerate(rows):
        for column, best in enumerate(row.best, start=1):
            marks.iat[line, column] = BEST if best else ""
    st.dataframe(
        table.style.apply(lambda _: marks, axis=None),
        hide_index=True,
        height="content",
        key=f"table.{rows[0].group}",
    )


def _name(row: Row) -> str:
    return f"{row.label}, {row.unit}" if row.unit in ("s", "MB") else row.label


def _noise(row: Row) -> str:
    return f"{row.better}, ± {row.noise:.2g}" if row.better and row.noise is not None else row.better


def show_verdicts(comparison: Comparison) -> None:
    """Each picture in the eyes of each network: style error and content error, side by side."""
    st.subheader("What does each network make of the others' pictures?")
    st.caption(
        "Relative errors: 0 is equal to the style or the content, 1 is nothing of it. Each row is a judge; a"
        " network's mark for its own picture, in brackets, says little."
    )
    for column, (title, kind) in zip(
        st.columns(2), (("Style error", "style_error"), ("Content error", "content_error")), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            st.dataframe(_matrix(comparison, kind), height="content", key=f"verdicts.{kind}")


def _matrix(comparison: Comparison, kind: str) -> pd.DataFrame:
    import pandas as pd

    judges = list(dict.fromkeys(verdict.judge for verdict in comparison.verdicts))
    found = {(verdict.judge, verdict.picture): verdict for verdict in comparison.verdicts}
    return pd.DataFrame(
        [[_mark(found.get((judge, label)), kind) for label in comparison.labels] for judge in judges],
        index=pd.Index(judges, name="judged by"),
        columns=list(comparison.labels),
    )


def _mark(verdict: Verdict | None, kind: str) -> str:
    if verdict is None:
        return "–"
    error = three_digits(getattr(verdict, kind))
    return f"({error})" if verdict.own else error
