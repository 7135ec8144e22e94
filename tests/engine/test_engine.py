"""The engine: trained, asked, saved and loaded, and refusing what it cannot use."""

from __future__ import annotations

import itertools
import json
import os
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec import AnnoyIndex, Catalogue, Engine, ExactIndex, MarkovChain, Sessions, SongVectors, Word2Vec, read_listens
from song2vec.core.config import IntRange, setting
from song2vec.core.errors import AmbiguousSongError, ArgumentError, SavedFolderError, UnknownSongError
from song2vec.models import Nearest, make_model
from song2vec.vectors import Learner
from tests.damage import read_manifest, sealed, write_manifest
from tests.small import FOLK, METAL, SETTINGS, engine, learner, names_of, plays, sessions

MYKONOS = "Fleet Foxes - Mykonos"
SANDMAN = "Metallica - Enter Sandman"
INDEXES = ["annoy", "exact", "auto", AnnoyIndex(trees=7), ExactIndex(seed=3)]
every_index = pytest.mark.parametrize("index", INDEXES, ids=str)


@pytest.fixture(scope="module")
def trained():
    return engine()


def nearest(vectors, query, k, allowed=lambda song: True):
    """Song ids by cosine to a vector, one after the other; equals by row."""
    scores = vectors.unit @ (np.asarray(query) / max(np.linalg.norm(query), 1e-12))
    order = sorted(range(len(vectors)), key=lambda row: (-round(float(scores[row]), 5), row))
    return [song for song in vectors.catalogue.songs(order) if allowed(song)][:k]


def songs_of(table):
    return table["song"].to_list()


# Training


def test_learns_which_songs_are_played_together(trained):
    for genre in (FOLK, METAL):
        for song in names_of(genre):
            assert set(songs_of(trained.similar(song, 11))) == set(names_of(genre)) - {song}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    def saved(seed):
        folder = engine(seed=seed, epochs=1).save(tmp_path / f"{seed}")
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first = saved(1)
    assert first == saved(1)
    assert first.keys() != saved(2).keys()  # names carry checksums


def test_a_learner_of_ones_own_making_is_taken_as_it_is():
    learner = Word2Vec(**{**SETTINGS, "epochs": 1, "window": 3, "seed": 5})
    made = Engine.train(sessions(), vectors=learner, seed=9)
    assert made.vectors is learner.vectors_
    assert made.info().learner["window"] == 3
    assert made.info().learner["seed"] == 5


def test_an_engine_says_what_its_learner_was_made_with():
    assert {"n_negatives", "negative_exponent"} <= engine(epochs=1).info().learner.keys()
    assert repr(Word2Vec(size=8, window=2)) == "Word2Vec(size=8, window=2)"


def test_a_learner_of_one_s_own_serves_like_the_house_s(tmp_path):
    class Random(Learner):
        name = "random"
        size: int = setting(IntRange(1), default=8, help="numbers in a vector")

        def fit(self, sessions):
            matrix = np.random.default_rng(0).standard_normal((len(sessions.catalogue), self.size))
            self.vectors_ = SongVectors(matrix, sessions.catalogue)
            return self

    made = Engine.train(sessions(), vectors=Random(size=4))
    assert made.info().learner == {"name": "Random", "size": 4}
    assert Engine.load(made.save(tmp_path / "engine")).info() == made.info()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vectors": "word3vec"}, r"vectors='word3vec': 'word2vec', .* are allowed; did you mean 'word2vec'\?"),
        ({"vectors": None}, "vectors is a NoneType; 'word2vec', .*, a learner such as .* or SongVectors"),
        ({"vectors": Word2Vec}, "vectors is a ABCMeta; 'word2vec', "),
        ({"vectors": Word2Vec(), "size": 8}, "size: settings go to the learner"),
        ({"vectors": Word2Vec(), "workers": 1}, "workers: settings go to the learner"),
        ({"epoch": 3}, r"epoch: not a setting of Engine\.train; sessions, vectors, size, .* are allowed; did you mean 'epochs'\?"),
        ({"size": 0}, "size=0: a whole number from 1"),
        ({"epochs": "many"}, "epochs='many': a whole number from 1"),
        ({"seed": -1}, "seed=-1: a whole number from 0"),
        ({"next_song": "popularit"}, "next_song='popularit': 'popularity', .* did you mean 'popularity'"),
        ({"next_song": 5}, "next_song is a int; None, 'popularity', .* or a model such as MarkovChain"),
        ({"vectors": learner(epochs=1), "index": "faiss"}, "index='faiss': 'auto', 'annoy', 'exact'"),
    ],
)
def test_unknown_settings_are_refused_by_name(options, message):
    with pytest.raises(ArgumentError, match=message):
        Engine.train(sessions(), **options)


