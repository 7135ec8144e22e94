"""A listener's taste reaches all that an engine says of what comes next: of one the model learned from, and of one it is told about."""

from __future__ import annotations

from functools import cache
from itertools import islice

import numpy as np
import polars as pl
import pytest

from song2vec import HRNN, Blend, Engine, GRU4Rec, MarkovChain, NextSongModel, Popularity, Sessions, Word2Vec, playlist
from song2vec.core.errors import ArgumentError
from song2vec.models.rated import RatedSongs

START, ROCK, JAZZ = 0, list(range(1, 9)), list(range(11, 19))
SMALL = {"hidden": 24, "n_negatives": 0, "batch_size": 8, "learning_rate": 0.2, "epochs": 30, "workers": 1, "progress": False}


@cache
def log():
    """Sixteen listeners begin all their sessions with the same song, and go on by their taste: even ones rock, odd ones jazz."""
    random = np.random.default_rng(0)
    rows, owners = [], []
    for listener in range(16):
        taste = JAZZ if listener % 2 else ROCK
        for _ in range(8):
            place = random.integers(len(taste))
            rows.append([START, *(taste[(place + step) % len(taste)] for step in range(5))])
            owners.append(listener)
    lists = Sessions.from_lists(rows)
    start = np.arange(len(rows)) * 86_400
    names = pl.Series("listener", [f"listener {number}" for number in range(16)])
    return Sessions(lists.songs, lists.offsets, owners, lists.catalogue, names, start=start)


@cache
def engine(name):
    models = {
        "hrnn": lambda: HRNN(listener_hidden=12, **SMALL),
        "gru4rec": lambda: GRU4Rec(dropout_input=0.0, **SMALL),
        "blend": lambda: Blend(models=[HRNN(listener_hidden=12, **SMALL), MarkovChain()], weight=0.9),
    }
    vectors = Word2Vec(size=16, epochs=10, workers=1, progress=False).fit(log()).vectors_
    return Engine(vectors, index="exact", next_song=models[name]().fit(log()))


@pytest.mark.parametrize("name", ["hrnn", "blend"])
def test_a_listener_of_the_training_log_gets_what_they_like(name):
    music = engine(name)
    for listener, taste in (("listener 2", ROCK), ("listener 3", JAZZ)):
        assert set(music.next(START, 5, listener=listener)["song"]) <= set(taste)
        assert set(music.next_song.next([START], 5, listener=listener)["song"]) <= set(taste)
        assert set(music.next_song.session(listener).listen(START).next(5)["song"]) <= set(taste)
        assert set(music.playlist(START, 5, listener=listener).songs) <= set(taste)
        assert {pick.song for pick in islice(music.radio(START, listener=listener, temperature=0.05), 5)} <= set(taste)
    mine, nobodys = music.next(START, 5, listener="listener 2"), music.next(START, 5)
    assert not mine["score"].equals(nobodys["score"])


@pytest.mark.parametrize("name", ["hrnn", "gru4rec", "blend"])
def test_a_listener_it_never_saw_is_known_by_their_plays(name):
    music, before = engine(name), engine(name).next(START, 19)

    def rock_after(taste):
        """How much of what follows is rock, by every path to the model: next song, playlist, live session."""
        played = [START, *taste[:4]]
        person = music.listener(played if name == "gru4rec" else table(played))
        live = music.next_song.with_history(person.sessions_over(log().catalogue)).session()
        answers = [
            music.next(START, 5, listener=person)["song"].to_list(),
            music.playlist(START, 5, listener=person, listener_weight=0).songs,
            live.listen(START).next(5)["song"].to_list(),
        ]
        return [np.isin(songs, ROCK).mean() for songs in answers]

    assert min(rock_after(ROCK)) >= 0.6
    assert max(rock_after(JAZZ)) <= 0.4
    assert music.next(START, 19).equals(before)  # the engine remembers nobody


def table(songs):
    """A log of two evenings."""
    evenings = 1_700_000_000, 1_700_086_400
    times = [evening + 240 * place for evening in evenings for place in range(len(songs))]
    return pl.DataFrame({"song": songs * 2, "time": times}).with_columns(pl.from_epoch("time"))


def test_the_history_of_a_listener_is_cut_into_sessions_oldest_first():
    music, played = engine("hrnn"), [START, *ROCK[:3]]
    assert list(music.listener(table(played)).sessions) == [played, played]
    assert list(music.listener(table(played).reverse()).sessions) == [played, played]
    assert list(music.listener(played).sessions) == [played]


