"""The contract of every next-song model: a model passes by being in ``MODELS``. What the batteries leave to all is asked of each here."""

from __future__ import annotations

import numpy as np
import pytest

import song2vec.models as room
from song2vec.core.errors import ArgumentError, SavedFolderError, UnknownSongError
from song2vec.models import MODELS, NextSongModel, Popularity
from song2vec.sessions import Sessions
from song2vec.testing.battery import contents, run
from song2vec.testing.models import MARGIN, MODEL_CHECKS
from song2vec.testing.planted import CHANCE, SONGS, STRUCTURES, listen, recall
from tests.damage import read_manifest, write_manifest
from tests.models.models import NAMES, NEED_PAIRS, case, fitted, log, make

every_model = pytest.mark.parametrize("name", NAMES)


@every_model
@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_contract(name, check):
    run(case(name), [check])


@every_model
def test_is_a_public_name(name):
    assert getattr(room, MODELS[name].__name__) is MODELS[name]
    assert MODELS[name].__name__ in room.__all__


@every_model
def test_says_how_long_fit_took(name):
    assert fitted(name).fit_seconds_ > 0


@every_model
def test_ranks_are_those_of_the_scores_as_far_as_asked(name):
    _, test = log()
    plays = np.setdiff1d(np.arange(test.plays), test.offsets[1:] - 1)
    targets = test.songs[plays + 1]
    scores = fitted(name).score(test, plays)
    ahead = (scores >= scores[np.arange(len(plays)), targets][:, None]).sum(1)
    for cut_off in (5, SONGS):
        found = fitted(name).ranks(test, plays, targets, cut_off)
        assert (found >= np.minimum(ahead, cut_off + 1)).all()  # what rounding cannot tell apart counts as ahead
        assert (found == np.minimum(ahead, cut_off + 1)).mean() > 0.98


@every_model
def test_next_gives_exactly_k(name):
    model, (_, test) = fitted(name), log()
    played = test[3]
    for k in (1, 10, SONGS, 1000):
        table = model.next(played, k)
        assert len(table) == min(k, SONGS)
        assert table.columns == ["song", "artist", "title", "score"]
        assert (np.diff(table["score"].to_numpy()) <= 0).all()
        assert table["song"].n_unique() == len(table)
    hidden = model.next(played, 20)["song"].to_list()
    assert set(model.next(played, 30, exclude=hidden)["song"]).isdisjoint(hidden)
    assert len(model.next(played, 1000, exclude=[*hidden, "never played"])) == SONGS - 20


@every_model
def test_unknown_songs_raise_or_are_skipped(name):
    model = fitted(name)
    with pytest.raises(UnknownSongError, match="999"):
        model.next([3, 999])
    assert model.next([3, 999], 5, unknown="skip").equals(model.next([3], 5))
    for nothing in ([], [999]):
        with pytest.raises(UnknownSongError, match="at least one"):
            model.next(nothing, unknown="skip")
    with pytest.raises(UnknownSongError, match="integers"):
        model.next(["3"])


@every_model
def test_unusable_arguments_are_refused_by_name(name):
    model, (train, test) = fitted(name), log()
    other = Sessions.from_lists([[1, 2], [2, 3]])
    refused = (
        *((lambda k=k: model.next([1], k), "^k=") for k in (0, -1, 2.0, "3", None, True)),
        (lambda: model.next(7), "^songs="),
        (lambda: make(name).next([1]), "fit"),
        (lambda: make(name).session(), "fit"),
        (lambda: model.score(other, np.array([0])), "other songs"),
        (lambda: model.score(test, np.array([test.plays])), "^plays"),
        (lambda: model.score(test, np.array([-1])), "^plays"),
        (lambda: make(name).fit([[1, 2]]), "^sessions"),
        (lambda: make(name).fit(train.keep(np.empty(0, np.int64))), "^sessions"),
    )
    for call, message in refused:
        with pytest.raises(ArgumentError, match=message):
            call()


@pytest.mark.parametrize("name", NEED_PAIRS)
def test_what_learns_from_songs_that_follow_each_other_refuses_a_log_without_any(name):
    with pytest.raises(ArgumentError, match="two plays"):
        make(name).fit(Sessions.from_lists([[1], [2], [1]]))


@every_model
def test_a_live_session_refuses_what_it_cannot_know(name, tmp_path):
    model, (_, test) = fitted(name), log()
    session = model.session()
    with pytest.raises(UnknownSongError, match="song"):
        session.next()
    with pytest.raises(UnknownSongError):
        session.listen(999)
    for song in test[0]:
        session.listen(song)
    assert len(session.next(5, exclude=test[0])) == 5
    with pytest.raises(SavedFolderError, match="where 'live session' is asked for"):
        model.load_session(model.save(tmp_path / "model"))


@every_model
def test_foreign_folders_are_refused(name, tmp_path):
    folder = fitted(name).save(tmp_path / "model")
    manifest = read_manifest(folder)
    main = manifest["parts"]["estimator"]
    for meta in ({"name": "no such"}, {"settings": {"no such": 1}}, {"settings": 5}):
        parts = manifest["parts"] | {"estimator": main | {"meta": main["meta"] | meta}}
        write_manifest(folder, manifest | {"parts": parts})
        with pytest.raises(SavedFolderError):
            NextSongModel.load(folder)
    sessions = log()[0].save(tmp_path / "sessions")
    before = contents(sessions)
    with pytest.raises(SavedFolderError):
        NextSongModel.load(sessions)
    with pytest.raises(SavedFolderError):
        fitted(name).save(sessions)
    assert contents(sessions) == before


@pytest.mark.parametrize("structure", [structure for structure in STRUCTURES if structure != "popular"])
def test_popularity_learns_popularity_only(structure):
    train, test = listen(structure, 0.8)
    assert recall(Popularity().fit(train), test) <= CHANCE + MARGIN
