"""The tables of README.md and of the documentation, written from ``results/*.json`` so that no figure is typed by hand.

python benchmarks/tables.py        # rewrites what stands between <!-- table NAME --> and <!-- end -->
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from song2vec.models import MODELS
from song2vec.vectors import LEARNERS

HERE = Path(__file__).resolve().parent
PAGES = (HERE.parent / "README.md", HERE / "README.md", HERE.parent / "song2vec" / "docs" / "which_model_when.md")
MUSIC = {"nowplaying": "nowplaying", "yes_big": "yes.com radio", "30music_200ks": "30Music"}


def baselines() -> str:
    """One row a model, two columns a music set, the best of each in bold."""
    rows = _results("bench_baselines")["rows"]
    by = {(row["set"], row["model"]): row for row in rows}
    models = sorted({row["model"] for row in rows}, key=lambda model: (-by["nowplaying", model]["recall"], model))
    heads = " | ".join(f"{title} recall@20 | MRR@20" for title in MUSIC.values())
    lines = [f"| model | {heads} |", "|---|" + "---:|" * 2 * len(MUSIC)]
    for model in models:
        cells = [_best(by, name, model, metric) for name in MUSIC for metric in ("recall", "mrr")]
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines)


def models() -> str:
    """One row a model, on yes.com radio: its idea and paper as its docstrings say them, what it found and what it cost."""
    lines = ["| model | idea | paper | recall@20 | MRR@20 | training s | ms a query |", "|---|---|---|---:|---:|---:|---:|"]
    rows = {
        row["model"]: row
        for name in ("bench_baselines", "bench_learners", "bench_networks")
        for row in _results(name)["rows"]
        if _on_radio(row)
    }
    for name, row in sorted(rows.items(), key=lambda found: -found[1]["recall"]):
        kind, _, part = name.partition(" ")
        model = LEARNERS[part] if part in LEARNERS else MODELS[kind]
        idea = str(model.__doc__).partition("\n\n")[0].partition(". See")[0].rstrip(".").replace("\n", " ")
        found = re.search(r"\(([A-Z][^()]*\b\d{4}\b[^()]*)\)", f"{model.__doc__}\n{sys.modules[model.__module__].__doc__}")
        cost = f"{row['fit_seconds']:.1f} | {row['p50_ms']:.2f}" if "p50_ms" in row else f"{row['fit_seconds']:.1f} | "
        idea = re.sub(r" \([A-Z][^()]*\d{4}[^()]*\)", "", idea).replace("|", "\\|")  # the paper has a column of its own
        quality = f"{100 * row['recall']:.1f} | {100 * row['mrr']:.1f}"
        lines.append(f"| `{name}` | {' '.join(idea.split())} | {' '.join(found[1].split()) if found else ''} | {quality} | {cost} |")
    return "\n".join(lines)


def _on_radio(row: dict[str, Any]) -> bool:
    return "model" in row and "yes_big" in (row.get("set"), str(row.get("question")).removeprefix("next "))


def ratings() -> str:
    """One row a model, one column a set of ratings over time."""
    rows = {(row["set"], row["model"]): row for row in _results("bench_ratings")["rows"] if "question" not in row}
    sets, names = (list(dict.fromkeys(key[place] for key in rows)) for place in (0, 1))
    lines = ["| model | " + " | ".join(sets) + " |", "|---|" + "---:|" * len(sets)]
    for name in names:
        cells = [f"{row['rmse']:.3f} [{row['rmse_low']:.3f}, {row['rmse_high']:.3f}]" for row in (rows[of, name] for of in sets)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def inputs() -> str:
    """A row for each number of epochs and each kind of targets, by an input table that began at random and one of song vectors."""
    heads = "| epochs | targets | recall@20 random | song vectors | more | MRR@20 random | song vectors | more |"
    lines = [heads, "|---:|---|" + "---:|" * 6]
    rows = _results("bench_inputs_vectors")["rows"]
    for random, vectors in zip(rows[::2], rows[1::2], strict=True):
        cells = [cell for metric in ("recall", "mrr") for cell in (_cent(random[metric]), _cent(vectors[metric]), _more(vectors, metric))]
        lines.append(f"| {random['epochs']} | {random['targets']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def dwell() -> str:
    """A row for each way of knowing more of a listener."""
    lines = ["| model | epochs | recall@20 | more | MRR@20 | more |", "|---|" + "---:|" * 5]
    for row in _results("bench_inputs_dwell")["rows"]:
        cells = [cell for metric in ("recall", "mrr") for cell in (_cent(row[metric]), _more(row, metric))]
        lines.append(f"| {row['model']} | {row['epochs']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def playlists() -> str:
    """A row for each way of making playlists."""
    measures = {"r_precision": "R-precision", "same_tag": "same tag", "cosine": "cosine", "artists": "artists", "popularity": "popularity"}
    lines = [f"| way | {' | '.join(measures.values())} |", "|---|" + "---:|" * len(measures)]
    rows = _results("bench_playlists")["rows"]
    return "\n".join(lines + [f"| {row['way']} | {' | '.join(f'{row[name]:.3f}' for name in measures)} |" for row in rows])


TABLES: dict[str, Callable[[], str]] = {
    "baselines": baselines,
    "models": models,
    "ratings": ratings,
    "inputs": inputs,
    "dwell": dwell,
    "playlists": playlists,
}


def written(text: str) -> str:
    """A page with every figure and table in it as the results have it; a figure keeps its number of digits."""

    def figure(found: re.Match[str]) -> str:
        digits = len(found[3].partition(".")[2])
        return f"<!-- {found[1]}.{found[2]} --> **{_results(found[1])[found[2]]:.{digits}f}**"

    def table(found: re.Match[str]) -> str:
        return f"<!-- table {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->"

    text = re.sub(r"<!-- (\w+)\.(\w+) --> \*\*([\d.]+)\*\*", figure, text)
    return re.sub(r"<!-- table (\w+) -->\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def _cent(share: float) -> str:
    return f"{100 * share:.1f}"


def _more(row: dict[str, Any], metric: str) -> str:
    low, high = (100 * row[f"{metric}_more_{end}"] for end in ("low", "high"))
    return f"{100 * row[f'{metric}_more']:+.1f} [{low:+.1f}, {high:+.1f}]" if high or low else ""


def _best(by: dict[tuple[str, str], dict[str, Any]], name: str, model: str, metric: str) -> str:
    row = by[name, model]
    best = max(other[metric] for (of, _), other in by.items() if of == name)
    figure = f"{100 * row[metric]:.1f}"
    return f"**{figure}**" if row[metric] == best else figure


def _results(benchmark: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / "results" / f"{benchmark}.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
