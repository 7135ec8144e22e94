"""What tuning tries next: the space that a model declares, around the model's own settings, as optuna searches it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

from song2vec.core.checks import MAX_SEED
from song2vec.core.config import Choice, Dimension, FloatRange, IntRange, Space
from song2vec.core.errors import MissingExtraError, Song2VecError
from song2vec.core.random import generator
from song2vec.evaluation.study import Study, Trial
from song2vec.models import NextSongModel

logger = logging.getLogger("song2vec")

STARTUP = 5  # complete trials before one may be given up
Attempt = Callable[[NextSongModel], Iterator[tuple[float, bool]]]


class Search:
    """Asks optuna what to try next; optuna's own study lives in memory and is made anew from the trials kept."""

    def __init__(self, template: NextSongModel, kept: Study, seed: int) -> None:
        import optuna

        self.template, self.kept, self.seed, self.space = template, kept, seed, space_around(template)
        self._distributions = distributions(self.space)
        self._study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(STARTUP))
        for trial in kept.trials:
            made = optuna.trial.create_trial(
                state=_state(trial.state),
                value=trial.scores[-1] if trial.state != "failed" else None,
                params=to_params(self.space, trial.values),
                distributions=self._distributions,
                intermediate_values=dict(enumerate(trial.scores, 1)),
            )
            self._study.add_trial(made)
        if not kept.trials:
            self._study.enqueue_trial(to_params(self.space, {name: template.value(name) for name in self.space}))

    def step(self, attempt: Attempt) -> None:
        """Run one trial and keep it; an attempt yields scores on more and more of the queries, and whether each is on all."""
        import optuna

        # a generator for each trial: a resumed search goes on as if it had never stopped
        drawn = int(generator(self.seed, f"trial {len(self.kept.trials)}").integers(MAX_SEED))
        self._study.sampler = optuna.samplers.TPESampler(seed=drawn)
        trial = self._study.ask(self._distributions)
        values = from_params(self.space, trial.params)
        state, message, scores, began = "complete", "", [], perf_counter()
        try:
            for score, on_all in attempt(self.template.replaced(values)):
                scores.append(score)
                trial.report(score, len(scores))
                if not on_all and trial.should_prune():
                    state = "pruned"
                    break
        except MissingExtraError:
            raise
        except Song2VecError as error:
            state, message = "failed", str(error)
            logger.warning("tune: %s failed: %s", values, message)
        self._study.tell(trial, scores[-1] if state == "complete" else None, state=_state(state))
        self.kept.add(Trial(values, state, scores, round(perf_counter() - began, 3), message))


def _state(state: str) -> Any:
    import optuna

    return optuna.trial.TrialState["FAIL" if state == "failed" else state.upper()]


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """optuna says only what is wrong, and as loud as before when we are done. Raises MissingExtraError without it."""
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("optuna", "tune", "tune") from error
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def space_around(model: NextSongModel) -> Space:
    """The model's space, widened to hold its own settings."""
    return {name: _holding(dimension, model.value(name)) for name, dimension in model.space.items()}


def _holding(dimension: Dimension, value: Any) -> Dimension:
    if isinstance(dimension, Choice):
        return dimension if _place(dimension, value) is not None else Choice((*dimension.values, value))
    if not _is_number(value) or (dimension.log and value <= 0):  # "off", where the rest are numbers: it is not tried
        return dimension
    return replace(dimension, low=min(dimension.low, value), high=max(_end(dimension, value), value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _end(dimension: IntRange | FloatRange, value: float) -> float:
    return value if dimension.high is None else dimension.high


def distributions(space: Space) -> dict[str, Any]:
    """A space as the distributions of optuna; of a Choice, the places of its values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Choice):
            made[name] = CategoricalDistribution(range(len(dimension.values)))
        else:
            kind: Any = IntDistribution if isinstance(dimension, IntRange) else FloatDistribution
            made[name] = kind(dimension.low, dimension.high, log=dimension.log)
    return made


def to_params(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings -> what optuna calls them; those that lie outside the space are left out."""
    params = {name: _place(space[name], value) for name, value in values.items()}
    return {name: value for name, value in params.items() if value is not None}


def from_params(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`to_params`."""
    return {name: dimension.values[params[name]] if isinstance(dimension, Choice) else params[name] for name, dimension in space.items()}


def _place(dimension: Dimension, value: Any) -> Any:
    if not isinstance(dimension, Choice):
        return value if _is_number(value) and dimension.low <= value <= _end(dimension, value) else None
    same = (place for place, each in enumerate(dimension.values) if each == value and isinstance(each, bool) == isinstance(value, bool))
    return next(same, None)
