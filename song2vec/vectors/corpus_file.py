"""Sessions as the text file that gensim's fast path reads: one session a line, songs as row numbers.

gensim trains on batches: it reads lines until they hold more than 10,000 words, and drops, silently, what goes beyond
the first 10,000 that it knows. So a session is split after every 10,000th play of the log, and a line of as many
unknown words follows: wherever a thread begins to read, a batch ends there and nothing known is dropped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from song2vec.sessions import Sessions

BATCH = 10_000  # gensim's MAX_WORDS_IN_BATCH
_FILLER = "\n" + " ".join("-" * BATCH) + "\n"
_BLOCK = 2_000_000


def write_corpus_file(sessions: Sessions, path: Path) -> tuple[int, int]:
    """Write the file; returns how many lines and how many words it has, fillers included."""
    ends_line = np.zeros(sessions.plays, bool)
    ends_line[sessions.offsets[1:][sessions.lengths > 0] - 1] = True
    ends_batch = np.zeros(sessions.plays, bool)
    ends_batch[BATCH - 1 :: BATCH] = True
    after = pl.when("ends_batch").then(pl.lit(_FILLER)).when("ends_line").then(pl.lit("\n")).otherwise(pl.lit(" "))
    with path.open("wb") as file:
        for begin in range(0, sessions.plays, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            words = pl.DataFrame({"song": sessions.songs[block], "ends_line": ends_line[block], "ends_batch": ends_batch[block]})
            words = words.select(pl.col("song").cast(pl.String) + after)
            words.write_csv(file, include_header=False, quote_style="never", line_terminator="")
    fillers = int(ends_batch.sum())
    return int((ends_line | ends_batch).sum()) + fillers, sessions.plays + fillers * BATCH
