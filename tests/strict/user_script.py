"""What a user writes, with every public name: ``mypy --strict`` must find every call right and every result of a known type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import song2vec as s2v


def listens_and_sessions(log: Path) -> s2v.Sessions:
    listens: s2v.Listens = s2v.read_listens(log, columns={"song": "track"})
    print(s2v.classic_rock().report, listens.table.height)
    sessions = s2v.cut_sessions(listens, gap_minutes=60, min_song_plays=2)
    s2v.Sessions.load(sessions.save("sessions"))
    return sessions


def splits(sessions: s2v.Sessions) -> tuple[s2v.Sessions, s2v.Sessions]:
    train, test = s2v.split_by_time(sessions, test_days=7)
    s2v.split_last_session(sessions)
    s2v.split_by_listener(sessions, 0.1, seed=3)
    s2v.split_at_random(sessions, 0.1)
    s2v.split_predefined(train, test, unseen="keep")
    return train, test


def vectors(train: s2v.Sessions, test: s2v.Sessions) -> s2v.SongVectors:
    model: s2v.Word2Vec = s2v.Word2Vec(size=64, window="session", epochs=3, workers=1).fit(train, validation=test)
    s2v.Product2Vec(size=8).fit(train)
    s2v.MetaProd2Vec(size=8).fit(train).vectors_for(train.catalogue)
    s2v.Doc2Vec(size=8).fit(train)
    s2v.Word2VecEnsemble(size=8).fit(train)
    found = model.vectors_
    s2v.SIF().fit(train, found).vector(found.catalogue.songs([0, 1]))
    found.export("vectors.bin")
    unit: NDArray[np.float32] = found.unit
    rows: NDArray[np.int64] = found.catalogue.rows(["a", "b"])
    print(unit[rows].sum())
    return s2v.SongVectors(np.eye(2), s2v.Catalogue(["a", "b"], plays=[2, 1], artists=["A", None]))


def engine(sessions: s2v.Sessions, song_vectors: s2v.SongVectors) -> s2v.Engine:
    made: s2v.Engine = s2v.Engine.train(sessions, size=128, epochs=20, next_song=s2v.MarkovChain())
    table: pl.DataFrame = made.similar("mykonos", k=10, not_by=["Feist"])
    table = made.recommend(["mykonos"], 5, max_per_artist=1).vstack(made.next("mykonos", 5))
    mix: s2v.Playlist = made.playlist("mykonos", length=25, artist_gap=3, method="beam")
    mix.save("mix.m3u", title="Mix")
    way: s2v.Playlist = made.bridge("mykonos", "battery", 8, max_per_artist=2)
    station: s2v.Radio = made.radio("mykonos", window=50)
    pick: s2v.Pick = station.next()
    chart: s2v.SongMap = made.map(max_songs=100, colour_by="artist")
    facts: s2v.EngineInfo = made.info()
    print(table, way, pick.song, chart.save("map.html"), facts.size, station.like(), made.listener(["mykonos"]).vector.sum())
    somebody: s2v.Listener = s2v.listener(made.vectors, [3])
    print(made.next([3], listener=somebody), made.playlist([3], listener="ann"))
    exact = s2v.Engine(song_vectors, index=s2v.ExactIndex(), next_song=s2v.Popularity().fit(sessions))
    for index in (s2v.AnnoyIndex(trees=20), s2v.HNSWIndex()):
        one: s2v.SongIndex = index.fit(song_vectors)
        one.similar("a", 1, s2v.Filters(exclude=["b"]))
    s2v.song_map(song_vectors, seed=1)
    s2v.playlist(song_vectors, "a", 1, shorter=True)
    s2v.bridge(song_vectors, "a", "b", 2)
    s2v.radio(song_vectors, "a")
    return s2v.Engine.load(exact.save("engine"), memory_map=True)


def next_song_models(train: s2v.Sessions, test: s2v.Sessions, song_vectors: s2v.SongVectors) -> s2v.NextSongModel:
    simple: list[s2v.NextSongModel] = [
        s2v.Popularity(),
        s2v.RecentPopularity(half_life=1.0),
        s2v.SessionPopularity(),
        s2v.ArtistPopularity(),
        s2v.RepeatLast(),
        s2v.MarkovChain(),
        s2v.AssociationRules(),
        s2v.SequentialRules(steps=5),
        s2v.ItemKNN(),
        s2v.SKNN(k=100),
        s2v.VSKNN(),
        s2v.STAN(),
        s2v.VSTAN(),
        s2v.ALS(),
        s2v.BPR(),
        s2v.Nearest(learner="product2vec"),
        s2v.Nearest(learner={"name": "doc2vec", "settings": {"size": 32}}),
        s2v.RatedSongs(),
    ]
    nearest: s2v.Nearest = s2v.Nearest(learner=s2v.Word2Vec(window=2), decay=0.3).fit(train, vectors=song_vectors)
    network: s2v.GRU4Rec = s2v.GRU4Rec(hidden=64, loss="bpr-max", epochs=3).fit(train, validation=test)
    others: list[s2v.NextSongModel] = [s2v.PlaylistRNN(hidden=32), s2v.HRNN(hidden=32), s2v.CandidateNetwork(), s2v.AutoEncoder()]
    models = [model.fit(train) for model in simple + others]
    compared = s2v.compare([*models, nearest, network], test, k=20, baseline=network.name)
    print(compared.table, s2v.evaluate(network, test, k=20).metrics())
    tuned = s2v.tune("sr", train, trials=3)
    tuned.save("best.json")
    blend: s2v.Blend = s2v.Blend(models=["ar", "sr"]).fit(train)
    s2v.tune_weight(blend, test)
    live = network.session().listen("a")
    songs: list[str | int] = live.next(k=5)["song"].to_list()
    scores: NDArray[np.float32] = network.score_after(songs)
    print(scores.max(), sorted(s2v.MODELS), s2v.make_model("vstan", {"k": 50}).next(["a"], 3), network.hidden + 1)
    return s2v.NextSongModel.load(network.save("network"))


def ratings(sessions: s2v.Sessions) -> float:
    table: s2v.Ratings = s2v.count_plays(sessions, days=1, unplayed=1)
    raters: list[s2v.RatingModel] = [s2v.TimeSVDpp(epochs=5), s2v.BiasedMF(), s2v.RRN()]
    print(sorted(s2v.RATERS), [rater.fit(table.before(6)).rate("ann", ["a", "b"], 6) for rater in raters])
    return raters[0].rmse(table.during(6))


def careful(path: str) -> s2v.Engine | None:
    try:
        return s2v.Engine.load(path)
    except s2v.Song2VecError as error:
        print(error)
        return None
