"""The command line: every command does its job, and every error is one sentence on stderr and exit code 2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import song2vec
from song2vec import Engine, Listens, SongVectors, classic_rock
from song2vec.cli.inspect import LISTENER, SONGS
from song2vec.core.config import settings_of
from song2vec.listens import READERS
from song2vec.models import MODELS
from song2vec.playlists.making import Sampling
from song2vec.playlists.rules import PlaylistRules
from song2vec.playlists.scoring import ScoreAdjustments
from tests.console import run
from tests.small import FOLK, METAL, engine, names_of, plays

MYKONOS = "Fleet Foxes - Mykonos"
QUICK = ("--epochs", 1, "--size", 8, "--workers", 1)
COMMANDS = ("train", "tune", "similar", "recommend", "next", "compare", "evaluate", "map", "info", "export", "formats", "demo")


@pytest.fixture
def console(capsys):
    """Runs ``song2vec`` with these arguments; one that fails must say so in one sentence."""

    def command(*arguments):
        outcome = run(capsys, *arguments)
        assert "Traceback" not in outcome.err
        return outcome

    return command


@pytest.fixture
def refused(console):
    """Runs a command that must be refused; gives the sentence."""

    def command(*arguments):
        outcome = console(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        last = outcome.err.splitlines()[-1]
        assert last.startswith("error: ")
        assert outcome.err.count("error: ") == 1
        return last.removeprefix("error: ")

    return command


@pytest.fixture
def misused(console):
    """Runs a command that must be refused for how it was typed; gives what it said."""

    def command(*arguments):
        outcome = console(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        return outcome.err

    return command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An engine that knows folk from metal, saved."""
    return engine().save(tmp_path_factory.mktemp("saved") / "music.s2v")


@pytest.fixture
def log(tmp_path):
    """The log it learned from, as CSV."""
    plays().write_csv(tmp_path / "plays.csv")
    return tmp_path / "plays.csv"


# train


def test_train_saves_an_engine_and_says_what_was_read_and_kept(console, log, tmp_path):
    done = console("train", log, "--out", tmp_path / "new.s2v", *QUICK, "--seed", 3, "--index", "exact", "--window", 2)
    assert done.code == 0
    assert done.err.splitlines() == [
        f"{log} (table): 960 rows read, 960 kept",
        "Sessions(120 sessions, 960 plays, 24 songs, 12 listeners): 960 of 960 plays kept",
    ]
    made = Engine.load(tmp_path / "new.s2v")
    assert done.out == f"{tmp_path / 'new.s2v'}: {made.info()}\n"
    learner = made.info().learner
    assert {key: learner[key] for key in ("epochs", "size", "workers", "seed", "window")} == {
        "epochs": 1,
        "size": 8,
        "workers": 1,
        "seed": 3,
        "window": 2,
    }
    assert made.info().index == "exact"


def test_train_passes_its_rules_on(console, log, tmp_path):
    done = console("train", log, "-o", tmp_path / "e", *QUICK, "--gap-minutes", 3, "--min-session-length", 1, "--min-song-plays", 2)
    assert "Sessions(960 sessions, 960 plays" in done.err
    assert "5 in sessions" not in done.err


def test_train_takes_columns_by_name(console, tmp_path):
    table = plays().select(who="listener", day=pl.col("time").dt.date(), clock=pl.col("time").dt.time(), by="artist", what="title")
    table.write_csv(tmp_path / "odd.csv")
    names = ("listener=who", "time=day,clock", "artist=by", "title=what")
    done = console("train", tmp_path / "odd.csv", "-o", tmp_path / "e", *QUICK, *(part for name in names for part in ("--column", name)))
    assert (done.code, Engine.load(tmp_path / "e").catalogue.plays.sum()) == (0, 960)


