"""Sessions as the text file that gensim's fast path reads: one session a line, songs as row numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from song2vec.sessions import Sessions

MAX_LINE = 10_000  # gensim reads no further into a line: longer sessions are split, not cut off
_BLOCK = 2_000_000


def write_corpus_file(sessions: Sessions, path: Path) -> int:
    """Write the file; returns its number of lines."""
    last = np.zeros(sessions.plays, bool)
    last[sessions.offsets[1:][sessions.lengths > 0] - 1] = True
    for session in np.flatnonzero(sessions.lengths > MAX_LINE):
        last[sessions.offsets[session] + MAX_LINE - 1 : sessions.offsets[session + 1] : MAX_LINE] = True
    with path.open("wb") as file:
        for begin in range(0, sessions.plays, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            words = pl.DataFrame({"song": sessions.songs[block], "last": last[block]}).select(
                pl.col("song").cast(pl.String) + pl.when("last").then(pl.lit("\n")).otherwise(pl.lit(" "))
            )
            words.write_csv(file, include_header=False, quote_style="never", line_terminator="")
    return int(last.sum())