@pytest.mark.parametrize(
    "wrong", [[["a", "b"]], None, pl.DataFrame({"song": ["a"]}), read_listens(plays())], ids=lambda x: type(x).__name__
)
def test_what_is_not_cut_into_sessions_is_refused(wrong):
    with pytest.raises(ArgumentError, match=f"sessions is a {type(wrong).__name__}; .*cut_sessions"):
        Engine.train(wrong)


# Indexes


@every_index
def test_every_index_answers_alike(trained, index):
    made = Engine(trained.vectors, index=index)
    for song in (MYKONOS, SANDMAN):
        found = made.similar(song, 11)
        assert songs_of(found) == nearest(trained.vectors, trained.vectors[song], 11, lambda other, song=song: other != song)
    assert made.info().recall == 1


def test_an_index_is_chosen_by_name_or_made_by_the_caller(trained):
    chosen = [Engine(trained.vectors, index=index, seed=4).index for index in INDEXES]
    assert [index.name for index in chosen] == ["annoy", "exact", "exact", "annoy", "exact"]
    assert [index.seed for index in chosen] == [4, 4, 4, 0, 3]
    assert chosen[3] is INDEXES[3]
    assert chosen[3].trees == 7


def test_vectors_from_elsewhere_make_an_engine(tmp_path):
    vectors = SongVectors(np.random.default_rng(0).standard_normal((30, 4)), list(range(100, 130)))
    made = Engine(vectors)
    assert songs_of(made.similar(105, 5)) == nearest(vectors, vectors[105], 5, lambda song: song != 105)
    assert made.info().learner == {}
    assert Engine.load(made.save(tmp_path / "engine")).info() == made.info()


# Similar songs


def test_answers_are_a_table_best_first(trained):
    found = trained.similar(MYKONOS, 5)
    assert found.schema == {"song": pl.String, "artist": pl.String, "title": pl.String, "cosine": pl.Float32}
    assert found.height == 5
    assert MYKONOS not in songs_of(found)
    assert found["cosine"].is_sorted(descending=True)
    for song, artist, title, cosine in found.iter_rows():
        assert song == f"{artist} - {title}"
        assert cosine == pytest.approx(trained.vectors.similarity(MYKONOS, song), abs=1e-6)


def test_a_song_may_be_named(trained):
    expected = trained.similar(MYKONOS, 5)
    for asked in ("mykonos", "MYKONOS fleet foxes", ["mykonos"], (song for song in ["mykonos"])):
        assert trained.similar(asked, 5).equals(expected)


def test_songs_without_names_have_an_id_only():
    made = Engine(SongVectors(np.eye(3), ["a", "b", "c"]))
    assert made.similar("a", 1).columns == ["song", "cosine"]


def test_several_songs_are_averaged_and_others_moved_away_from(trained):
    like, unlike = [MYKONOS, SANDMAN], ["Slayer - Raining Blood", "Björk - Jóga"]
    query = trained.vectors.combine(like, unlike)
    found = trained.similar(["mykonos", "sandman"], 6, unlike=["raining blood", "joga"])
    assert songs_of(found) == nearest(trained.vectors, query, 6, lambda song: song not in like + unlike)
    assert trained.similar("mykonos", 6, unlike="joga").equals(trained.similar(["mykonos"], 6, unlike=["joga"]))