def test_a_recurrent_network_goes_on_from_the_last_session():
    model = engine("gru4rec").next_song
    before, now = [START, *ROCK[:3]], [ROCK[3]]
    sessions = Sessions.from_rows(model.catalogue_, [model.catalogue_.rows(some) for some in ([JAZZ[0]], before)])
    np.testing.assert_allclose(model.with_history(sessions).score_after(now), model.score_after(before + now), rtol=1e-4, atol=1e-5)
    assert model.with_history(sessions.keep(plays=np.zeros(sessions.plays, bool))) is model


def test_a_listener_that_nobody_knows_is_refused():
    with pytest.raises(ArgumentError, match="listener='nobody': hrnn learned nothing of them"):
        engine("hrnn").next(START, listener="nobody")
    with pytest.raises(ArgumentError, match="listener='listener 2': gru4rec learned nothing of them"):
        engine("gru4rec").playlist(START, listener="listener 2")
    with pytest.raises(ArgumentError, match="listener is a list; an id, or a Listener"):
        engine("hrnn").next(START, listener=[1])


def test_a_bridge_keeps_near_to_a_listener():
    vectors = engine("hrnn").vectors
    person = engine("hrnn").listener(JAZZ[:4])
    ends = ROCK[0], JAZZ[7]

    def nearness(**options):
        songs = engine("hrnn").bridge(*ends, 8, **options).songs
        return (vectors.unit[vectors.catalogue.rows(songs)] @ person.vector).mean()

    assert nearness(listener=person, listener_weight=20) > nearness()
    with pytest.raises(ArgumentError, match="song vectors know no listeners"):
        nearness(listener="listener 2")


@pytest.mark.parametrize("name", ["hrnn", "gru4rec", "blend"])
def test_what_knows_somebody_is_saved_and_forgets_them_when_it_is_fitted_anew(name, tmp_path):
    music = engine(name)
    sessions = music.listener(table([START, *JAZZ[:4]])).sessions_over(log().catalogue)
    model = music.next_song.with_history(sessions)
    expected = model.score_after([START])
    assert not np.array_equal(expected, music.next_song.score_after([START]))
    loaded = NextSongModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score_after([START]), expected)
    if name != "blend":
        np.testing.assert_allclose(model.fit(log()).score_after([START]), music.next_song.score_after([START]), rtol=1e-5)


def test_a_history_that_says_nothing_changes_nothing():
    one = Sessions.from_rows(log().catalogue, [[1]])
    assert engine("hrnn").next_song.with_history(one) is engine("hrnn").next_song
    blend = Blend.of([MarkovChain().fit(log()), Popularity().fit(log())])
    assert blend.with_history(one) is blend
    with pytest.raises(ArgumentError, match="listener: needs vectors="):
        playlist(blend, START, listener=engine("hrnn").listener([START]))


@pytest.mark.parametrize("kind", [HRNN, GRU4Rec, Blend, RatedSongs, MarkovChain])
def test_before_fit_nobody_is_known(kind):
    for asks in (lambda model: model.personal(None), lambda model: model.next([START], listener=engine("hrnn").listener([START]))):
        with pytest.raises(ArgumentError, match="call fit first"):
            asks(kind())


def test_a_rater_is_asked_about_now():
    """Everybody plays rock for half a year, then jazz."""
    lists = Sessions.from_lists([taste[place:] + taste[:place] for taste in (ROCK, JAZZ) for place in range(8)] * 2)
    start = np.repeat(np.arange(2) * 180 * 86_400, 16)
    order = [number for half in (range(8), range(8, 16)) for number in (*half, *(each + 16 for each in half))]
    everybody = lists.keep(order)
    timed = Sessions(
        everybody.songs, everybody.offsets, np.tile(np.arange(4), 8), lists.catalogue, pl.Series("listener", list("abcd")), start=start
    )
    model = RatedSongs(rater={"name": "time-svd++", "settings": {"size": 4, "epochs": 40, "progress": False}}).fit(timed)
    last = model.score(timed, np.array([timed.plays - 1]))[0]
    np.testing.assert_array_equal(model.score_after([START + 1], listener=timed.listeners[int(timed.listener[-1])]), last)