def test_train_writes_to_music_s2v_by_default(console, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert console("train", log.name, *QUICK).out.startswith("music.s2v: 24 songs")
    assert Engine.load("music.s2v").info().songs == 24


def test_train_replaces_an_older_engine(console, log, tmp_path):
    for size in (4, 6):
        assert console("train", log, "-o", tmp_path / "e", "--epochs", 1, "--workers", 1, "--size", size).code == 0
        assert Engine.load(tmp_path / "e").vectors.size == size


def test_train_learns_what_comes_next_on_request(console, log, tmp_path):
    done = console("train", log, "-o", tmp_path / "e", *QUICK, "--next-song", "markov")
    assert done.out.endswith(", markov for what comes next\n")
    assert Engine.load(tmp_path / "e").next_song.name == "markov"


def config(tmp_path, model, **settings):
    """A file of settings, as tune writes it."""
    path = tmp_path / "best.json"
    path.write_text(json.dumps({"song2vec": "settings", "version": 1, "model": model, "settings": settings}))
    return path


def test_train_takes_tuned_settings(console, log, tmp_path):
    path = config(tmp_path, "recent-popularity", half_life=0.25)
    assert console("train", log, "-o", tmp_path / "e", *QUICK, "--config", path).code == 0
    assert Engine.load(tmp_path / "e").next_song.settings == {"half_life": 0.25}


def test_train_takes_tuned_settings_of_the_vectors_too(console, log, tmp_path):
    learner = {"name": "word2vec", "settings": {"size": 5, "epochs": 1, "workers": 1, "seed": 4}}
    path = config(tmp_path, "nearest", decay=0.3, repeats=False, learner=learner)
    assert console("train", log, "-o", tmp_path / "e", "--config", path, "--epochs", 2).code == 0
    made = Engine.load(tmp_path / "e")
    assert {"size": 5, "epochs": 2, "seed": 4}.items() <= made.info().learner.items()
    assert made.next_song.settings == {"learner": "word2vec", "decay": 0.3, "repeats": False}
    assert made.next_song.unit_.tolist() == made.vectors.unit.tolist()


def test_train_takes_a_learner_by_name_and_one_that_was_tuned(console, log, tmp_path):
    quick = ("--epochs", 1, "--workers", 1, "--size", 4)
    assert console("train", log, "-o", tmp_path / "e", *quick, "--vectors", "doc2vec").code == 0
    assert Engine.load(tmp_path / "e").info().learner["name"] == "Doc2Vec"
    learner = {"name": "product2vec", "settings": {"size": 5, "epochs": 1, "workers": 1}}
    path = config(tmp_path, "nearest", decay=0.3, repeats=False, learner=learner)
    for chosen, size, name in (((), 5, "Product2Vec"), (("--vectors", "word2vec", *quick), 4, "Word2Vec")):
        assert console("train", log, "-o", tmp_path / "e", "--config", path, *chosen).code == 0
        made = Engine.load(tmp_path / "e")
        assert made.info().learner["name"] == name
        assert (made.vectors.size, made.next_song.unit_.shape[1]) == (size, 5)
    refused = console("train", log, "--vectors", "polka2vec")
    assert refused.code == 2
    assert "vectors='polka2vec': 'word2vec', " in refused.err


def test_train_sets_anything_of_the_learner_and_of_the_model(console, log, tmp_path):
    options = (
        "--set",
        "loss=negative-sampling",
        "--set",
        "subsample=0",
        "--set",
        "workers=null",
        "--next-song",
        "ar",
        "--set",
        "next_song.neighbours=7",
    )
    assert console("train", log, "-o", tmp_path / "e", *QUICK, *options).code == 0
    made = Engine.load(tmp_path / "e")
    assert {"loss": "negative-sampling", "subsample": 0, "size": 8}.items() <= made.info().learner.items()
    assert made.info().learner["workers"] is None
    assert made.next_song.settings["neighbours"] == 7


# tune


def test_tune_writes_settings_that_train_takes(console, log, tmp_path):
    options = (
        "--model",
        "recent-popularity",
        "--trials",
        3,
        "--metric",
        "mrr",
        "-k",
        5,
        "--seed",
        2,
        "--max-queries",
        50,
        "--validation",
        0.3,
    )
    done = console("tune", log, "--out", tmp_path / "best.json", *options)
    assert done.code == 0
    saved = json.loads((tmp_path / "best.json").read_text())
    assert done.err.splitlines()[-1].startswith(f"{tmp_path / 'best.json'}: recent-popularity, mrr@5 ")
    assert (saved["metric"], saved["k"], saved["trials"]) == ("mrr", 5, 3)
    for shown in ("Trials", "trial", "score", "half_life", "complete"):
        assert shown in done.out
    assert console("train", log, "-o", tmp_path / "e", *QUICK, "--config", tmp_path / "best.json").code == 0
    assert Engine.load(tmp_path / "e").next_song.settings == saved["settings"]


def test_tune_goes_on_with_a_study(console, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ("tune", log, "--model", "recent-popularity", "--study", "study", "--json")
    first = console(*command, "--trials", 2).json
    assert console(*command, "--trials", 3).json[:2] == first
    assert [row["trial"] for row in first] == [0, 1]
    assert json.loads(Path("best.json").read_text())["model"] == "recent-popularity"


# next


def test_next_says_what_comes_next(console, log, folder, tmp_path):
    console("train", log, "-o", tmp_path / "e", *QUICK, "--next-song", "markov")
    found = console("next", tmp_path / "e", "joga", "mykonos", "-k", 4, "--exclude", "pink moon", "--json").json
    assert found == Engine.load(tmp_path / "e").next(["joga", "mykonos"], 4, exclude=["pink moon"]).to_dicts()
    assert [*found[0]] == ["song", "artist", "title", "score"]
    shown = console("next", folder, "mykonos", "-k", 3).out  # an engine without a model says what is near
    assert f"What comes after {MYKONOS}" in shown
    assert all(row["title"] in shown for row in Engine.load(folder).next("mykonos", 3).to_dicts())


# compare, evaluate


def test_compare_sets_models_beside_each_other(console, log):
    done = console("compare", log, "--model", "popularity", "--model", "markov", "--baseline", "popularity", "-k", 5)
    assert done.code == 0
    for shown in ("popularity", "markov", "recall@5", "less popularity"):
        assert shown in done.out
    said = done.err.splitlines()
    assert said[2].startswith("train Sessions(113 sessions, ")
    assert said[3].startswith("test Sessions(7 sessions, 56 plays, ")
    assert said[3].endswith("56 of 56 plays kept")


@pytest.mark.parametrize(
    ("options", "sessions"),
    [
        (("--split", "time", "--test-days", 19.5), 20),
        (("--split", "last-session"), 12),
        (("--split", "listener", "--test-share", 0.25), 30),
        (("--split", "random", "--test-share", 0.1, "--seed", 3), 12),
        ((), 7),
    ],
)
def test_compare_holds_out_sessions_as_told(console, log, options, sessions):
    done = console("compare", log, "--model", "popularity", *options, "--json")
    assert f"test Sessions({sessions} sessions, " in done.err
    assert [row["model"] for row in done.json] == ["popularity"]
    assert 0 <= done.json[0]["recall_low"] <= done.json[0]["recall"] <= done.json[0]["recall_high"] <= 1


def test_compare_tests_on_another_log_and_takes_settings(console, log, tmp_path):
    extra = plays().head(16).with_columns(title=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("Unheard")).otherwise("title"))
    extra.write_csv(tmp_path / "test.csv")
    done = console(
        "compare", log, "--model", config(tmp_path, "recent-popularity", half_life=0.5), "--test", tmp_path / "test.csv", "--json"
    )
    assert [row["model"] for row in done.json] == ["recent-popularity"]
    assert "15 of 16 plays kept (dropped: 1 of songs that training never plays)" in done.err


@pytest.mark.parametrize(
    ("ending", "begin"),
    [("json", b"{"), ("csv", b"model,"), ("md", b""), ("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("CSV", b"model")],
)
def test_compare_writes_what_it_found(console, log, tmp_path, ending, begin):
    path = tmp_path / f"found.{ending}"
    done = console("compare", log, "--model", "popularity", "--model", "markov", "-o", path)
    assert (done.code, done.err.splitlines()[-1]) == (0, str(path))
    assert path.read_bytes().startswith(begin)
    assert len(path.read_bytes()) > 100


def test_evaluate_judges_the_model_of_an_engine(console, log, tmp_path):
    console("train", log, "-o", tmp_path / "e", *QUICK, "--next-song", "markov")
    done = console("evaluate", tmp_path / "e", log, "-k", 5, "--json")
    figures = {row["metric"]: row for row in done.json}
    assert figures["recall"]["low"] < figures["recall"]["value"] < figures["recall"]["high"]
    assert figures["coverage"]["low"] is None
    assert done.err.splitlines()[-1].startswith("Evaluation(markov: recall@5 ")
    shown = console("evaluate", tmp_path / "e", log).out
    assert "markov, lists of 20" in shown
    assert "recall" in shown


def test_evaluate_judges_the_vectors_of_an_engine_without_a_model(console, log, folder, tmp_path):
    engine = Engine.load(folder)
    figures = {row["metric"]: row["value"] for row in console("evaluate", folder, log, "-k", 11, "--json").json}
    assert figures["recall"] > 0.95  # 11 songs of the same genre, and 8 in a session
    plays().head(8).write_csv(tmp_path / "few.csv")
    assert console("evaluate", folder, tmp_path / "few.csv", "-k", 11).code == 0  # all songs of the engine are ranked
    assert len(engine.catalogue) == 24


# similar


def test_similar_lists_songs_of_a_kind(console, folder):
    done = console("similar", folder, "mykonos", "-k", 5, "--json")
    assert [*done.json[0]] == ["song", "artist", "title", "cosine"]
    assert {row["song"] for row in done.json} < set(names_of(FOLK)) - {MYKONOS}
    assert [row["cosine"] for row in done.json] == sorted((row["cosine"] for row in done.json), reverse=True)
    assert (done.code, done.err) == (0, "")
    assert done.json == Engine.load(folder).similar(MYKONOS, 5).to_dicts()


def test_similar_prints_a_table_for_people(console, folder):
    done = console("similar", folder, "mykonos", "-k", 3)
    lines = done.out.splitlines()
    assert lines[0].strip() == f"Songs like {MYKONOS}"
    assert len(lines) == 1 + 3 + 3 + 1
    for name in ("artist", "title", "cosine"):
        assert name in lines[2]
    for row, line in zip(Engine.load(folder).similar(MYKONOS, 3).to_dicts(), lines[4:], strict=False):
        assert row["title"] in line
        assert f"{row['cosine']:.3f}" in line


def test_similar_takes_several_songs_and_all_filters(console, folder):
    options = ("--unlike", "sandman", "--not-by", "feist", "--not-by", "BJÖRK", "--max-per-artist", 2)
    found = console("similar", folder, "mykonos", "pink moon", *options, "--k", 50, "--json").json
    expected = Engine.load(folder).similar(["mykonos", "pink moon"], 50, unlike="sandman", not_by=["feist", "björk"], max_per_artist=2)
    assert found == expected.to_dicts()
    assert len(found) == 6 * 2


def test_similar_gives_all_there_are_when_k_is_larger(console, folder):
    assert len(console("similar", folder, "mykonos", "-k", 1000, "--json").json) == 23


def test_names_are_shown_as_they_are(console, tmp_path):
    artists, titles = ["[red]Can[/red]", "Low [/x]", "Björk :fire:"], ["[bold]", ":heart: [live]", "100% \\[x]"]
    catalogue = song2vec.Catalogue(["a", "b", "c"], [3, 2, 1], artists, titles)
    Engine(SongVectors(np.eye(3), catalogue)).save(tmp_path / "odd [old].s2v")
    done = console("similar", tmp_path / "odd [old].s2v", "a", "-k", 2)
    for name in [*artists, *titles]:
        assert name in done.out
    assert "'[red]Can[/red] - [bold]'" in console("similar", tmp_path / "odd [old].s2v", "red bold live").err
    exported = console("export", tmp_path / "odd [old].s2v", "-o", tmp_path / "v [old].txt")
    assert exported.out.startswith(f"{tmp_path / 'v [old].txt'}: ")


def test_songs_with_integer_ids_and_names_are_shown_with_both(console, tmp_path):
    catalogue = song2vec.Catalogue([7, 8, 9], [3, 2, 1], ["Low", "Can", "Wilco"], ["Monkey", "Vitamin C", "Jesus, Etc."])
    Engine(SongVectors(np.eye(3), catalogue)).save(tmp_path / "e")
    done = console("similar", tmp_path / "e", "7", "-k", 2)
    assert "Songs like Low - Monkey" in done.out
    for shown in ("song", "8", "9", "Can", "Vitamin C"):
        assert shown in done.out


def test_songs_without_names_are_shown_by_id(console, tmp_path):
    Engine(SongVectors(np.eye(3), ["a", "b", "c"])).save(tmp_path / "e")
    assert console("similar", tmp_path / "e", "a", "-k", 2, "--json").json == [{"song": "b", "cosine": 0.0}, {"song": "c", "cosine": 0.0}]
    assert "Songs like a" in console("similar", tmp_path / "e", "a").out


# recommend


def test_recommend_takes_songs(console, folder):
    found = console("recommend", folder, "mykonos", "joga", "-k", 4, "--json").json
    assert [*found[0]] == ["song", "artist", "title", "cosine", "because"]
    assert {row["song"] for row in found} < set(names_of(FOLK))
    assert {row["because"] for row in found} <= {MYKONOS, "Björk - Jóga"}


def test_recommend_names_the_reason(console, folder):
    done = console("recommend", folder, "mykonos", "-k", 2)
    assert "because" in done.out
    assert done.out.count("Fleet Foxes") >= 2


def test_recommend_takes_a_log_of_one_listener(console, folder, tmp_path):
    own = plays().filter(pl.col("listener") == "listener 0")
    own.write_csv(tmp_path / "own.csv")
    found = console("recommend", folder, "--log", tmp_path / "own.csv", "-k", 30, "--json", "--with-history").json
    assert [row["song"] for row in found] == Engine.load(folder).recommend(own, 30, exclude_history=False)["song"].to_list()
    unheard = console("recommend", folder, "--log", tmp_path / "own.csv", "-k", 30, "--json").json
    played = {f"{artist} - {title}" for artist, title in own.select("artist", "title").iter_rows()}
    assert {row["song"] for row in unheard} == {*names_of(FOLK), *names_of(METAL)} - played


def test_recommend_takes_one_listener_of_a_log_and_the_age_of_plays(console, folder, log):
    options = (
        "--log",
        log,
        "--listener",
        "listener 3",
        "--with-history",
        "--half-life-days",
        2,
        "--max-per-artist",
        1,
        "--not-by",
        "slayer",
    )
    found = console("recommend", folder, *options, "-k", 5, "--json").json
    own = plays().filter(pl.col("listener") == "listener 3")
    rules = {"exclude_history": False, "max_per_artist": 1, "not_by": ["Slayer"]}
    expected = Engine.load(folder).recommend(own, 5, half_life_days=2, **rules)
    assert found == expected.drop("because_cosine").to_dicts()


def test_recommend_passes_over_songs_the_engine_does_not_know(console, folder, tmp_path):
    history = pl.concat([plays().head(3), plays().head(2).with_columns(artist=pl.lit("Nobody"))])
    history.write_csv(tmp_path / "own.csv")
    assert len(console("recommend", folder, "--log", tmp_path / "own.csv", "-k", 4, "--json").json) == 4


# map


@pytest.mark.parametrize(("ending", "begin"), [("png", b"\x89PNG\r\n"), ("html", b"<!doctype html>"), ("svg", b"<?xml"), ("csv", b"song,")])
def test_map_draws(console, folder, tmp_path, ending, begin):
    path = tmp_path / f"map.{ending}"
    done = console("map", folder, "-o", path)
    assert (done.code, done.out) == (0, f"{path}: SongMap(24 songs, sklearn, coloured by artist)\n")
    content = path.read_bytes()
    assert content[: len(begin)].lower() == begin.lower()
    if ending == "html":
        assert "Mykonos" in content.decode()


def test_map_takes_the_most_played_songs_only(console, folder, tmp_path):
    assert "SongMap(12 songs" in console("map", folder, "-o", tmp_path / "map.csv", "--max-songs", 12, "--seed", 1).out
    assert pl.read_csv(tmp_path / "map.csv").height == 12


# info, export, formats, demo


def test_info_tells_what_an_engine_is_made_of(console, folder):
    facts = console("info", folder, "--json").json
    assert facts == vars(Engine.load(folder).info())
    table = console("info", folder).out
    for fact in ("songs", "24", "plays", "960", "size", "recall", "1.000", "annoy", "name=Word2Vec", "epochs=8"):
        assert fact in table


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vectors.txt", ()),
        ("vectors.vec", ()),
        ("vectors.bin", ()),
        ("vectors.npz", ()),
        ("vectors.parquet", ()),
        ("projector", ()),
        ("text.dat", ("--format", "word2vec-text")),
        ("binary.dat", ("--format", "word2vec-binary")),
        ("numpy.dat", ("--format", "numpy")),
        ("parquet.dat", ("--format", "parquet")),
        ("projector.dat", ("--format", "projector")),
    ],
)
def test_export_writes_what_can_be_read_again(console, folder, tmp_path, name, options):
    done = console("export", folder, "--out", tmp_path / name, *options)
    assert (done.code, done.out) == (0, f"{tmp_path / name}: SongVectors(24 songs, size 8)\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    vectors = Engine.load(folder).vectors
    again = SongVectors.read(tmp_path / name, *options[1:])
    assert again.catalogue == vectors.catalogue
    np.testing.assert_allclose(again.matrix, vectors.matrix, rtol=1e-5)


def test_formats_lists_every_reader(console):
    found = console("formats", "--json").json
    assert [row["format"] for row in found] == list(READERS)
    assert all(row["what"] and row["looks like"] for row in found)
    table = console("formats").out
    assert all(name in table for name in READERS)


def test_models_lists_every_model_with_its_settings(console):
    found = {row["model"]: row for row in console("models", "--json").json}
    assert list(found) == list(MODELS)
    assert all(row["what"].endswith(".") for row in found.values())
    assert found["sr"]["settings"] == "neighbours=100, decay=0.0, steps=10"


def test_demo_does_the_main_job(console, tmp_path, monkeypatch):
    log = classic_rock()
    half = log.table.filter(pl.col("time") < log.table["time"].min() + timedelta(days=4))  # it has all songs asked for, and is faster
    monkeypatch.setattr("song2vec.cli.inspect.classic_rock", lambda: Listens(half, log.report))
    done = console("demo", "-o", tmp_path / "demo")
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["classic_rock.s2v", "map.html", "map.png"]
    assert Engine.load(tmp_path / "demo" / "classic_rock.s2v").info().songs > 200
    for song in SONGS:
        assert f"Songs like {song}" in done.out
    assert f"For a listener of {', '.join(LISTENER)}" in done.out
    assert "because" in done.out
    assert "map.html: SongMap(" in done.out


# Errors: one sentence


@pytest.mark.parametrize("command", ["similar", "recommend", "next", "evaluate", "info", "map", "export"])
def test_a_missing_engine_is_refused(refused, tmp_path, command):
    songs = ("mykonos",)
    more = {"similar": songs, "recommend": songs, "next": songs, "evaluate": ("log.csv",), "export": ("-o", tmp_path / "v.txt")}.get(
        command, ()
    )
    assert refused(command, tmp_path / "none.s2v", *more) == f"{tmp_path / 'none.s2v'}: no such folder"
    (tmp_path / "file").write_text("x")
    assert refused(command, tmp_path / "file", *more).startswith(f"{tmp_path / 'file'}: is a file")
    assert "has no manifest.json" in refused(command, tmp_path, *more)


def test_a_corrupt_engine_is_refused(refused, folder, tmp_path):
    for damaged in sorted(path.name for path in folder.iterdir()):
        copy = shutil.copytree(folder, tmp_path / damaged / "engine")
        (copy / damaged).write_bytes((copy / damaged).read_bytes()[:-3])
        assert damaged in refused("similar", copy, "mykonos")
        assert damaged in refused("info", copy)


def test_a_missing_log_is_refused(refused, tmp_path, folder):
    assert refused("train", tmp_path / "none.csv") == f"{tmp_path / 'none.csv'}: no such file or folder"
    assert refused("recommend", folder, "--log", tmp_path / "none.csv") == f"{tmp_path / 'none.csv'}: no such file or folder"


@pytest.mark.parametrize("content", ["", "dear diary\n", "\x00\x01\x02", "a,b\n1,2\n", "{}"])
@pytest.mark.parametrize("name", ["log.csv", "log.json", "log.xyz"])
def test_a_log_in_an_unknown_format_is_refused(refused, folder, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert refused("train", tmp_path / name).startswith(f"{tmp_path / name}: ")
    assert refused("recommend", folder, "--log", tmp_path / name).startswith(f"{tmp_path / name}: ")


def test_an_unknown_song_is_refused_with_the_nearest(refused, folder):
    sentence = refused("similar", folder, "fleet foxes mikanose")
    assert sentence.startswith("no song is called 'fleet foxes mikanose'; did you mean 'Fleet Foxes - Mykonos'")
    for command in (("similar", "mykonos", "--unlike", "nobody knows"), ("recommend", "mykonos", "nobody knows")):
        assert "'nobody knows'" in refused(command[0], folder, *command[1:])


def test_an_ambiguous_song_is_refused_with_the_candidates(refused, folder):
    sentence = refused("similar", folder, "slayer")
    assert sentence.startswith("'slayer' fits 3 songs: ")
    assert all(f"'{song}'" in sentence for song in names_of(METAL) if song.startswith("Slayer"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("similar", "mykonos", "-k", 0), "k=0: a whole number from 1 is allowed"),
        (("recommend", "mykonos", "-k", -3), "k=-3: a whole number from 1 is allowed"),
        (("similar", "mykonos", "--max-per-artist", 0), "max_per_artist=0: a whole number from 1 is allowed"),
        (("similar", "mykonos", "--not-by", "Nobody"), "not_by: unknown artist 'Nobody'; the nearest are "),
        (("recommend",), "recommend: give songs, or --log FILE, one of the two"),
        (("recommend", "mykonos", "--log", "x.csv"), "recommend: give songs, or --log FILE, one of the two"),
        (("recommend", "mykonos", "--listener", "ann"), "--listener 'ann': goes with --log FILE"),
        (("recommend", "mykonos", "--half-life-days", 3), "half_life_days: needs a listens table with times"),
        (("map", "-o", "map.bmp"), "path='map.bmp' ends in '.bmp'; .png, .svg"),
        (("map", "-o", "map.png", "--max-songs", 0), "max_songs=0: a whole number from 1"),
        (("map", "-o", "map.png", "--seed", -1), "seed=-1: a whole number from 0"),
        (("export", "-o", "vectors.xyz"), "vectors.xyz: ending '.xyz': word2vec-text, "),
        (("export", "-o", "vectors.txt", "--format", "xyz"), "format='xyz': word2vec-text, "),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(refused, folder, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    name, *more = arguments
    assert refused(name, folder, *more).startswith(message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--column", "song"), "--column 'song': NAME=VALUE is allowed"),
        (("--column", "song="), "--column 'song=': NAME=VALUE is allowed"),
        (("--column", "song=colour"), "columns={'song': 'colour'}: the log's columns are listener, time, artist, title"),
        (("--column", "colour=title"), "columns={'colour': ...}: listener, song, time"),
        (("--format", "xyz"), "format='xyz': 'auto', 'spotify-extended'"),
        (("--format", "lme"), ""),
        (("--gap-minutes", 0), "gap_minutes=0"),
        (("--min-song-plays", 0), "min_song_plays=0"),
        (("--min-song-plays", 1000), "no session is left of 960 plays"),
        (("--epochs", 0), "epochs=0: a whole number from 1"),
        (("--size", 0), "size=0: a whole number from 1"),
        (("--window", 0), "window=0: a whole number from 1"),
        (("--workers", 0), "workers=0: a whole number from 1"),
        (("--index", "anoy"), "index='anoy': 'annoy', 'exact', 'hnsw', 'auto' are allowed; did you mean 'annoy'?"),
        (("--set", "loss"), "--set 'loss': NAME=VALUE is allowed, as loss=negative-sampling, and next_song.hidden=64"),
        (("--set", "los=softmax"), "los: not a setting of word2vec; "),
        (("--set", "loss=softmax"), "loss='softmax': "),
        (("--set", "next_song.decay=0.5"), "--set next_song.decay: goes with --next-song NAME or --config FILE"),
        (("--next-song", "ar", "--set", "next_song.x=1"), "x: not a setting of AssociationRules; neighbours, decay are allowed"),
        (("--next-song", "ar", "--set", "next_song.decay.x=1"), "decay: not a setting of AssociationRules that has settings of its own"),
        (("--next-song", "nearest", "--set", "next_song.learner.x=1"), "x: not a setting of Word2Vec; "),
        (("--seed", -1), "seed=-1: a whole number from 0"),
    ],
)
def test_a_log_that_cannot_be_learned_from_so_is_refused(refused, log, tmp_path, options, message):
    assert refused("train", log, "-o", tmp_path / "e", *options).startswith(message)
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--next-song", "polka"), "next_song='polka': 'popularity', "),
        (("train", "--next-song", "markov", "--config", "x.json"), "train: give --next-song NAME or --config FILE, one of the two"),
        (("train", "--config", "none.json"), "none.json: No such file"),
        (("train", "--config", "plays.csv"), "plays.csv: is no JSON"),
        (("tune", "--model", "polka"), "model='polka': 'popularity', "),
        (("tune", "--model", "markov"), "model=MarkovChain(): has no setting to tune"),
        (("tune", "--model", "recent-popularity", "--trials", 0), "trials=0: a whole number from 1"),
        (("tune", "--model", "recent-popularity", "--validation", 2), "test=2.0: a number above 0 to 1"),
        (("tune", "--model", "recent-popularity", "--study", "plays.csv"), "plays.csv: is a file"),
        (("compare", "--model", "polka"), "model='polka': 'popularity', "),
        (("compare", "--model", "none.json"), "none.json: No such file"),
        (("compare", "--model", "markov", "--baseline", "polka"), "--baseline 'polka': 'markov'"),
        (("compare", "--model", "markov", "--out", "x.bmp"), "--out x.bmp: ends in '.bmp'; .json, .csv, .md, .png, .svg, .pdf are allowed"),
        (("compare", "--model", "markov", "--test-days", 0), "test_days=0.0: a number above 0"),
        (("compare", "--model", "markov", "--test-share", 0.3), "--test-share: belongs to --split listener"),
        (("compare", "--model", "markov", "--split", "random", "--test-days", 3), "--test-days: belongs to --split time"),
        (("compare", "--model", "markov", "--test-days", 999), "test_days=999.0: leaves no session to train on"),
        (("compare", "--model", "markov", "--split", "random", "--test-share", 1), "test=1.0 of "),
        (("compare", "--model", "markov", "--split", "random", "--test", "x.csv"), "compare: give --split or --test FILE, one of the two"),
        (("compare", "--model", "markov", "--test", "none.csv"), "none.csv: no such file or folder"),
        (("compare", "--model", "markov", "-k", 0), "k=0: a whole number from 1"),
        (("compare", "--model", "markov", "-o", "none/table.csv"), "none: no such folder"),
        (("tune", "--model", "recent-popularity", "-o", "none/best.json"), "none: no such folder"),
    ],
)
def test_a_model_that_cannot_be_judged_so_is_refused(refused, log, monkeypatch, arguments, message):
    monkeypatch.chdir(log.parent)
    name, *more = arguments
    assert refused(name, log.name, *more).startswith(message)
    assert [path.name for path in log.parent.iterdir()] == ["plays.csv"]


def test_a_log_of_other_songs_is_no_test_of_an_engine(refused, folder, tmp_path):
    plays().head(8).with_columns(artist=pl.lit("Nobody")).write_csv(tmp_path / "own.csv")
    assert "leaves nothing to ask" in refused("evaluate", folder, tmp_path / "own.csv")


def test_a_log_of_several_listeners_asks_for_one(refused, folder, log):
    some = "'listener 0', 'listener 1', 'listener 10', 'listener 11', 'listener 2', ..."
    assert refused("recommend", folder, "--log", log) == f"--log {log}: choose one --listener of {some}"
    assert refused("recommend", folder, "--log", log, "--listener", "ann") == f"--listener 'ann': is not among {some}"


def test_a_log_of_songs_the_engine_does_not_know_is_refused(refused, folder, tmp_path):
    plays().head(5).with_columns(artist=pl.lit("Nobody")).write_csv(tmp_path / "own.csv")
    assert refused("recommend", folder, "--log", tmp_path / "own.csv").startswith("history: none of its 5 plays")


def test_what_is_no_engine_is_not_written_over(refused, log, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("dear diary")
    assert "is not empty and not a saved engine" in refused("train", log, "-o", tmp_path / "notes", *QUICK)
    assert (tmp_path / "notes" / "diary.txt").read_text() == "dear diary"


def test_a_folder_that_cannot_be_made_is_refused(refused, log, folder, tmp_path):
    (tmp_path / "file").write_text("x")
    assert refused("train", log, "-o", tmp_path / "file" / "e", *QUICK).startswith(f"{tmp_path / 'file' / 'e'}: ")
    for command in (("map", "map.csv"), ("export", "v.txt"), ("export", "v.parquet")):
        assert refused(command[0], folder, "-o", tmp_path / "none" / command[1]) == f"{tmp_path / 'none'}: no such folder"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to this user")
def test_a_folder_that_is_closed_is_refused(refused, log, folder, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "Permission denied" in refused("train", log, "-o", closed / "e", *QUICK)
    assert "Permission denied" in refused("export", folder, "-o", closed / "v.txt")
    assert "Permission denied" in refused("map", folder, "-o", closed / "map.csv")


@pytest.mark.parametrize("command", ["train", "export", "map"])
def test_a_disk_that_fails_is_refused(refused, log, folder, tmp_path, monkeypatch, command):
    def denied(*_):
        raise OSError(28, "No space left on device", "some/file")

    monkeypatch.setattr(os, "fsync", denied)
    arguments = {"train": (log, *QUICK), "export": (folder, "--format", "numpy"), "map": (folder,)}
    assert refused(command, *arguments[command], "-o", tmp_path / "new.csv") == "some/file: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["plays.csv"]


# Typed wrongly


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dance",), "No such command 'dance'"),
        (("similar",), "Missing argument"),
        (("similar", "e"), "Missing argument"),
        (("similar", "e", "mykonos", "-k", "many"), "'many'|valid integer"),
        (("similar", "e", "mykonos", "--colour", "red"), "No such option"),
        (("export", "e"), "Missing option"),
        (("tune", "log.csv"), "Missing option"),
        (("compare", "log.csv"), "Missing option"),
        (("compare", "log.csv", "--model", "markov", "--split", "luck"), "'luck' is not one of|Invalid value for '--split'"),
        (("next", "e"), "Missing argument"),
        (("--colour",), "No such option"),
    ],
)
def test_a_command_typed_wrongly_is_refused_with_its_usage(misused, arguments, message):
    said = misused(*arguments)
    assert "Usage:" in said
    assert any(part in said for part in message.split("|"))


def test_version_is_the_package_s(console):
    assert console("--version").out == f"song2vec {song2vec.__version__}\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_explains_every_command(console, command):
    done = console(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert "Usage:" in done.out
    assert "--help" in done.out


def test_without_arguments_the_commands_are_listed(console):
    done = console()
    for name in COMMANDS:
        assert f"  {name} " in done.out + done.err


# As its own process


def shell(*arguments, **environment):
    """``python -m song2vec.cli`` in a process of its own."""
    command = [sys.executable, "-m", "song2vec.cli", *map(str, arguments)]
    source = str(Path(song2vec.__file__).parents[1])
    return subprocess.run(command, capture_output=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": source, **environment})


def test_works_as_a_process_of_its_own(folder, tmp_path):
    good = shell("similar", folder, "pink moon", "--json", "-k", 23, PYTHONIOENCODING="ascii")
    assert (good.returncode, good.stderr) == (0, b"")
    assert len(json.loads(good.stdout)) == 23
    assert "Björk - Jóga" in [row["song"] for row in json.loads(good.stdout)]
    plays().head(3).with_columns(title=pl.lit(None, pl.String)).write_csv(tmp_path / "log.csv")
    bad = shell("train", tmp_path / "log.csv")
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert bad.stderr.decode().splitlines()[-1].startswith(f"error: {tmp_path / 'log.csv'}: no usable row among 3")


def test_a_terminal_that_cannot_write_a_name_shows_the_rest(folder):
    table = shell("similar", folder, "pink moon", "-k", 23, PYTHONIOENCODING="ascii")
    assert (table.returncode, table.stderr) == (0, b"")
    assert b"Bj?rk" in table.stdout


# playlist and bridge


def test_playlist_goes_on_from_songs_and_is_saved(console, folder, tmp_path):
    shown = console("playlist", folder, "mushaboom", "-n", 4, "--artist-gap", 1, "--json")
    assert shown.code == 0
    assert len(json.loads(shown.out)) == 4
    assert {"score", "because", "because_cosine"} <= set(json.loads(shown.out)[0])
    path = tmp_path / "mix.m3u"
    assert console("playlist", folder, "mushaboom", "-n", 4, "-o", path).code == 0
    assert path.read_text(encoding="utf-8").startswith("#EXTM3U")
    path.unlink()
    both = console("playlist", folder, "mushaboom", "-n", 4, "--artist-gap", 1, "--json", "-o", path)
    assert json.loads(both.out) == json.loads(shown.out)
    assert path.exists()


def test_playlist_tells_people_why_by_name(console, folder):
    table = console("playlist", folder, "mushaboom", "-n", 1).out
    assert "because" in table
    assert table.count("Mushaboom") == 1


def test_options_of_drawing_go_with_drawing(refused, console, folder):
    for option, value in (("--temperature", 0.9), ("--seed", 3)):
        assert f"{option} {value}: goes with --method sample" in refused("playlist", folder, "mushaboom", option, value)
        assert console("playlist", folder, "mushaboom", "-n", 3, "--method", "sample", option, value).code == 0
    assert "seed=-1" in refused("playlist", folder, "mushaboom", "--method", "sample", "--seed", -1)


def test_settings_are_options_with_their_lines_of_help(console, folder):
    shown = " ".join(console("playlist", "--help").out.split())
    for group in (PlaylistRules, ScoreAdjustments, Sampling):
        for name, (_, _, text) in settings_of(group).items():
            assert f"--{name.replace('_', '-')}" in shown
            assert text[1:] in shown
    greedy = console("playlist", folder, "mushaboom", "-n", 5, "--json").json
    assert console("playlist", folder, "mushaboom", "-n", 5, "--json", "--method", "sample", "--top-k", 1).json == greedy


def test_somebody_is_known_by_their_log(refused, console, folder, log):
    several = refused("next", folder, "mushaboom", "--log", log)
    listener = several.split("choose one --listener of '")[1].split("'")[0]
    theirs = "--log", log, "--listener", listener
    assert len(console("next", folder, "mushaboom", "-k", 3, "--json", *theirs).json) == 3
    alone = console("playlist", folder, "mushaboom", "-n", 5, "--json").json
    assert console("playlist", folder, "mushaboom", "-n", 5, "--json", *theirs).json != alone
    assert console("playlist", folder, "mushaboom", "-n", 5, "--json", *theirs, "--listener-weight", 0).json == alone
    assert len(console("bridge", folder, "mushaboom", "mykonos", "-n", 4, "--json", *theirs).json) == 4
    assert "listener='nobody': nearest learned nothing of them" in refused("next", folder, "mushaboom", "--listener", "nobody")


def test_playlist_says_when_songs_run_out(refused, console, folder):
    assert "only 23 found" in refused("playlist", folder, "mushaboom", "-n", 99)
    assert len(json.loads(console("playlist", folder, "mushaboom", "-n", 99, "--shorter", "--json").out)) == 23
    assert len(json.loads(console("playlist", folder, "mushaboom", "-n", 99, "--repeat-gap", 5, "--json").out)) == 99


def test_bridge_leads_from_one_song_to_another(console, folder):
    songs = json.loads(console("bridge", folder, "mushaboom", "battery", "-n", 5, "--json").out)
    assert [songs[0]["title"], songs[-1]["title"], len(songs)] == ["Mushaboom", "Battery", 5]