def test_moving_away_from_a_genre_leaves_it(trained):
    assert set(songs_of(trained.similar("mykonos", 8, unlike="sandman"))) <= set(names_of(FOLK))


@pytest.mark.parametrize("k", [23, 24, 1000])
def test_a_k_beyond_the_catalogue_gives_every_other_song(trained, k):
    assert sorted(songs_of(trained.similar(MYKONOS, k))) == sorted({*names_of(FOLK), *names_of(METAL)} - {MYKONOS})


@pytest.mark.parametrize("k", [0, -1, 2.5, "3", None, True])
def test_a_k_that_is_no_count_is_refused(trained, k):
    for ask in (
        lambda: trained.similar(MYKONOS, k),
        lambda: trained.similar_batch([MYKONOS], k),
        lambda: trained.recommend([MYKONOS], k),
    ):
        with pytest.raises(ArgumentError, match=f"k={k!r}: a whole number from 1"):
            ask()


def test_filters_hold_together(trained):
    found = trained.similar("mykonos", 50, exclude=["pink moon"], only=[*names_of(FOLK), SANDMAN], max_per_artist=1, not_by=["FEIST"])
    artists = found["artist"].to_list()
    assert sorted(artists) == ["Björk", "Fleet Foxes", "Metallica", "Nick Drake"]
    assert "Nick Drake - Pink Moon" not in songs_of(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_filtered_answers_are_those_of_a_plain_loop(trained, data):
    everything = names_of(FOLK) + names_of(METAL)
    some = st.lists(st.sampled_from(everything), max_size=12)
    song, exclude, only = data.draw(st.sampled_from(everything)), data.draw(some), data.draw(st.none() | some)
    not_by, per_artist = data.draw(st.lists(st.sampled_from([*FOLK, *METAL]), max_size=3)), data.draw(st.none() | st.integers(1, 2))
    k = data.draw(st.integers(1, 30))
    taken: dict[str, int] = {}

    def allowed(other):
        artist = other.split(" - ")[0]
        if other == song or other in exclude or artist in not_by or (only is not None and other not in only):
            return False
        taken[artist] = taken.get(artist, 0) + 1
        return per_artist is None or taken[artist] <= per_artist

    expected = nearest(trained.vectors, trained.vectors[song], k, allowed)
    found = trained.similar(song, k, exclude=exclude, only=only, max_per_artist=per_artist, not_by=not_by)
    assert songs_of(found) == expected


def test_when_nothing_is_allowed_the_table_is_empty(trained):
    found = trained.similar(MYKONOS, 5, only=[])
    assert (found.height, found.columns) == (0, ["song", "artist", "title", "cosine"])


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda made: made.similar("nobody knows"), UnknownSongError, "no song is called 'nobody knows'"),
        (lambda made: made.similar("the"), AmbiguousSongError, "'the' fits 3 songs"),
        (lambda made: made.similar(["mykonos", "nobody knows"]), UnknownSongError, "'nobody knows'"),
        (lambda made: made.similar("mykonos", unlike="nobody knows"), UnknownSongError, "'nobody knows'"),
        (lambda made: made.similar("mykonos", exclude=["nobody knows"]), UnknownSongError, "'nobody knows'"),
        (lambda made: made.similar("mykonos", only=["nobody knows"]), UnknownSongError, "'nobody knows'"),
        (lambda made: made.similar("mykonos", not_by=["Nobody"]), ArgumentError, "not_by: unknown artist 'Nobody'"),
        (lambda made: made.similar("mykonos", not_by="Feist"), ArgumentError, r"not_by='Feist': a list is allowed"),
        (lambda made: made.similar("mykonos", max_per_artist=0), ArgumentError, "max_per_artist=0: a whole number from 1"),
        (lambda made: made.similar(5), UnknownSongError, "5: the ids of this catalogue are strings"),
        (lambda made: made.similar(None), ArgumentError, "songs=None: a song or a list"),
        (lambda made: made.similar([]), UnknownSongError, "at least one known song is needed"),
        (lambda made: made.similar_batch(["mykonos", "nobody knows"]), UnknownSongError, "'nobody knows'"),
        (lambda made: made.similar_batch([]), ArgumentError, "songs: is empty"),
        (lambda made: made.recommend(["nobody knows"]), UnknownSongError, "'nobody knows'"),
        (lambda made: made.recommend([]), ArgumentError, "history: is empty"),
        (lambda made: made.recommend("mykonos"), ArgumentError, "history='mykonos': a list"),
        (lambda made: made.recommend(5), ArgumentError, "history=5: a list"),
    ],
)
def test_unusable_questions_are_refused_by_name(trained, ask, error, message):
    with pytest.raises(error, match=message):
        ask(trained)


