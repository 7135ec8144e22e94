"""What every next-song model does: it scores histories and nothing else, and learns what there is to learn and no more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.models import NextSongModel, Popularity
from song2vec.sessions import Sessions
from song2vec.testing.battery import SHARED, Case, close, run
from song2vec.testing.planted import CHANCE, SONGS, Structure, listen, recall, with_string_ids

MARGIN = 0.04  # four standard deviations at 700 queries


@dataclass
class ModelCase(Case):
    """A model, a log to fit and another to ask about, and the structure that it learns."""

    test: Sessions
    learns: Structure | None

    @cached_property
    def plays(self) -> Array:
        """Some plays of the other sessions, in no order."""
        return np.random.default_rng(0).permutation(self.test.plays)[:40]

    @cached_property
    def scores(self) -> Array:
        """Of these plays."""
        return np.asarray(self.fitted.score(self.test, self.plays))


def model_case(model: NextSongModel, learns: Structure | None = "follows") -> ModelCase:
    """A model, and a small log."""
    train, test = listen("follows", 0.7, sessions=120)
    return ModelCase(model, train, train.keep(np.arange(20)), lambda fitted: fitted.score(test, np.arange(40)), test, learns)


def scoring(case: ModelCase) -> None:
    """Scores are finite float32, one for each song, and the same in any block and order."""
    model, test = case.fitted, case.test
    assert case.scores.shape == (40, SONGS)
    assert case.scores.dtype == np.float32
    assert np.isfinite(case.scores).all()
    assert model.score(test, np.empty(0, np.int64)).shape == (0, SONGS)
    followed = np.sort(np.setdiff1d(case.plays, test.offsets[1:] - 1))
    ranks, own = model.ranks(test, followed, test.songs[followed + 1], SONGS), model.score(test, followed)
    assert (ranks == (own >= own[np.arange(len(own)), test.songs[followed + 1]][:, None]).sum(1)).mean() > 0.9, (
        "ranks are not of the scores"
    )
    close(np.concatenate([model.score(test, case.plays[i : i + 1]) for i in range(40)]), case.scores)
    with patch("song2vec.models.base.BLOCK_BYTES", 7 * 4 * SONGS):
        plays, scores = zip(*model.score_blocks(test, case.plays), strict=True)
    rows = np.concatenate(plays)
    assert sorted(rows.tolist()) == sorted(case.plays.tolist())
    close(np.concatenate(scores)[np.argsort(rows)], case.scores[np.argsort(case.plays)])


def history(case: ModelCase) -> None:
    """What comes later in a session, and other sessions, do not matter; a session may be longer than any in training."""
    model, test = case.fitted, case.test
    begin, end = test.offsets[5:7]
    expected, alone = model.score(test, np.arange(begin, end)), test.keep(np.array([5]))
    for length in range(1, end - begin + 1):
        cut = alone.keep(plays=np.arange(alone.plays) < length)
        close(model.score(cut, np.arange(length)), expected[:length])
    long = replace(test.keep([0]), songs=test.songs, offsets=np.array([0, test.plays]), dwell=test.dwell)
    assert np.isfinite(model.score(long, np.array([test.plays - 1, 0]))).all()


def live(case: ModelCase) -> None:
    """A live session recommends as its whole history does, and goes on after it was saved."""
    model, songs = case.fitted, case.test[0]
    session = model.session()
    for number, song in enumerate(songs[:-1], 1):
        close(session.listen(song).next(5)["score"], model.next(songs[:number], 5)["score"])
    with TemporaryDirectory() as folder:
        model.load_session(model.session().save(Path(folder) / "new")).listen(songs[-1])  # nothing was played yet
        again = model.load_session(session.save(Path(folder) / "session"))
    assert session.songs == again.songs == songs[:-1]
    close(again.listen(songs[-1]).scores(), session.listen(songs[-1]).scores())


def logs(case: ModelCase) -> None:
    """Ids may be texts; times and names may lack; songs may never be played, and sessions be of one song."""
    model, test = case.fit(with_string_ids(case.data)), with_string_ids(case.test)
    close(model.score(test, case.plays), case.scores)
    assert set(model.next(["song 3"], SONGS)["song"]) == {f"song {number}" for number in range(SONGS)}
    for times, names in product((True, False), repeat=2):
        catalogue = case.test.catalogue if names else Sessions.from_lists([case.test.catalogue.ids.to_list()]).catalogue
        train, test = (replace(part, catalogue=catalogue, start=part.start if times else None) for part in (case.data, case.test))
        assert np.isfinite(case.fit(train).score(test, case.plays)).all()
    everything = Sessions.from_lists([[1, 2, 3], [4], [2, 3, 1], [1], [3, 1, 2, 2], [9, 1, 9], [8]])
    model = case.fit(everything.keep(np.arange(5)))
    assert np.isfinite(model.score(everything.keep(np.array([5, 6])), np.arange(4))).all()
    try:
        model = case.fit(Sessions.from_lists([[1], [2], [1]]))
    except ArgumentError as error:  # of a model that learns from songs which follow each other
        assert "two plays" in str(error)
    else:
        assert len(model.next([1], 5)) == 2


def learning(case: ModelCase) -> None:
    """It learns the structure that it can learn, more where there is more, and finds none where there is none."""
    train, test = listen("follows", 0.0)
    assert recall(case.fit(train), test) <= CHANCE + MARGIN
    if case.learns is not None:
        learnt = [listen(case.learns, predictability) for predictability in (0.2, 0.5, 0.8)]
        rates = [recall(case.fit(train), test) for train, test in learnt]
        assert rates == sorted(rates), f"recall {rates}"
        assert rates[-1] > rates[0] + 0.2, f"recall {rates}"
        train, test = learnt[-1]
        assert rates[-1] >= (0.6 if case.learns == "popular" else recall(Popularity().fit(train), test) + 0.25), f"recall {rates}"


MODEL_CHECKS = (*SHARED, scoring, history, live, logs, learning)


def check_model(model: NextSongModel, learns: Structure | None = "follows") -> None:
    """Raises AssertionError, with a sentence that says which part of the contract it breaks, unless the model keeps all of it.

    Args:
        model: before ``fit``, with settings that suit a hundred sessions of 60 songs.
        learns: the structure of :func:`song2vec.testing.listen` that it finds; None for a model that finds none of them.
    """
    run(model_case(model, learns), MODEL_CHECKS)
