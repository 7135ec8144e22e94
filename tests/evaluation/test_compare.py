"""Comparisons: the same queries for all, labels that differ, and figures that arrive in every form."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.evaluation import compare, evaluate
from song2vec.models import MarkovChain, Nearest, Popularity
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_predefined
from song2vec.vectors import SongVectors
from tests.evaluation.toys import Fixed, OutOfOrder, halves, random_log

TRAIN, TEST = halves(random_log(400))
QUIET = {"progress": False, "timed": 5, "resamples": 200}


@pytest.fixture(scope="module")
def found():
    return compare([Popularity().fit(TRAIN), MarkovChain().fit(TRAIN)], TEST, k=5, baseline="popularity", **QUIET)


def test_the_table_has_what_evaluate_and_the_models_say(found):
    alone = evaluate(MarkovChain().fit(TRAIN), TEST, k=5)
    row = found.table.row(1, named=True)
    assert row["model"] == "markov"
    assert alone.metrics() == pytest.approx({name: row[name] for name in alone.metrics()}, nan_ok=True)
    for name, bounds in alone.intervals(200).items():
        assert (row[f"{name}_low"], row[f"{name}_high"]) == (pytest.approx(bounds.low), pytest.approx(bounds.high))
    assert "coverage_low" not in row
    assert (row["songs"], row["bytes"]) == (30, MarkovChain().fit(TRAIN).nbytes)
    assert min(row["fit_seconds"], row["queries_per_second"], row["p50_ms"], row["p99_ms"]) > 0


def test_differences_are_to_the_baseline_and_paired(found):
    assert found.differences["model"].to_list() == ["markov"]
    row, (base, other) = found.differences.row(0, named=True), found.table.to_dicts()
    assert row["mrr"] == pytest.approx(other["mrr"] - base["mrr"])
    assert 0 < row["mrr_low"] < row["mrr"] < row["mrr_high"]
    assert "repeat_share" not in row


def test_a_model_does_not_differ_from_itself():
    models = {"one": MarkovChain().fit(TRAIN), "other": OutOfOrder().fit(TRAIN)}
    row = compare(models, TEST, baseline="one", **QUIET).differences.row(0, named=True)
    assert {value for name, value in row.items() if name != "model"} == {0.0}


def test_without_a_baseline_there_are_no_differences():
    assert compare([Popularity().fit(TRAIN)], TEST, **QUIET).differences is None


def test_a_baseline_alone_differs_from_nobody():
    alone = compare([Popularity().fit(TRAIN)], TEST, baseline="popularity", **QUIET)
    assert alone.differences.height == 0
    assert all(show() for show in (alone.__repr__, alone._repr_html_, alone.to_markdown, alone._json))


@pytest.mark.parametrize("order", [1, -1])
def test_models_that_know_other_songs_are_asked_the_same(order):
    few = Sessions.from_lists([[song for song in session if song < 20] for session in TRAIN])
    models = [MarkovChain().fit(few), MarkovChain().fit(TRAIN)]
    found = compare(models[::order], TEST, **QUIET)
    one, other = found.evaluations.values()
    assert one.catalogue.songs(one.targets) == other.catalogue.songs(other.targets)
    assert one.dropped == other.dropped
    assert one.dropped.plays == sum(song >= 20 for session in TEST for song in session)
    assert found.table["songs"].to_list() == [20, 30][::order]
    assert "queries dropped" in repr(found)


def test_labels_are_told_apart_by_what_differs():
    models = [Fixed(scores=(1.0,) * 30).fit(TRAIN), Fixed(scores=(2.0,) * 30).fit(TRAIN), *(MarkovChain().fit(TRAIN) for _ in range(3))]
    labels = compare(models, TEST, **QUIET).table["model"].to_list()
    assert labels == [f"fixed(scores={[1.0] * 30})", f"fixed(scores={[2.0] * 30})", "markov", "markov 2", "markov 3"]
    vectors = SongVectors(np.eye(30, dtype=np.float32), TRAIN.catalogue)
    named = ("product2vec", "word2vec", {"name": "word2vec", "settings": {"window": 2}})
    near = [Nearest(learner=learner).fit(TRAIN, vectors=vectors) for learner in named]
    labels = compare(near, TEST, **QUIET).table["model"].to_list()
    assert labels == ["nearest(learner='product2vec')", *(f"nearest(learner='word2vec', learner.window={size})" for size in (3, 2))]


def test_what_is_not_known_is_null(tmp_path):
    log = Sessions.from_lists([["a", "b", "c"]] * 3)  # nothing repeats
    loaded = MarkovChain().fit(log)
    loaded.fit_seconds_ = None
    found = compare([loaded], log, progress=False, timed=0)
    row = found.table.row(0, named=True)
    assert (row["repeat_recall"], row["fit_seconds"], row["p50_ms"]) == (None, None, None)
    assert json.loads(found.save(tmp_path / "c.json").read_text())["models"][0]["repeat_recall"] is None
    assert " - " in repr(found)
    found.plot()


def test_it_shows_itself(found):
    lines = repr(found).splitlines()
    assert max(map(len, lines)) <= 130
    assert lines[0].startswith(f"{len(found.evaluations['markov']):,} queries of 200 test sessions")
    assert lines[2].split()[:2] == ["model", "recall@5"]
    assert [line.split()[0] for line in lines[3:5]] == ["popularity", "markov"]
    assert "less popularity:" in lines
    assert f"{found.table['mrr'][1]:.4f}" in lines[4]


def test_labels_are_text_not_markup():
    found = compare({"<b>a|b</b>": Popularity().fit(TRAIN)}, TEST, **QUIET)
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;a|b" in found._repr_html_()
    assert "| <b>a\\|b</b> |" in found.to_markdown()


def test_markdown_has_a_row_a_model_and_a_cell_a_heading(found):
    table = [line for line in found.to_markdown().splitlines() if line.startswith("|")]
    assert len(table) == 4 + 3  # heads, rules, two models and one difference
    assert len({line.count("|") for line in table[:4]}) == 1


def test_what_is_saved_is_what_was_found(found, tmp_path):
    kept = json.loads(found.save(tmp_path / "c.json").read_text())
    assert kept["models"] == found.table.to_dicts()
    assert (kept["k"], kept["baseline"], kept["queries"]) == (5, "popularity", len(found.evaluations["markov"]))
    assert pl.read_csv(found.save(tmp_path / "c.csv")).columns == found.table.columns
    assert found.save(tmp_path / "c.md").read_text() == found.to_markdown()
    with pytest.raises(ArgumentError, match=r"'\.xlsx'; \.json, \.csv, \.md"):
        found.save(tmp_path / "c.xlsx")


def test_the_picture_is_written(found, tmp_path):
    found.plot(tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ArgumentError, match=r"'\.gif'"):
        found.plot(tmp_path / "c.gif")


def test_the_same_seed_gives_the_same_figures():
    def figures(seed):
        return compare([MarkovChain().fit(TRAIN)], TEST, seed=seed, **QUIET).table.select("mrr", "mrr_low", "mrr_high").rows()

    assert figures(1) == figures(1) != figures(2)


@pytest.mark.parametrize(
    ("models", "options", "named"),
    [
        ([], {}, "models: is empty"),
        (7, {}, "models is a int"),
        ([Popularity()], {}, r"model=Popularity\(\)"),
        ({"a": 3}, {}, "model=3"),
        ([Popularity().fit(TRAIN)], {"baseline": "markov"}, "baseline='markov': 'popularity'"),
        ([Popularity().fit(TRAIN)], {"resamples": 0}, "resamples=0"),
        ([Popularity().fit(TRAIN)], {"k": 0}, "k=0"),
    ],
)
def test_bad_arguments_are_refused(models, options, named):
    with pytest.raises(ArgumentError, match=named):
        compare(models, TEST, **{**QUIET, **options})


def test_artists_count_where_they_are_known():
    names = np.array(["x", "y"])[np.arange(30) % 2]
    named = type(TRAIN.catalogue)(TRAIN.catalogue.ids, TRAIN.catalogue.plays, names.tolist())
    train, test = (Sessions(part.songs, part.offsets, part.listener, named, part.listeners) for part in (TRAIN, TEST))
    assert "artist_diversity_low" in compare([Popularity().fit(train)], test, **QUIET).table.columns


def test_what_the_split_dropped_stands_beside_the_figures(tmp_path):
    train, test = split_predefined(Sessions.from_lists([["a", "b", "c"]]), Sessions.from_lists([["b", "new", "a", "c"]]))
    assert test.report.dropped
    found = compare([Popularity().fit(train)], test, timed=0)
    assert str(test.report) in repr(found)
    assert json.loads(found.save(tmp_path / "c.json").read_text())["test"] == str(test.report)
