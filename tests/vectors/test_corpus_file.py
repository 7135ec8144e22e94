"""Sessions as the text file that gensim reads: every play, in its order."""

from __future__ import annotations

import itertools

import numpy as np
from gensim.models.word2vec import MAX_WORDS_IN_BATCH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.sessions import Sessions
from song2vec.vectors.corpus_file import MAX_LINE, write_corpus_file


def lines_of(sessions, path):
    count = write_corpus_file(sessions, path)
    text = path.read_text()
    assert text.endswith("\n")
    lines = [[int(word) for word in line.split(" ")] for line in text[:-1].split("\n")]
    assert count == len(lines)
    return lines


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=6).filter(any))
def test_a_line_is_a_session_as_rows(tmp_path, lists):
    sessions = Sessions.from_lists(lists)
    expected = [sessions.catalogue.rows(session).tolist() for session in lists if session]
    assert lines_of(sessions, tmp_path / "corpus.txt") == expected


def test_long_sessions_are_split_not_cut_off(tmp_path):
    assert MAX_LINE <= MAX_WORDS_IN_BATCH
    lengths = [3, MAX_LINE, MAX_LINE + 1, 2 * MAX_LINE, 25_000, 1]
    lists = [(np.arange(length) % 7).tolist() for length in lengths]
    sessions = Sessions.from_lists(lists)
    lines = lines_of(sessions, tmp_path / "corpus.txt")
    assert [len(line) for line in lines] == [3, MAX_LINE, MAX_LINE, 1, MAX_LINE, MAX_LINE, MAX_LINE, MAX_LINE, 5000, 1]
    assert list(itertools.chain(*lines)) == sessions.songs.tolist()


def test_a_corpus_of_several_blocks_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("song2vec.vectors.corpus_file._BLOCK", 7)
    sessions = Sessions.from_lists(np.random.default_rng(0).integers(0, 9, (30, 5)).tolist())
    assert lines_of(sessions, tmp_path / "corpus.txt") == sessions.songs.reshape(30, 5).tolist()