def test_an_ambiguous_name_lists_ids_that_can_be_asked_for(trained):
    with pytest.raises(AmbiguousSongError) as raised:
        trained.find("slayer")
    assert sorted(raised.value.candidates) == sorted(song for song in names_of(METAL) if song.startswith("Slayer"))
    assert all(trained.find(song) == song for song in raised.value.candidates)


# Batches


def test_a_batch_answers_as_one_by_one(trained):
    asked = ["mykonos", "sandman", MYKONOS]
    found = trained.similar_batch(asked, 4)
    assert found.columns == ["query", "song", "artist", "title", "cosine"]
    assert found["query"].to_list() == [song for song in (MYKONOS, SANDMAN, MYKONOS) for _ in range(4)]
    assert found.drop("query").equals(pl.concat([trained.similar(song, 4) for song in asked]))


def test_a_batch_with_a_k_beyond_the_catalogue_gives_every_other_song(trained):
    assert trained.similar_batch([MYKONOS, SANDMAN], 1000).height == 2 * 23


# Listeners


def test_a_listener_of_one_song_is_offered_the_songs_like_it(trained):
    found = trained.recommend(["mykonos"], 5)
    expected = trained.similar(MYKONOS, 5)
    assert found.drop("cosine", "because", "because_cosine").equals(expected.drop("cosine"))
    np.testing.assert_allclose(found["cosine"].to_numpy(), expected["cosine"].to_numpy(), atol=1e-6)  # a unit vector is scaled anew
    assert found["because"].to_list() == [MYKONOS] * 5
    np.testing.assert_allclose(found["because_cosine"].to_numpy(), found["cosine"].to_numpy(), atol=1e-6)


def test_each_suggestion_says_which_song_of_theirs_it_is_nearest_to(trained):
    heard = [MYKONOS, "Björk - Jóga", "Feist - Mushaboom"]
    found = trained.recommend(heard, 20)
    assert found.schema["because_cosine"] == pl.Float32
    for song, because, cosine in found.select("song", "because", "because_cosine").iter_rows():
        cosines = {own: trained.vectors.similarity(song, own) for own in heard}
        assert because == max(cosines, key=cosines.get)
        assert cosine == pytest.approx(cosines[because], abs=1e-6)


def test_suggestions_are_the_nearest_to_the_mean_of_what_they_played(trained):
    heard = [MYKONOS, MYKONOS, "Björk - Jóga"]
    mean = np.mean([trained.vectors.unit[trained.catalogue.row(song)] for song in heard], axis=0)
    assert songs_of(trained.recommend(heard, 7)) == nearest(trained.vectors, mean, 7, lambda song: song not in heard)
    assert songs_of(trained.recommend(heard, 7, exclude_history=False)) == nearest(trained.vectors, mean, 7)


def test_songs_they_have_played_come_back_only_on_request(trained):
    folk = names_of(FOLK)
    assert set(songs_of(trained.recommend(folk[:6], 100))).isdisjoint(folk[:6])
    again = trained.recommend(folk[:6], 100, exclude_history=False)
    assert set(folk[:6]) <= set(songs_of(again))
    own = again.filter(pl.col("song").is_in(folk[:6]))
    assert own["because"].to_list() == songs_of(own)


