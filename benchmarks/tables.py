"""The tables of README.md, written from ``results/*.json`` so that no figure is typed by hand.

python benchmarks/tables.py        # rewrites what stands between <!-- table NAME --> and <!-- end -->
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
MUSIC = {"nowplaying": "nowplaying", "yes_big": "yes.com radio", "30music_200ks": "30Music"}


def baselines() -> str:
    """One row a model, two columns a music set, the best of each in bold."""
    rows = _results("bench_baselines")["rows"]
    by = {(row["set"], row["model"]): row for row in rows}
    models = sorted({row["model"] for row in rows}, key=lambda model: (-by["nowplaying", model]["hit_rate"], model))
    lines = ["| model | " + " | ".join(f"{title} R@20 | MRR@20" for title in MUSIC.values()) + " |", "|---|" + "---:|" * 2 * len(MUSIC)]
    for model in models:
        cells = [_best(by, name, model, metric) for name in MUSIC for metric in ("hit_rate", "mrr")]
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[], str]] = {"baselines": baselines}


def written(text: str) -> str:
    """A page with every figure and table in it as the results have it; a figure keeps its number of digits."""

    def figure(found: re.Match[str]) -> str:
        digits = len(found[3].partition(".")[2])
        return f"<!-- {found[1]}.{found[2]} --> **{_results(found[1])[found[2]]:.{digits}f}**"

    def table(found: re.Match[str]) -> str:
        return f"<!-- table {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->"

    text = re.sub(r"<!-- (\w+)\.(\w+) --> \*\*([\d.]+)\*\*", figure, text)
    return re.sub(r"<!-- table (\w+) -->\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def _best(by: dict[tuple[str, str], dict[str, Any]], name: str, model: str, metric: str) -> str:
    row = by[name, model]
    best = max(other[metric] for (of, _), other in by.items() if of == name)
    figure = f"{100 * row[metric]:.1f}"
    return f"**{figure}**" if row[metric] == best else figure


def _results(benchmark: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / "results" / f"{benchmark}.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
