"""A real log to begin with, shipped inside the package."""

from __future__ import annotations

from importlib.resources import as_file, files

from song2vec.core.checks import named_options
from song2vec.listens import Listens, read_listens


@named_options
def classic_rock() -> Listens:
    """A week of 25 US classic-rock radio stations, June 2014: 37,342 plays of 2,229 songs; each station is a listener.

    Collected by FiveThirtyEight, CC BY 4.0; see ``song2vec/data/ATTRIBUTION.md``.
    """
    with as_file(files("song2vec") / "data" / "classic_rock.csv.zst") as path:
        return read_listens(path)