def test_who_has_heard_everything_is_offered_nothing(trained):
    found = trained.recommend(names_of(FOLK) + names_of(METAL), 5)
    assert (found.height, found.columns) == (0, ["song", "artist", "title", "cosine", "because", "because_cosine"])


def test_filters_hold_for_listeners_too(trained):
    found = trained.recommend(["mykonos"], 50, exclude=["pink moon"], only=names_of(FOLK), max_per_artist=1, not_by=["feist"])
    assert sorted(found["artist"].to_list()) == ["Björk", "Fleet Foxes", "Nick Drake"]
    assert "Nick Drake - Pink Moon" not in songs_of(found)


def test_a_table_of_plays_is_weighted_by_age(trained):
    times = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in (0, 300)]
    history = pl.DataFrame({"listener": "ann", "song": [SANDMAN, MYKONOS], "time": times})
    fresh = trained.recommend(history, 5, half_life_days=10)
    assert set(songs_of(fresh)) <= set(names_of(FOLK))
    assert fresh["because"].to_list() == [MYKONOS] * 5
    person = trained.listener(history, half_life_days=300)
    np.testing.assert_allclose(
        person.vector, (trained.vectors.unit[trained.catalogue.rows([SANDMAN, MYKONOS])].T @ [1 / 3, 2 / 3]), atol=1e-6
    )


def test_names_are_understood_and_unknown_songs_skipped_on_request(trained):
    found = trained.recommend(["mykonos", "nobody knows", "Unheard - Song"], 5, unknown="skip")
    assert found.equals(trained.recommend([MYKONOS], 5))
    assert trained.listener(["mykonos", "nobody knows"], unknown="skip").unknown == 1
    with pytest.raises(UnknownSongError, match="none of its 2 plays"):
        trained.recommend(["nobody knows", "nobody cares"], unknown="skip")


# What comes next

NEXT = ["markov", MarkovChain(), "nearest", "popularity"]


def next_songs(made):
    return [made.next(song, 5).rows() for song in (MYKONOS, SANDMAN)], made.next(["mykonos", "joga"], 3, exclude=["pink moon"]).rows()


def test_says_what_comes_next_by_its_model():
    made = engine(epochs=1, next_song="markov")
    plain = MarkovChain().fit(sessions())
    found = made.next("mykonos", 4)
    assert found.schema == {"song": pl.String, "artist": pl.String, "title": pl.String, "score": pl.Float32}
    assert found.equals(plain.next([MYKONOS], 4))
    assert made.next(["joga", "mykonos"], 4).equals(found)  # the last heard is last
    assert "Nick Drake - Pink Moon" not in songs_of(made.next("mykonos", 24, exclude=["pink moon"]))
    with pytest.raises(UnknownSongError, match="'nobody knows'"):
        made.next("nobody knows")
    with pytest.raises(ArgumentError, match="k=0"):
        made.next("mykonos", 0)


def test_without_a_model_what_is_near_comes_next(trained):
    assert trained.next_song is None
    expected = Nearest(repeats=False).fit(sessions(), vectors=trained.vectors)
    for asked in ([MYKONOS], [SANDMAN, MYKONOS]):
        assert trained.next(asked, 5).equals(expected.next(asked, 5))
    assert set(songs_of(trained.next("mykonos", 5))) <= set(names_of(FOLK))


def test_a_nearest_song_model_takes_the_vectors_of_the_engine():
    made = engine(next_song="nearest")
    assert made.next_song.unit_.tolist() == made.vectors.unit.tolist()
    own = engine(epochs=1, next_song=Nearest(learner=Word2Vec(**{**SETTINGS, "size": 3})))
    assert own.next_song.unit_.shape == (24, 3)


