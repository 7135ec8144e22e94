"""Sessions as the text file that gensim reads: every play, in its order."""

from __future__ import annotations

import itertools

import numpy as np
from gensim.models.word2vec import MAX_WORDS_IN_BATCH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.sessions import Sessions
from song2vec.vectors.training.by_gensim import BATCH, write_corpus_file

FILLER = ["-"] * BATCH


def lines_of(sessions, path):
    """The lines without the fillers, as rows; the counts returned are those of the file."""
    lines, words = write_corpus_file(sessions, path)
    found = [line.split() for line in path.read_text().splitlines() if line]
    assert words == sum(map(len, found))
    assert lines == len(found)
    return [[int(word) for word in line] for line in found if line != FILLER]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=6).filter(any))
def test_a_line_is_a_session_as_rows(tmp_path, lists):
    sessions = Sessions.from_lists(lists)
    expected = [sessions.catalogue.rows(session).tolist() for session in lists if session]
    assert lines_of(sessions, tmp_path / "corpus.txt") == expected


def test_every_play_is_there_and_a_filler_ends_every_batch(tmp_path):
    assert BATCH == MAX_WORDS_IN_BATCH
    lists = [(np.arange(length) % 7).tolist() for length in [3, BATCH, BATCH + 1, 2 * BATCH, 25_000, 1]]
    sessions = Sessions.from_lists(lists)
    lines = lines_of(sessions, tmp_path / "corpus.txt")
    assert list(itertools.chain(*lines)) == sessions.songs.tolist()
    words = (tmp_path / "corpus.txt").read_text().split()
    for begin in range(0, len(words) - 2 * BATCH, 2 * BATCH):
        assert "-" not in words[begin : begin + BATCH]
        assert words[begin + BATCH : begin + 2 * BATCH] == FILLER


def test_a_corpus_of_several_blocks_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("song2vec.vectors.training.by_gensim._BLOCK", 7)
    sessions = Sessions.from_lists(np.random.default_rng(0).integers(0, 9, (30, 5)).tolist())
    assert lines_of(sessions, tmp_path / "corpus.txt") == sessions.songs.reshape(30, 5).tolist()
