"""Models beside each other: the tables, how they are shown, saved and drawn."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from song2vec.core.errors import ArgumentError
from song2vec.core.storage import write_atomically
from song2vec.evaluation import chart, report
from song2vec.evaluation.intervals import LEVEL
from song2vec.evaluation.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".json", ".csv", ".md")
PICTURES = (".png", ".svg", ".pdf")


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
        blocks = [self._summary(), report.text(report.cells(self.table, self.k, brief=True))]
        if self.differences is not None:
            blocks += [f"less {self.baseline}:", report.text(report.cells(self.differences, self.k, brief=True))]
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        return report.html(self._summary(), self._tables())

    def to_markdown(self) -> str:
        """All figures as Markdown."""
        return report.markdown(self._summary(), self._tables())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all figures (.json), the table (.csv) or a text (.md). The file appears only when it is whole.

        Raises ArgumentError for any other ending.
        """
        path, ending = _ending(path, ENDINGS)
        writers: dict[str, Callable[[], str]] = {".json": self._json, ".csv": self.table.write_csv, ".md": self.to_markdown}
        text = writers[ending]()
        return write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def plot(self, path: str | os.PathLike[str] | None = None, *, dark: bool = False) -> Figure:
        """Bars of the metrics with their intervals, and quality against scoring time; also written to a path, if one is given.

        Raises ArgumentError when the path does not end in .png, .svg or .pdf.
        """
        target = None if path is None else _ending(path, PICTURES)[0]
        titles = {name: report.title(name, self.k) for name in report.DRAWN}
        figure = chart.draw(self.table, titles, subtitle=self._summary(), dark=dark)
        if target is not None:
            write_atomically(target, figure.savefig)
        return figure

    def _tables(self) -> list[tuple[str, report.Cells]]:
        tables = [("", report.cells(self.table, self.k))]
        if self.differences is not None:
            tables.append((f"Less {self.baseline}", report.cells(self.differences, self.k)))
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


def _ending(path: str | os.PathLike[str], allowed: tuple[str, ...]) -> tuple[Path, str]:
    path = Path(path)
    if path.suffix.lower() not in allowed:
        raise ArgumentError(f"path={str(path)!r} ends in {path.suffix!r}; {', '.join(allowed)} are allowed")
    return path, path.suffix.lower()