def test_a_network_begins_with_the_vectors_of_the_engine():
    pytest.importorskip("torch")
    network = make_model("gru4rec", {"input": "vectors", "frozen": True, "hidden": 4, "epochs": 1, "n_negatives": 4, "progress": False})
    made = engine(next_song=network)
    np.testing.assert_array_equal(made.next_song.network_.arrays()["input.weight"], made.vectors.matrix)


def test_a_fitted_model_is_taken_as_it_is():
    model = MarkovChain().fit(sessions().keep(np.arange(40)))
    made = engine(epochs=1, next_song=model)
    assert made.next_song is model
    assert made.next("mykonos", 5).equals(model.next([MYKONOS], 5))


@pytest.mark.parametrize("model", NEXT, ids=str)
@pytest.mark.parametrize("memory_map", [False, True])
def test_a_loaded_engine_says_the_same_of_what_comes_next(model, memory_map, tmp_path):
    made = engine(epochs=1, next_song=model)
    loaded = Engine.load(made.save(tmp_path / "engine"), memory_map=memory_map)
    assert next_songs(loaded) == next_songs(made)
    assert loaded.info() == made.info()
    assert loaded.info().next_song["name"] == made.next_song.name
    assert str(made.info()).endswith(f", {made.next_song.name} for what comes next")
    assert loaded.save(tmp_path / "again").joinpath("manifest.json").read_bytes() == (tmp_path / "engine" / "manifest.json").read_bytes()


def test_a_model_over_other_songs_is_saved_with_them(trained, tmp_path):
    model = MarkovChain().fit(Sessions.from_lists([[MYKONOS, "another song"]]))
    made = Engine(trained.vectors)
    made.next_song = model
    loaded = Engine.load(made.save(tmp_path / "engine"))
    assert loaded.next(MYKONOS, 1)["song"].to_list() == ["another song"]
    assert loaded.next_song.catalogue_ == model.catalogue_


def test_an_engine_saved_without_a_model_has_none_when_loaded(trained, tmp_path):
    folder = trained.save(tmp_path / "engine")
    assert not [part for part in json.loads((folder / "manifest.json").read_text())["parts"] if part.startswith("next")]
    loaded = Engine.load(folder)
    assert loaded.next_song is None
    assert loaded.info().next_song == {}
    assert next_songs(loaded) == next_songs(trained)


@pytest.mark.parametrize("change", ["no part", "no meta", "another model", "another setting"])
def test_a_next_song_model_that_lacks_something_is_refused(change, tmp_path):
    path = engine(epochs=1, next_song="markov").save(tmp_path / "engine") / "manifest.json"
    manifest = json.loads(path.read_text())
    part = manifest["parts"]["next_song.estimator"]
    if change == "no part":
        manifest["parts"]["next-song-x"] = manifest["parts"].pop("next_song.estimator")
    elif change.startswith("no "):
        del part[change.removeprefix("no ")]
    else:
        part["meta"]["name" if change == "another model" else "settings"] = "polka"
    path.write_text(sealed(manifest))
    with pytest.raises(SavedFolderError):
        Engine.load(path.parent).next("mykonos")


# Maps and facts


def test_a_map_holds_the_songs(trained):
    assert sorted(trained.map().table["song"]) == sorted(trained.catalogue.ids)
    assert len(trained.map(max_songs=11)) == 11


def test_says_what_it_is_made_of(trained):
    info = trained.info()
    assert (info.songs, info.plays, info.size, info.index, info.recall) == (24, 960, 8, "annoy", 1.0)
    assert {"name": "Word2Vec", **SETTINGS, "seed": 0}.items() <= info.learner.items()
    assert str(info) == "24 songs, 960 plays, vectors of 8, annoy index (recall@10 1.000)"
    assert repr(trained) == f"Engine({info})"


# Saved and loaded


