"""The curves of the benchmarks as pictures, drawn from ``results/*.json``.

python benchmarks/plots.py        # writes results/search.svg and results/training.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from song2vec.maps.theme import LIGHT

RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    for name, draw in {"search": search, "training": training}.items():
        figure = draw()
        FigureCanvasAgg(figure)
        figure.savefig(RESULTS / f"{name}.svg", metadata={"Date": None})
        print(RESULTS / f"{name}.svg", file=sys.stderr)


def search() -> Figure:
    """Recall@10 against queries a second of every index, a panel a size."""
    rows = _rows("bench_index")
    sizes = sorted({row["songs"] for row in rows})
    figure, panels = _figure("Ten neighbours, one query at a time", len(sizes))
    for axes, songs in zip(panels, sizes, strict=True):
        _plain(axes, f"{songs:,} songs", "recall@10", "queries a second")
        axes.set_yscale("log")
        kinds = [kind for kind in dict.fromkeys(row["index"] for row in rows) if kind != "auto"]
        for colour, kind in zip(LIGHT.hues, kinds, strict=False):
            curve = sorted((row["recall"], row["queries_s"]) for row in rows if (row["songs"], row["index"]) == (songs, kind))
            axes.plot(*zip(*curve, strict=True), "o-", color=colour, label=kind, markersize=3.5, linewidth=1.4)
    panels[0].legend(frameon=False, fontsize=8, labelcolor=LIGHT.ink)
    return figure


def training() -> Figure:
    """Events a second of every trainer, a panel a kind; and seconds against events over a million songs."""
    rows = [row for log in ("planted_2_M", "nowplaying", "planted_20_M") for row in _rows(f"bench_training_speed_{log}")]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure, panels = _figure("Training vectors on two cores", len(kinds) + 1)
    trainers = list(dict.fromkeys(row["trainer"] for row in rows))
    for axes, kind in zip(panels, kinds, strict=False):
        mine = [row for row in rows if row["kind"] == kind]
        logs = list(dict.fromkeys(row["log"] for row in mine))
        _plain(axes, kind, "", "events a second")
        fastest = {(row["log"], row["trainer"]): 0 for row in mine}
        for row in mine:
            fastest[row["log"], row["trainer"]] = max(fastest[row["log"], row["trainer"]], row["events_per_second"])
        for place, (colour, trainer) in enumerate(zip(LIGHT.hues, trainers, strict=False)):
            rates = [fastest.get((log, trainer), 0) for log in logs]
            width = 0.8 / len(trainers)
            axes.bar([log + width * place for log in range(len(logs))], rates, width, color=colour, label=trainer)
        axes.set_xticks([log + 0.4 - width / 2 for log in range(len(logs))], logs, fontsize=8)
    told = panels[0].get_legend_handles_labels()
    figure.legend(*told, loc="outside lower center", ncols=len(trainers), frameon=False, fontsize=8, labelcolor=LIGHT.ink)
    scale = _rows("bench_training_scale")
    _plain(panels[-1], "one epoch, a million songs", "events", "seconds")
    panels[-1].plot([row["events"] for row in scale], [row["seconds"] for row in scale], "o-", color=LIGHT.hues[0])
    return figure


def _figure(title: str, panels: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4.2 * panels, 3.8), facecolor=LIGHT.ground, layout="constrained")
    figure.suptitle(title, color=LIGHT.ink, fontsize=13, weight="bold")
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def _plain(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, color=LIGHT.ink, fontsize=10)
    axes.set_xlabel(x, color=LIGHT.quiet, fontsize=9)
    axes.set_ylabel(y, color=LIGHT.quiet, fontsize=9)
    axes.set_facecolor(LIGHT.ground)
    axes.tick_params(colors=LIGHT.quiet, labelsize=8)
    axes.grid(color=LIGHT.land[2], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _rows(benchmark: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))["rows"]
    return rows


if __name__ == "__main__":
    main()
