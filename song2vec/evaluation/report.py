"""A table of figures as text, Markdown and HTML."""

from __future__ import annotations

import html as markup

import polars as pl

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


def title(name: str, k: int) -> str:
    """``recall`` -> ``recall@20``."""
    return METRICS[name].replace("@", f"@{k}")


def cells(table: pl.DataFrame, k: int, *, brief: bool = False) -> Cells:
    """A heading and one row a model, as text; ``brief`` keeps what fits into a terminal."""
    names = [name for name in (*METRICS, *COSTS) if name in table.columns and (name in BRIEF or not brief)]
    heading = ["model", *(title(name, k) if name in METRICS else COSTS[name] for name in names)]
    return [heading] + [[row["model"], *(_cell(row, name) for name in names)] for row in table.to_dicts()]


def text(rows: Cells) -> str:
    """In columns, the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def markdown(summary: str, tables: list[tuple[str, Cells]]) -> str:
    """Tables under their headings, as GitHub reads them."""
    blocks = [summary]
    for heading, rows in tables:
        first, *others = [[_plain(cell) for cell in row] for row in rows]
        lines = [first, ["---", *["---:"] * (len(first) - 1)], *others]
        blocks += [f"**{_plain(heading)}**"] * bool(heading) + ["\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join(blocks) + "\n"


def html(summary: str, tables: list[tuple[str, Cells]]) -> str:
    """Tables as notebooks show them; labels are escaped."""
    parts = [f"<p>{markup.escape(summary)}</p>"]
    for heading, (first, *others) in tables:
        parts.append(f"<p>{markup.escape(heading)}</p>" if heading else "")
        head = "".join(f"<th>{markup.escape(cell)}</th>" for cell in first)
        body = "".join("<tr>" + "".join(f"<td>{markup.escape(cell)}</td>" for cell in row) + "</tr>" for row in others)
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