def answers(made):
    """What an engine says to many questions, to the last bit."""
    tables = [
        made.similar_batch(made.catalogue.ids.to_list(), 7),
        made.similar(["mykonos", "joga"], 9, unlike="one", max_per_artist=1, not_by=["Slayer"]),
        made.recommend(["pink moon", "bomber"], 9),
    ]
    return [table.rows() for table in tables], made.info()


@every_index
@pytest.mark.parametrize("memory_map", [False, True])
def test_a_loaded_engine_answers_to_the_last_bit_alike(trained, index, memory_map, tmp_path):
    made = Engine(trained.vectors, index=index, seed=2)
    loaded = Engine.load(made.save(tmp_path / "engine"), memory_map=memory_map)
    assert answers(loaded) == answers(made)
    assert loaded.index.settings == made.index.settings
    again = loaded.save(tmp_path / "again")
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in (tmp_path / "engine").iterdir())


def test_numpy_settings_are_saved_as_numbers(tmp_path):
    made = engine(size=np.int64(8), epochs=np.int32(1), learning_rate=np.float64(0.1))
    assert Engine.load(made.save(tmp_path / "engine")).info() == made.info()


def test_an_engine_may_be_saved_over_the_folder_it_is_mapped_from(trained, tmp_path):
    folder = trained.save(tmp_path / "engine")
    mapped = Engine.load(folder, memory_map=True)
    mapped.save(folder)
    Engine(trained.vectors, index="exact").save(folder)
    assert answers(mapped) == answers(trained)
    assert Engine.load(folder).info().index == "exact"


def test_only_an_engine_or_nothing_is_written_over(trained, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("dear diary")
    (tmp_path / "file").write_text("x")
    trained.vectors.save(tmp_path / "vectors")
    for name, problem in (("notes", "not a saved engine"), ("file", "is a file"), ("vectors", "'song vectors'")):
        with pytest.raises(SavedFolderError, match=problem):
            trained.save(tmp_path / name)
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["diary.txt"]
    (tmp_path / "empty").mkdir()
    assert trained.save(tmp_path / "empty") == tmp_path / "empty"


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["disk full", "interrupted"])
def test_a_save_that_breaks_off_leaves_the_old_engine_whole(trained, call, failure, tmp_path, monkeypatch):
    old, new = trained, engine(seed=1, epochs=1)
    folder, real = old.save(tmp_path / "engine"), getattr(os, call)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for broken in itertools.count(1):
        calls = itertools.count(1)

        def breaks(*arguments, broken=broken, calls=calls, **more):
            if next(calls) == broken:
                raise failure
            return real(*arguments, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, breaks)
            try:
                new.save(folder)
            except (OSError, KeyboardInterrupt):
                pass
            else:
                break
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        if after["manifest.json"] != before["manifest.json"]:  # it broke off after the one rename that counts
            break
        assert after == before
    assert broken > 3
    assert answers(Engine.load(folder)) == answers(new)


def test_a_first_save_that_breaks_off_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trained.save(tmp_path / "engine")
    assert list(tmp_path.iterdir()) == []


# Damaged


@pytest.fixture
def folder(trained, tmp_path):
    return trained.save(tmp_path / "engine")


@pytest.fixture(scope="module")
def expected(trained):
    return answers(trained)[0]


def files_of(folder):
    return sorted(folder.iterdir())


def test_an_engine_is_a_manifest_and_three_files(folder):
    assert sorted(path.suffix for path in files_of(folder)) == [".bin", ".json", ".safetensors", ".safetensors"]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("damage", ["removed", "emptied", "halved", "lengthened", "junk", "a folder", "another file"])
