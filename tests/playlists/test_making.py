"""Playlists: what seed songs, a listener and the adjustments do, and what the table says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models.popularity import Popularity
from song2vec.models.rules import MarkovChain
from song2vec.playlists import playlist
from song2vec.playlists.scoring import Space
from song2vec.search import ExactIndex
from song2vec.search.listeners import listener
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors
from tests import small
from tests.playlists.small_music import markov, music, sessions


def mean_distance(vectors, songs):
    unit = vectors.unit[vectors.catalogue.rows(songs)]
    return 1 - (unit @ unit.T)[np.triu_indices(len(unit), 1)].mean()


def test_the_first_pick_is_the_nearest_song_or_the_likeliest_follower():
    vectors = music()
    nearest = ExactIndex().fit(vectors).similar("s7", 1).rows
    assert playlist(vectors, "s7", 1).songs == vectors.catalogue.songs(nearest)
    chain = MarkovChain().fit(Sessions.from_lists([["a", "b", "c", "d", "e"]] * 3))
    assert playlist(chain, "a", 4).songs == ["b", "c", "d", "e"]


def test_a_popular_model_plays_the_most_popular_songs_that_were_not_heard():
    vectors = music()
    model = Popularity().fit(sessions(vectors))
    best = [song for song in model.next(["s0"], 10)["song"] if song not in ("s5", "s9")]
    assert playlist(model, "s5", len(best), history=["s9"]).songs[:5] == best[:5]


def test_the_table_says_why():
    vectors = music(120)
    made = playlist(vectors, ["s3", "s4"], 8, artist_gap=1, diversity=1, history=["s9"])
    assert made.table.schema == pl.Schema(
        {
            "position": pl.Int64,
            "song": pl.String,
            "artist": pl.String,
            "title": pl.String,
            "score": pl.Float32,
            "because": pl.String,
            "because_cosine": pl.Float32,
        }
    )
    assert made.table["position"].to_list() == list(range(1, 9))
    heard = ["s9", "s3", "s4"]
    for row in made.table.iter_rows(named=True):
        cosines = {song: vectors.similarity(row["song"], song) for song in heard}
        assert row["because"] == max(cosines, key=lambda song: cosines[song])
        assert row["because_cosine"] == pytest.approx(max(cosines.values()), abs=1e-6)
        heard.append(row["song"])


def test_without_vectors_there_is_a_score_and_no_reason():
    made = playlist(markov(music()), "s3", 5).table
    assert made["because"].null_count() == made["because_cosine"].null_count() == 5
    assert made["because"].dtype == pl.String
    assert made["score"].null_count() == 0


def test_the_seed_may_lead_the_table():
    vectors = music()
    made = playlist(vectors, ["s3", "s4"], 5, with_seed_songs=True)
    assert made.songs == ["s3", "s4", *playlist(vectors, ["s3", "s4"], 5).songs]
    assert made.table["position"].to_list() == list(range(1, 8))
    assert made.table["score"].is_null().to_list() == [True] * 2 + [False] * 5


def test_a_playlist_goes_on_where_it_ended():
    vectors = music()
    for scorer in (vectors, markov(vectors)):
        whole = playlist(scorer, "s3", 12, artist_gap=2, max_per_artist=3, vectors=vectors, diversity=1)
        begun = playlist(scorer, "s3", 5, artist_gap=2, max_per_artist=3, vectors=vectors, diversity=1)
        rest = playlist(scorer, ["s3", *begun.songs], 7, artist_gap=2, max_per_artist=3, vectors=vectors, diversity=1)
        assert begun.songs + rest.songs == whole.songs


@pytest.mark.parametrize("method", ["greedy", "beam"])
def test_diversity_raises_the_mean_distance(method):
    vectors = music(400)
    for scorer in (vectors, markov(vectors)):
        distances = []
        for weight in (0, 4, 50):
            made = [playlist(scorer, f"s{seed}", 10, vectors=vectors, method=method, diversity=weight) for seed in range(5)]
            distances.append(np.mean([mean_distance(vectors, one.songs) for one in made]))
        assert distances[0] + 0.03 < distances[1] < distances[2]


def test_popularity_pulls_both_ways():
    vectors = music(400)
    for scorer in (vectors, markov(vectors)):
        down, none, up = (
            vectors.catalogue.plays[vectors.catalogue.rows(playlist(scorer, "s200", 20, popularity=weight))].mean() for weight in (-2, 0, 2)
        )
        assert down * 1.5 < none < up / 1.2


def test_a_listener_pulls_songs_near_them():
    vectors = music(400)
    person = listener(vectors, ["s17"])
    for scorer in (vectors, markov(vectors)):
        options = {"vectors": vectors, "listener": person}
        made = [playlist(scorer, "s200", 10, listener_weight=weight, **options) for weight in (-4, 4, 20)]
        far, near, nearer = (np.mean([vectors.similarity("s17", song) for song in one]) for one in made)
        assert far + 0.2 < near < nearer


def test_weights_mean_the_same_in_every_space():
    spread = [Space(music(3000, size=size), music(3000).catalogue).spread for size in (4, 64)]
    np.testing.assert_allclose(spread, [4**-0.5, 64**-0.5], rtol=0.1)  # of random directions
    same = SongVectors(np.ones((5, 3)), list(range(5)))
    assert Space(same, same.catalogue).spread == 1


def test_a_listener_alone_is_enough():
    vectors = music(400)
    for scorer in (vectors, markov(vectors)):
        made = playlist(scorer, length=3, vectors=vectors, listener=listener(vectors, ["s17"]))
        assert made.songs[0] == "s17"
        assert made.table["because"][0] is None


def test_two_genres_stay_apart():
    engine = small.engine()
    for scorer in (engine.vectors, MarkovChain().fit(small.sessions())):
        for genre in (small.FOLK, small.METAL):
            names = small.names_of(genre)
            assert set(playlist(scorer, names[0], 8, artist_gap=1)) <= set(names)


def test_vectors_may_be_over_other_songs_than_the_model():
    everything = music(50)
    some = everything.subset(np.arange(0, 50, 2)[::-1])
    made = playlist(markov(everything), "s2", 20, vectors=some, diversity=1, listener=listener(some, ["s4"])).table
    known = made["song"].is_in(some.catalogue.ids.implode())
    assert made.filter(known)["because"].null_count() == 0
    assert made.filter(~known)["because"].null_count() == (~known).sum() > 0
    assert set(made.filter(known)["because"]) <= set(some.catalogue.ids)
    with pytest.raises(ArgumentError, match="know none of the songs"):
        playlist(markov(everything), "s2", vectors=SongVectors(np.eye(3), ["x", "y", "z"]))


def test_integers_are_ids():
    vectors = SongVectors(np.eye(4) + 0.1, [40, 30, 20, 10])
    made = playlist(vectors, 40, 3)
    assert sorted(made.songs) == [10, 20, 30]
    assert made.table["because"].dtype == pl.Int64
    with pytest.raises(UnknownSongError):
        playlist(vectors, 0, 1)


def test_a_song_may_come_again_after_a_while():
    vectors = music(6)
    songs = playlist(vectors, "s0", 30, repeat_gap=3).songs
    assert max(songs.count(song) for song in songs) > 4
    assert all(song not in songs[max(0, place - 3) : place] for place, song in enumerate(songs))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"seed_songs": ()}, "seed_songs: is empty"),
        ({"seed_songs": 3.5}, r"seed_songs=3\.5: a song id or a list of song ids"),
        ({"model": "markov"}, "model is a str; a next-song model or SongVectors"),
        ({"model": MarkovChain()}, "has learned nothing yet"),
        ({"model": markov(music(20)), "diversity": 1}, "diversity: needs vectors="),
        ({"model": markov(music(20)), "listener": listener(music(), ["s1"])}, "listener: needs vectors="),
        ({"listener": listener(music(size=3), ["s1"])}, "listener: has 3 numbers, songs have 8"),
        ({"listener": replace(listener(music(), ["s1"]), vector=np.zeros(8))}, "listener: their songs add up to a zero vector"),
        ({"listener": True}, "listener is a"),
        ({"listener": [1.0]}, "listener is a list; an id, or a Listener"),
        ({"listener": "ann"}, "listener='ann': song vectors know no listeners"),
        ({"model": markov(music(20)), "listener": "ann"}, "listener='ann': markov learned nothing of them"),
        ({"diversity": -1}, "diversity=-1: a number from 0 is allowed"),
        ({"popularity": "up"}, "popularity='up': a number is allowed"),
        ({"listener_weight": float("inf")}, "listener_weight=inf"),
        ({"vectors": np.eye(3)}, "vectors is a ndarray"),
        ({"model": SongVectors(np.eye(3), ["s0", "s1", "s2"]), "popularity": 1}, "nobody counted the plays"),
    ],
)
def test_bad_values(options, named):
    with pytest.raises(ArgumentError, match=named):
        playlist(**{"model": music(20), "seed_songs": "s0", "length": 2, **options})


def test_unknown_songs():
    for options in ({"seed_songs": "nobody"}, {"seed_songs": "s0", "history": ["nobody"]}):
        with pytest.raises(UnknownSongError, match="'nobody'"):
            playlist(music(20), length=2, **options)
