"""Models beside each other: the tables, how they are shown (as text, Markdown and HTML), saved and drawn."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from song2vec.core.checks import check_ending
from song2vec.core.storage import write_atomically
from song2vec.evaluation import chart
from song2vec.evaluation.results import LEVEL, Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".json", ".csv", ".md")
PICTURES = (".png", ".svg", ".pdf")
# names of metrics -> how they are headed, best known first; all of those marked @ depend on k
METRICS = {
    "recall": "recall@",
    "mrr": "MRR@",
    "ndcg": "NDCG@",
    "new_recall": "recall@ on new songs",
    "repeat_recall": "recall@ on repeats",
    "repeat_share": "repeats",
    "coverage": "coverage@",
    "gini": "Gini@",
    "popularity_lift": "popularity lift@",
    "novelty": "novelty@ (bits)",
    "diversity": "diversity@",
    "artist_diversity": "artist diversity@",
}
COSTS = {
    "songs": "songs",
    "fit_seconds": "training s",
    "queries_per_second": "queries/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "bytes": "MB",
}
DRAWN = ("recall", "mrr", "ndcg", "new_recall", "repeat_recall", "coverage", "popularity_lift", "artist_diversity")
BRIEF = ("recall", "mrr", "coverage", "popularity_lift", "fit_seconds", "p50_ms", "bytes")
Cells = list[list[str]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models beside each other; it shows itself in a terminal and in a notebook.

    Attributes:
        table: one row a model: ``model``; every metric of :meth:`Evaluation.metrics` under its name, with its 95 % interval
            under ``..._low`` and ``..._high``; ``songs`` it ranks, ``fit_seconds``, ``queries_per_second`` in blocks, ``p50_ms``
            and ``p99_ms`` of single queries, ``bytes``. What is not known is null.
        differences: the same of each metric less the baseline's, one row for each other model; None without a baseline.
        evaluations: what each model answered, by label.
        k, baseline, resamples, seed: as given.
        test: what the split dropped of the test, as it says itself; empty where it says nothing.
    """

    table: pl.DataFrame
    differences: pl.DataFrame | None
    evaluations: Mapping[str, Evaluation]
    k: int
    baseline: str | None
    resamples: int
    seed: int
    test: str = ""

    def __repr__(self) -> str:
        blocks = [self._summary(), _text(_cells(self.table, self.k, brief=True))]
        if self.differences is not None:
            blocks += [f"less {self.baseline}:", _text(_cells(self.differences, self.k, brief=True))]
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        return _html(self._summary(), self._tables())

    def to_markdown(self) -> str:
        """All figures as Markdown."""
        return _markdown(self._summary(), self._tables())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all figures (.json), the table (.csv) or a text (.md). The file appears only when it is whole.

        Raises ArgumentError for any other ending.
        """
        writers: dict[str, Callable[[], str]] = {".json": self._json, ".csv": self.table.write_csv, ".md": self.to_markdown}
        text = writers[check_ending(path, ENDINGS)]()
        return write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def plot(self, path: str | os.PathLike[str] | None = None, *, dark: bool = False) -> Figure:
        """Bars of the metrics with their intervals, and quality against scoring time; also written to a path, if one is given.

        Raises ArgumentError when the path does not end in .png, .svg or .pdf.
        """
        if path is not None:
            check_ending(path, PICTURES)
        titles = {name: _title(name, self.k) for name in DRAWN}
        figure = chart.draw(self.table, titles, subtitle=self._summary(), dark=dark)
        if path is not None:
            write_atomically(path, figure.savefig)
        return figure

    def _tables(self) -> list[tuple[str, Cells]]:
        tables = [("", _cells(self.table, self.k))]
        if self.differences is not None:
            tables.append((f"Less {self.baseline}", _cells(self.differences, self.k)))
        return tables

    def _summary(self) -> str:
        first = next(iter(self.evaluations.values()))
        text = f"{len(first):,} queries of {first.sessions:,} test sessions, 95 % intervals from {self.resamples:,} resamples of sessions"
        gone = first.dropped
        text += f"; {gone.plays:,} plays of songs not known to all, {gone.queries:,} queries dropped" if gone.plays else ""
        return text + (f"; test: {self.test}" if self.test else "")

    def _json(self) -> str:
        first = next(iter(self.evaluations.values()))
        content = {
            "k": self.k,
            "queries": len(first),
            "sessions": first.sessions,
            "test": self.test,
            "dropped": {"plays": first.dropped.plays, "queries": first.dropped.queries},
            "level": LEVEL,
            "resamples": self.resamples,
            "seed": self.seed,
            "models": self.table.to_dicts(),
            "baseline": self.baseline,
            "differences": None if self.differences is None else self.differences.to_dicts(),
        }
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _title(name: str, k: int) -> str:
    """``recall`` -> ``recall@20``."""
    return METRICS[name].replace("@", f"@{k}")


def _cells(table: pl.DataFrame, k: int, *, brief: bool = False) -> Cells:
    """A heading and one row a model, as text; ``brief`` keeps what fits into a terminal."""
    names = [name for name in (*METRICS, *COSTS) if name in table.columns and (name in BRIEF or not brief)]
    heading = ["model", *(_title(name, k) if name in METRICS else COSTS[name] for name in names)]
    return [heading] + [[row["model"], *(_cell(row, name) for name in names)] for row in table.to_dicts()]


def _text(rows: Cells) -> str:
    """In columns, the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _markdown(summary: str, tables: list[tuple[str, Cells]]) -> str:
    """Tables under their headings, as GitHub reads them."""
    blocks = [summary]
    for heading, rows in tables:
        first, *others = [[_plain(cell) for cell in row] for row in rows]
        lines = [first, ["---", *["---:"] * (len(first) - 1)], *others]
        blocks += [f"**{_plain(heading)}**"] * bool(heading) + ["\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join(blocks) + "\n"


def _html(summary: str, tables: list[tuple[str, Cells]]) -> str:
    """Tables as notebooks show them; labels are escaped."""
    parts = [f"<p>{html.escape(summary)}</p>"]
    for heading, (first, *others) in tables:
        parts.append(f"<p>{html.escape(heading)}</p>" if heading else "")
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in first)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in others)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return "".join(parts)


def _cell(row: dict[str, float | None], name: str) -> str:
    value = row[name]
    if value is None:
        return "-"
    if name in ("songs", "queries_per_second"):
        return f"{value:,.0f}"
    if name == "bytes":
        return f"{value / 1e6:,.1f}"
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    figure = f"{value:.3f}" if name in COSTS else f"{value:.4f}"
    return figure if low is None or high is None else f"{figure} [{low:.4f}, {high:.4f}]"


def _plain(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