def test_an_engine_damaged_at_any_file_is_refused(folder, number, damage):
    path = files_of(folder)[number]
    whole = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "removed":
        content = {
            "emptied": b"",
            "halved": whole[: len(whole) // 2],
            "lengthened": whole + b"}",
            "junk": os.urandom(len(whole)),
            "another file": files_of(folder)[number - 1].read_bytes(),
        }
        path.write_bytes(content[damage])
    with pytest.raises(SavedFolderError, match=str(folder)):
        Engine.load(folder)


@pytest.mark.parametrize("number", [0, 1, 2])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_byte_of_a_data_file_is_noticed(folder, number, data):
    path = files_of(folder)[number]
    whole = path.read_bytes()
    place, change = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])
    with pytest.raises(SavedFolderError, match=path.name):
        Engine.load(folder)
    path.write_bytes(whole)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_of_the_manifest_is_refused_or_changes_no_answer(expected, folder, data):
    path = folder / "manifest.json"
    whole = path.read_bytes()
    place, byte = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.sampled_from(b'\0x0"{}[],:9'))
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    try:
        assert answers(Engine.load(folder))[0] == expected
    except SavedFolderError:
        pass
    finally:
        path.write_bytes(whole)


def test_a_manifest_cut_off_anywhere_is_refused(folder):
    path = folder / "manifest.json"
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(SavedFolderError, match=r"manifest\.json"):
            Engine.load(folder)


LACKING = [
    *((part, "no part") for part in ("index.catalogue.songs", "index.vectors", "index.estimator", "engine")),
    *((part, "no meta") for part in ("index.catalogue.songs", "index.vectors", "index.estimator", "engine")),
    *((part, "no arrays") for part in ("index.catalogue.songs", "index.vectors")),
    ("index.searcher", "no file"),
    *((part, meta) for part in ("index.estimator", "engine") for meta in ({}, [1], None, "meta", {"learner": 5, "index": 5})),
]


@pytest.mark.parametrize(("part", "change"), LACKING)
def test_a_manifest_that_lacks_something_is_refused(folder, part, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    if change == "no part":
        del manifest["parts"][part]
    elif isinstance(change, str) and change.startswith("no "):
        del manifest["parts"][part][change.removeprefix("no ")]
    else:
        manifest["parts"][part]["meta"] = change
    path.write_text(sealed(manifest))
    with pytest.raises(SavedFolderError):
        Engine.load(folder)


def test_parts_of_two_engines_do_not_mix(folder, tmp_path):
    other = engine(seed=1, epochs=1).save(tmp_path / "other")
    manifest, foreign = (read_manifest(path) for path in (folder, other))
    manifest["parts"]["index.vectors"] = foreign["parts"]["index.vectors"]
    for path in other.glob("index.vectors-*"):
        (folder / path.name).write_bytes(path.read_bytes())
    write_manifest(folder, manifest)
    with pytest.raises(SavedFolderError, match="built over other vectors"):
        Engine.load(folder)


def test_what_is_no_engine_is_refused(trained, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    trained.vectors.save(tmp_path / "vectors")
    refused = {
        "file": "is a file",
        "empty": "has no manifest.json",
        "vectors": "'song vectors', where 'engine' is asked for",
        "none": "no such folder",
    }
    for name, problem in refused.items():
        with pytest.raises(SavedFolderError, match=f"{name}: .*{problem}"):
            Engine.load(tmp_path / name)


# The smallest


@every_index
def test_an_engine_of_one_song_has_nothing_to_offer(index, tmp_path):
    made = Engine(SongVectors(np.ones((1, 3)), ["a"]), index=index)
    loaded = Engine.load(made.save(tmp_path / "engine"))
    for each in (made, loaded):
        assert each.similar("a", 5).height == each.recommend(["a"], 5).height == 0
        assert songs_of(each.recommend(["a"], 5, exclude_history=False)) == ["a"]


def test_integer_ids_are_ids_and_may_be_typed():
    made = Engine(SongVectors(np.random.default_rng(0).standard_normal((6, 3)), Catalogue([10, 3, 2, 1, 5, 4], titles=[*"uvwxyz"])))
    assert made.similar(3, 2).schema["song"] == pl.Int64
    for asked in ("3", "v", np.int64(3), [3]):
        assert made.similar(asked, 2).equals(made.similar(3, 2))
    assert 0 not in made.catalogue
    with pytest.raises(UnknownSongError, match="0"):
        made.similar(0)
