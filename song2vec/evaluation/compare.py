"""Several models, the same queries, one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from song2vec.core.checks import named_options
from song2vec.core.config import Component, settings_of
from song2vec.core.errors import ArgumentError
from song2vec.core.progress import progress_bar
from song2vec.evaluation.comparison import Comparison
from song2vec.evaluation.protocol import ask, check_model
from song2vec.evaluation.queries import queries
from song2vec.evaluation.results import Evaluation
from song2vec.evaluation.tables import differences, draw, figures
from song2vec.models import NextSongModel
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


@named_options
def compare(
    models: Iterable[NextSongModel] | Mapping[str, NextSongModel],
    test: Sessions,
    *,
    k: int = 20,
    baseline: str | None = None,
    resamples: int = 1000,
    seed: int = 0,
    vectors: SongVectors | None = None,
    timed: int = 200,
    progress: bool | None = None,
) -> Comparison:
    """Ask several fitted models the same queries, by the protocol of :func:`evaluate`.

    Where models know different songs, only songs that all of them know are heard and asked for; the others are left out of
    the sessions for every model, and counted. Each still ranks all songs it knows (``songs`` in the table), and popularity is by
    the plays of its own catalogue: such figures compare models together with their data.

    Args:
        models: a list, named by their models and, where these repeat, the settings that differ; or a dict by label.
        test: sessions that no model saw.
        k: length of the lists.
        baseline: the label of the model that the others are held against, by the same resamples: an interval of the
            difference that leaves out 0 tells them apart, even where their own intervals overlap.
        resamples: draws for the intervals.
        vectors: tell how varied the lists are; left out otherwise.
        timed: queries scored one by one for the milliseconds.
        progress: a bar on stderr; None shows it where a person is likely to watch.

    Raises ArgumentError for a bad argument, NothingLeftError when no query is left.
    """
    named = _labelled(models)
    if baseline is not None and baseline not in named:
        raise ArgumentError(f"baseline={baseline!r}: {', '.join(map(repr, named))} are allowed")
    asked = queries(test, [check_model(model) for model in named.values()])
    evaluations: dict[str, Evaluation] = {}
    with progress_bar("comparing", len(named), progress) as advance:
        for label, model in named.items():
            evaluations[label] = ask(model, asked, k=k, vectors=vectors, timed=timed, seed=seed)
            advance(label)
    drawn = draw(evaluations, resamples, seed)
    less = None if baseline is None else differences(evaluations, drawn, baseline)
    said = str(test.report) if test.report is not None and test.report.dropped else ""
    return Comparison(figures(named, evaluations, drawn), less, evaluations, k, baseline, resamples, seed, said)


def _labelled(models: Iterable[NextSongModel] | Mapping[str, NextSongModel]) -> dict[str, NextSongModel]:
    if isinstance(models, Mapping):
        named = dict(models)
    elif isinstance(models, Iterable):
        named = {}
        given = list(models)
        for model in given:
            check_model(model)
            named[_label(model, given, named)] = model
    else:
        raise ArgumentError(f"models is a {type(models).__name__}; a list of fitted models, or a dict of them by label, is allowed")
    if not named:
        raise ArgumentError("models: is empty; at least one fitted model is needed")
    return named


def _label(model: NextSongModel, given: list[NextSongModel], taken: Mapping[str, NextSongModel]) -> str:
    """``markov``, or ``sr(steps=8)`` beside an sr of other steps, or ``markov 2`` for the same once more."""
    others = [_flat(other) for other in given if other.name == model.name]
    told = [f"{name}={value!r}" for name, value in _flat(model).items() if any(other.get(name, value) != value for other in others)]
    label = f"{model.name}({', '.join(told)})" if told else model.name
    number = sum(name == label or name.startswith(f"{label} ") for name in taken) + 1
    return label if number == 1 else f"{label} {number}"


def _flat(model: NextSongModel) -> dict[str, Any]:
    """All settings, those of a component beside its name as ``learner.size``."""
    found = model.settings
    for name, (_, allowed, _) in settings_of(type(model)).items():
        if isinstance(allowed, Component):
            part = model.component(name)
            found |= {name: part.name, **{f"{name}.{inner}": value for inner, value in part.settings.items()}}
    return found
