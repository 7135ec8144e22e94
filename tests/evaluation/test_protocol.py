"""The protocol: ranks by hand, ties, order of blocks, unknown songs, and figures known from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.evaluation import evaluate, metrics
from song2vec.models import MarkovChain, Popularity
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_predefined
from song2vec.vectors import SongVectors
from tests.evaluation.toys import Fixed, Forgetful, OutOfOrder, halves, random_log


def test_ranks_and_lists_by_hand():
    train = Sessions.from_lists([["a", "b"], ["a", "b"], ["a", "c"], ["b", "d"]])
    test = Sessions.from_lists([["a", "b", "d"], ["a", "c", "b"], ["b", "a"]])
    found = evaluate(MarkovChain().fit(train), test, k=2)
    assert train.catalogue.ids.to_list() == ["a", "b", "c", "d"]
    # after a: b then c; after b: d; after c nothing is known, so all four songs tie
    assert found.ranks.tolist() == [1, 1, 2, 4, 4]
    assert found.top.tolist() == [[1, 2], [3, 0], [1, 2], [0, 1], [3, 0]]
    assert found.targets.tolist() == [1, 3, 2, 1, 0]
    assert found.session.tolist() == [0, 0, 1, 1, 2]
    figures = found.metrics()
    assert figures["recall"] == pytest.approx(3 / 5)
    assert figures["mrr"] == pytest.approx((1 + 1 + 1 / 2) / 5)
    assert figures["ndcg"] == pytest.approx((1 + 1 + 1 / np.log2(3)) / 5)
    assert figures["coverage"] == 1
    assert figures["gini"] == pytest.approx(metrics.gini(np.array([3, 3, 2, 2])))
    assert figures["popularity_lift"] == pytest.approx(((3 + 1) + (1 + 3) + (3 + 1) + (3 + 3) + (1 + 3)) / 2 / (3 + 1 + 1 + 3 + 3))
    assert np.isnan(figures["repeat_recall"])
    assert {"diversity", "artist_diversity"}.isdisjoint(figures)


def test_without_lists_the_figures_of_ranks_are_the_same():
    train, test = halves(random_log())
    whole, few = (evaluate(MarkovChain().fit(train), test, k=5, lists=lists) for lists in (True, False))
    np.testing.assert_array_equal(few.ranks, np.minimum(whole.ranks, 6))
    assert few.top is None
    shared = few.metrics()
    assert shared.keys() == {"recall", "mrr", "ndcg", "new_recall", "repeat_recall", "repeat_share"}
    assert {name: whole.metrics()[name] for name in shared} == pytest.approx(shared)
    assert few.intervals().keys() == shared.keys()
    with pytest.raises(ArgumentError, match="lists=False"):
        evaluate(MarkovChain().fit(train), test, lists=False, vectors=SongVectors(np.ones((2, 2)), [1, 2]))


def test_the_train_catalogue_has_these_plays():
    train = Sessions.from_lists([["a", "b"], ["a", "b"], ["a", "c"], ["b", "d"]])
    assert train.catalogue.plays.tolist() == [3, 3, 1, 1]


def test_repeats_and_new_songs_are_told_apart():
    log = Sessions.from_lists([["a", "b", "a", "a", "c"]])
    figures = evaluate(Fixed(scores=(3, 2, 1)).fit(log), log, k=1).metrics()  # always a
    assert figures["repeat_share"] == 2 / 4
    assert (figures["repeat_recall"], figures["new_recall"], figures["recall"]) == (1, 0, 2 / 4)


def test_a_model_that_tells_no_songs_apart_gets_nothing():
    train, test = halves(random_log())
    found = evaluate(Fixed(scores=(1,) * 30).fit(train), test)
    assert (found.ranks == 30).all()
    assert found.metrics()["recall"] == 0


def test_the_order_of_blocks_does_not_matter():
    train, test = halves(random_log())
    one, other = (evaluate(model.fit(train), test, k=5) for model in (MarkovChain(), OutOfOrder()))
    assert one.ranks.tolist() == other.ranks.tolist()
    assert one.top.tolist() == other.top.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    train, test = halves(random_log())
    with pytest.raises(ArgumentError, match="without finite scores"):
        evaluate(Fixed(scores=(1,) * 29 + (bad,)).fit(train), test)


def test_a_query_without_an_answer_is_refused():
    train, test = halves(random_log())
    with pytest.raises(ArgumentError, match="left 1 of"):
        evaluate(Forgetful().fit(train), test)


def test_a_test_over_other_songs_is_taken_by_id():
    train = Sessions.from_lists([["a", "b"], ["a", "b"], ["b", "c"]])
    test = Sessions.from_lists([["z", "c", "a", "z", "b"], ["z", "a"], ["b", "c"]])
    model = MarkovChain().fit(train)
    found, known = evaluate(model, test), evaluate(model, Sessions.from_lists([["c", "a", "b"], ["a"], ["b", "c"]]))
    assert found.ranks.tolist() == known.ranks.tolist() == [3, 1, 1]
    assert found.session.tolist() == [0, 0, 2]
    assert (found.dropped.plays, found.dropped.queries) == (3, 3)
    assert found.catalogue == train.catalogue


def test_lists_are_as_long_as_there_are_songs():
    log = Sessions.from_lists([["a", "b", "c"]])
    found = evaluate(Popularity().fit(log), log, k=20)
    assert found.top.shape == (2, 3)
    assert found.metrics()["recall"] == 1


def test_variety_is_told_where_vectors_and_artists_are_known():
    log = random_log()
    named = Sessions(
        log.songs, log.offsets, log.listener,
        Catalogue(log.catalogue.ids, log.catalogue.plays, [f"artist {row % 3}" for row in range(30)]), log.listeners,
    )  # fmt: skip
    train, test = halves(named)
    random = np.random.default_rng(0)
    rows = random.permutation(30)[:25]  # vectors in another order, five songs without
    vectors = SongVectors(random.standard_normal((25, 4)), named.catalogue.subset(rows))
    found = evaluate(MarkovChain().fit(train), test, k=6, vectors=vectors)
    unit = np.zeros((30, 4), np.float32)
    unit[rows] = vectors.unit
    assert found.metrics()["diversity"] == pytest.approx(np.nanmean(metrics.diversity(found.top, unit)))
    assert found.metrics()["artist_diversity"] == pytest.approx(metrics.artist_diversity(found.top, np.arange(30) % 3).mean())


def test_speed_is_measured():
    train, test = halves(random_log())
    model = Popularity().fit(train)
    speed = evaluate(model, test, timed=20).speed
    assert len(speed.milliseconds) == 20
    assert 0 < speed.percentile(50) <= speed.percentile(99)
    assert speed.queries == int((test.lengths - 1).sum())
    assert np.isnan(evaluate(model, test, timed=0).speed.percentile(50))


def test_a_part_of_the_test_estimates_the_whole():
    train, test = halves(random_log(2000))
    model = MarkovChain().fit(train)
    whole, part = evaluate(model, test, k=5), evaluate(model, test, k=5, max_queries=800)
    assert len(part) <= 800 < len(whole)
    assert part.metrics()["recall"] == pytest.approx(whole.metrics()["recall"], abs=0.06)


def test_it_says_what_it_is():
    train, test = halves(random_log())
    assert repr(evaluate(Popularity().fit(train), test)).startswith("Evaluation(popularity: recall@20 0.")


@pytest.mark.parametrize(("change", "named"), [({"k": 0}, "k=0"), ({"timed": -1}, "timed=-1"), ({"max_queries": 0}, "max_queries=0")])
def test_bad_arguments_are_refused(change, named):
    train, test = halves(random_log())
    with pytest.raises(ArgumentError, match=named):
        evaluate(Popularity().fit(train), test, **change)


def test_a_model_that_was_not_fitted_is_refused():
    with pytest.raises(ArgumentError, match=r"model=Popularity\(\)"):
        evaluate(Popularity(), random_log())


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "recall", "mrr"), [("nowplaying", 13.1, 7.2), ("yoochoose1_64", 64.7, 29.7)])
def test_published_splits_give_the_figures_known_from_elsewhere(shared_data, name, recall, mrr):
    lines = ((shared_data / name / f"{part}.txt").read_text().splitlines() for part in ("train", "test"))
    given = [Sessions.from_lists([[int(song) for song in line.split()] for line in part]) for part in lines]
    train, test = split_predefined(*given, unseen="keep")  # songs of the test only are asked for: 412 misses in the second
    figures = evaluate(MarkovChain().fit(train), test, timed=0).metrics()
    assert round(100 * figures["recall"], 1) == recall
    assert round(100 * figures["mrr"], 1) == mrr
