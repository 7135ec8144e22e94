"""Songs that training never saw: recommended after, and leading to, the songs they are like, and only those."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.models import NextSongModel
from song2vec.models.networks.gru4rec.model import GRU4Rec
from song2vec.models.networks.hrnn import HRNN
from song2vec.sessions import Sessions
from song2vec.testing.planted import GROUP, SONGS, listen
from song2vec.vectors import SongVectors

SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 16, "learning_rate": 0.1, "n_negatives": 32, "workers": 1, "progress": False}
INPUTS = ("vectors", "constrained", "embedding", "one-hot")
NEW = SONGS + np.arange(SONGS // GROUP)  # one new song for each artist, with that artist's number


@pytest.fixture(scope="module")
def train() -> Sessions:
    return listen("group", 0.95)[0]


@pytest.fixture(scope="module")
def vectors(train) -> SongVectors:
    """Songs of an artist lie close together, the new ones too."""
    random = np.random.default_rng(0)
    centres = random.normal(0, 1, (SONGS // GROUP, 16))
    songs = np.append(train.catalogue.ids.to_numpy(), NEW)
    artist = np.append(songs[:SONGS] // GROUP, np.arange(len(NEW)))
    return SongVectors(centres[artist] + random.normal(0, 0.1, (len(songs), 16)), songs.tolist())


def gru(train: Sessions, vectors: SongVectors, input: str) -> GRU4Rec:
    model = GRU4Rec(**SMALL, input=input)
    return model.fit(train, vectors=vectors) if input == "vectors" else model.fit(train)


def likeness(model: Any, shift: int = 0) -> tuple[float, float]:
    """How often the new song is among the best 2 x GROUP after two of its artist's, and how many of their best GROUP it leads to.

    ``shift`` asks for another artist's instead.
    """
    recommended = led = 0.0
    for artist, new in enumerate(NEW.tolist()):
        other = (artist + shift) % len(NEW)
        theirs = set(range(other * GROUP, (other + 1) * GROUP))
        recommended += new in model.next(sorted(theirs)[:2], 2 * GROUP)["song"].to_list()
        led += len(theirs & set(model.next([new], GROUP)["song"])) / GROUP
    return recommended / len(NEW), led / len(NEW)


@pytest.mark.parametrize("input", INPUTS)
def test_a_new_song_comes_with_the_songs_its_vector_is_like(input, train, vectors):
    model = gru(train, vectors, input).add_songs(vectors)
    recommended, led = likeness(model)
    assert recommended > 0.8
    assert led > 0.6
    assert max(likeness(model, shift=3)) < 0.35  # chance: 10 of 72, and 5 of 72


def test_a_new_song_comes_with_the_songs_of_its_artist(train, vectors):
    artists = [f"artist {number}" for number in range(len(NEW))]
    model = gru(train, vectors, "constrained").add_songs(Catalogue(NEW.tolist(), None, artists))
    recommended, led = likeness(model)
    assert recommended > 0.8
    assert led > 0.6
    assert model.catalogue_.artists[-1] == artists[-1]


def test_vectors_that_tell_nothing_teach_nothing(train, vectors):
    mixed = SongVectors(np.random.default_rng(1).permutation(vectors.matrix), vectors.catalogue)
    assert max(likeness(gru(train, vectors, "constrained").add_songs(mixed))) < 0.35


def test_known_songs_stay_as_they_were_and_so_does_the_model(train, vectors):
    model = gru(train, vectors, "constrained")
    before = model.score(train, np.arange(20))
    larger = model.add_songs(vectors)
    np.testing.assert_array_equal(model.score(train, np.arange(20)), before)
    assert len(model.catalogue_) == SONGS
    assert larger.catalogue_.ids.to_list() == [*model.catalogue_.ids.to_list(), *NEW.tolist()]
    after = [larger.score_after(model.catalogue_.songs(train.songs[:n]))[:SONGS] for n in (1, 2, 3)]
    np.testing.assert_allclose(after, before[:3], rtol=1e-4, atol=1e-5)
    assert larger.settings == model.settings


@pytest.mark.parametrize("input", ["vectors", "constrained"])
def test_a_larger_model_is_saved_and_goes_on_live(input, train, vectors, tmp_path):
    model = gru(train, vectors, input).add_songs(vectors)
    loaded = NextSongModel.load(model.save(tmp_path / "model"))
    played = [3, int(NEW[1]), 7]
    np.testing.assert_array_equal(loaded.score_after(played), model.score_after(played))
    session = loaded.session()
    for song in played:
        session.listen(song)
    np.testing.assert_allclose(session.scores(), model.score_after(played), rtol=1e-4, atol=1e-5)
    if input == "vectors":
        np.testing.assert_array_equal(model.network_.arrays()["input.weight"][SONGS:], vectors.matrix[SONGS:])


def test_an_hrnn_keeps_its_listeners(train, vectors):
    hrnn = HRNN(**SMALL, listener_hidden=8, epochs=2).fit(train)
    larger = hrnn.add_songs(vectors)
    listener = train.listeners[0]
    found = larger.session(listener).listen(int(NEW[0])).next(3)
    assert len(found) == 3
    assert larger.listeners_.equals(hrnn.listeners_)


def test_unusable_songs_are_refused(train, vectors):
    model = gru(train, vectors, "vectors")
    named = [f"artist {number}" for number in range(2)]
    refused = (
        (lambda: GRU4Rec().add_songs(vectors), "fit"),
        (lambda: model.add_songs([99]), "^songs is a list"),  # type: ignore[arg-type]
        (lambda: model.add_songs(vectors.subset(np.arange(SONGS))), "knows all"),
        (lambda: model.add_songs(vectors.subset(np.arange(SONGS, len(vectors)))), "^songs: vectors of none"),
        (lambda: model.add_songs(SongVectors(vectors.matrix[:, :5], vectors.catalogue)), "5 numbers"),
        (lambda: model.add_songs(Catalogue(["a", "b"], None, named)), "type"),
        (lambda: model.add_songs(Catalogue([98, 99])), "artists are needed"),
        (lambda: model.add_songs(Catalogue([98, 99], None, ["artist 1", "nobody"])), "'nobody'"),
    )
    for call, message in refused:
        with pytest.raises(ArgumentError, match=message):
            call()
