"""Recurrent recommender networks (Wu, Ahmed, Beutel, Smola and Jing 2017, doi:10.1145/3018661.3018689)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, IntRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.core.storage import Part
from song2vec.nn.module import threads
from song2vec.nn.trainer import Trainee
from song2vec.ratings.base import RatingModel
from song2vec.ratings.rrn.network import RatingNetwork, StepBatch, Steps
from song2vec.ratings.table import Ratings


class RRN(RatingModel):
    """Listeners and songs have states that an LSTM carries from period to period, and factors that stay.

    r(i, j, t) = mu + b_i + b_j + <A_u u_t + b_u, A_m m_t + b_m> + <u_i, m_j>, with states u_t and m_t from what the listener
    and the song met in the periods before t (:class:`song2vec.ratings.rrn.network.Side` has them). The squared error and the
    squares of stationary factors and biases are minimised by turns: in each epoch first the listeners' side learns, the states of
    songs as they are, then the songs' side. With the mean and the biases the stationary part is that of :class:`BiasedMF`; the
    paper has none.

    ``observe`` takes in later periods without learning anew: states go on, which is what the network is for.
    """

    name: ClassVar[str] = "rrn"
    dynamic: bool = setting(FLAG, default=True, help="False for the time-blind twin, without states")
    hidden: int = setting(IntRange(1), default=32, tune=IntRange(8, 128, log=True), help="units of either LSTM")
    embed: int = setting(IntRange(1), default=32, help="numbers in the input of an LSTM")
    batch_size: int = setting(IntRange(1), default=64, tune=IntRange(16, 256, log=True), help="listeners, or songs, in a step")
    workers: int | None = setting(
        IntRange(1), default=None, help="threads; None for as many as torch takes. The same seed gives the same bytes with one only"
    )
    seen_: Ratings = learned(Ratings)
    mean_: float = learned()
    periods_: int = learned()
    network_: RatingNetwork = learned(saved=False)
    _states: list[tuple[Steps, Tensor]] | None = learned(saved=False, default=None)  # see RatingNetwork.states

    def observe(self, ratings: Ratings) -> Self:
        """A model that has also seen these ratings, of later periods, without learning from them; this one stays as it is.

        Ratings of listeners and songs that training lacks are left out. Raises ArgumentError before ``fit``, for ratings of periods
        that training learned from, and for those that were observed before.
        """
        listener, song, period = self._rows(ratings)
        if (period < self.periods_).any():
            learned_from = f"training learned from those to {self.periods_ - 1}; later ones are allowed"
            raise ArgumentError(f"ratings: of periods from {period.min()}, and {learned_from}")
        known = (listener >= 0) & (song >= 0)
        new = Ratings(listener[known], song[known], period[known], ratings.value[known], self.listeners_, self.catalogue_)
        again = int(np.isin(new.keys(), self.seen_.keys()).sum())
        if again:
            raise ArgumentError(f"ratings: {again:,} of {len(ratings):,} were observed before; others are allowed")
        later = copy(self)
        later.seen_, later._states = new.after(self.seen_), None
        return later

    def _begin(self, ratings: Ratings) -> Trainee:
        self.seen_, self.mean_, self.periods_ = ratings, float(ratings.value.mean(dtype=np.float64)), int(ratings.period.max()) + 1
        self.network_ = self._new_network()
        return _Turns(self)

    @torch.inference_mode()
    def _predict(self, listener: Array, song: Array, period: Array) -> Array:
        if self.dynamic and self._states is None:
            with threads(self.workers):
                self._states = self.network_.states(self.seen_)
        found = np.full(len(listener), self.mean_, np.float32)
        products = [torch.ones(()), torch.ones(())]  # of stationary factors, and of dynamic ones
        for number, rows in enumerate((listener, song)):
            side, known, row = self.network_.sides[number], torch.from_numpy(rows >= 0), np.maximum(rows, 0)
            found += (side.bias(torch.from_numpy(row))[:, 0] * known).numpy()
            products[0] = products[0] * side.factor(torch.from_numpy(row)) * known[:, None]
            if self.dynamic and self._states is not None:
                steps, states = self._states[number]
                places = np.where(rows >= 0, steps.places(row, period), len(states) - 1)
                products[1] = products[1] * states[torch.from_numpy(places)]
        for product in products[: 1 + self.dynamic]:
            found += product.sum(1).numpy()
        return found

    def _new_network(self) -> RatingNetwork:
        rows = len(self.seen_.listeners), len(self.seen_.catalogue)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator(self.seed, "weights").integers(2**31)))
            return RatingNetwork(*rows, size=self.size, hidden=self.hidden, embed=self.embed, mean=self.mean_, periods=self.periods_)

    def _learned_parts(self) -> dict[str, Part]:
        return {**super()._learned_parts(), "network": Part({}, self.network_.arrays())}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        super()._restore(parts)
        self.network_ = self._new_network()
        self.network_.load(parts["network"].arrays)


class _Turns(Trainee):
    """In each epoch first the listeners' side learns, the states of songs as they are, then the songs' side: two blocks."""

    def __init__(self, model: RRN) -> None:
        self.model, self.sides, self.steps = model, model.network_.sides, Steps.both(model.seen_)
        self.epoch = 0
        self.optimisers: list[list[torch.optim.Optimizer]] = []
        for side in self.sides:  # of tables a step moves the rows it touched: where songs are many, all others would be most of the work
            tables = [side.others.weight, side.factor.weight, side.bias.weight]
            dense = [*side.features.parameters(), *side.lstm.parameters(), *side.dynamic.parameters()]
            self.optimisers.append([torch.optim.SparseAdam(tables, model.learning_rate), torch.optim.Adam(dense, model.learning_rate)])

    def begin(self, epoch: int) -> int:
        self.epoch = epoch
        return len(self.sides)

    def run(self, block: int) -> tuple[float, int]:
        model, side, steps, total = self.model, self.sides[block], self.steps[block], 0.0
        model._states = None  # those of before
        order = generator(model.seed, f"order {block} {self.epoch}").permutation(np.flatnonzero(np.diff(steps.begin)))
        with threads(model.workers):
            states = None
            if model.dynamic:  # of the other side, and which of them each rating of this side meets
                others, period = self.steps[1 - block], np.repeat(steps.period, np.diff(steps.first))
                states = self.sides[1 - block].all_states(others).clone(), others.places(steps.other, period)
            for at in range(0, len(order), model.batch_size):
                squares, learned = self._squares(block, steps.batch(order[at : at + model.batch_size], model.periods_), states)
                side.zero_grad()
                ((squares.sum() + model.l2 * learned) / len(squares)).backward()  # type: ignore[no-untyped-call]
                for optimiser in self.optimisers[block]:
                    optimiser.step()
                total += float(squares.detach().sum())
        return total, len(steps.other)

    def _squares(self, block: int, batch: StepBatch, states: tuple[Tensor, Array] | None) -> tuple[Tensor, Tensor]:
        """(n,) squared errors of the ratings of a batch, and the squares of what is learned of their owners for good, summed."""
        side, other, steps = self.sides[block], self.sides[1 - block], self.steps[block]
        owners, others = torch.from_numpy(batch.owners[batch.row]), torch.from_numpy(steps.other[batch.ratings])
        factor, bias = side.factor(owners), side.bias(owners)
        met, met_bias = (table.weight.detach()[others] for table in (other.factor, other.bias))
        found = self.model.mean_ + (factor * met).sum(1) + bias[:, 0] + met_bias[:, 0]
        if states is not None:
            fixed, places = states
            moving = side(steps, batch).flatten(0, 1)[torch.from_numpy(batch.before)]
            found = found + (moving * fixed[torch.from_numpy(places[batch.ratings])]).sum(1)
        return (found - torch.from_numpy(steps.value[batch.ratings])).square(), factor.square().sum() + bias.square().sum()

    def arrays(self) -> dict[str, Array]:
        found = self.model.network_.arrays()
        for name, state in self._moments():
            found |= {f"{name}:{key}": torch.as_tensor(value).numpy().copy() for key, value in state.items()}
        return found

    def load(self, arrays: dict[str, Array]) -> None:
        self.model._states = None
        self.model.network_.load({name: array for name, array in arrays.items() if ":" not in name})
        for name, state in self._moments():
            found = {key.partition(":")[2]: array for key, array in arrays.items() if key.startswith(f"{name}:")}
            state.update({key: torch.from_numpy(array.copy()) if array.dtype != np.int64 else int(array) for key, array in found.items()})

    def _moments(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the optimisers keep of each of their weights, by number."""
        optimisers = [one for both in self.optimisers for one in both]
        kept = [one.state[weights] for one in optimisers for weights in one.param_groups[0]["params"]]
        return ((str(number), state) for number, state in enumerate(kept))
