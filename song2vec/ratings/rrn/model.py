"""Recurrent recommender networks (Wu, Ahmed, Beutel, Smola and Jing 2017, doi:10.1145/3018661.3018689)."""

from __future__ import annotations

from copy import copy
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.core.random import generator
from song2vec.core.settings import check_choice, check_real, check_whole
from song2vec.core.storage import Part
from song2vec.nn.device import threads
from song2vec.ratings.base import RatingModel
from song2vec.ratings.rrn.side import Side, batch_of
from song2vec.ratings.rrn.steps import Steps
from song2vec.ratings.table import Ratings


class RRN(RatingModel):
    """Listeners and songs have states that an LSTM carries from period to period, and factors that stay.

    r(i, j, t) = mu + b_i + b_j + <A_u u_t + b_u, A_m m_t + b_m> + <u_i, m_j>, with states u_t and m_t from what the listener
    and the song met in the periods before t (:class:`song2vec.ratings.rrn.side.Side` has them). The squared error and the squares
    of factors are minimised by turns: in each epoch first the listeners' side learns, the states of songs as they are, then the
    songs' side. With the mean and the biases the stationary part is that of :class:`BiasedMF`; the paper has none.

    ``observe`` takes in later periods without learning anew: states go on, which is what the network is for.

    Args:
        dynamic: False for the time-blind twin, without states.
        size: numbers in a factor, stationary or dynamic.
        hidden: units of either LSTM.
        embed: numbers in the input of an LSTM.
        epochs: passes over the ratings, each by both sides.
        batch_size: listeners, or songs, in a step.
        learning_rate: of Adam.
        penalty: weight of the squares of stationary factors and biases.
        workers: threads; None for as many as torch takes. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.
    """

    name: ClassVar[str] = "rrn"
    _sides: tuple[Side, Side]
    _seen: Ratings

    def __init__(
        self,
        *,
        dynamic: bool = True,
        size: int = 16,
        hidden: int = 32,
        embed: int = 32,
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float = 0.01,
        penalty: float = 0.02,
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.dynamic = dynamic
        self.size = size
        self.hidden = hidden
        self.embed = embed
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def fit(self, ratings: Ratings) -> Self:
        with threads(self.workers):
            super().fit(ratings)
            self._stand()
        return self

    def observe(self, ratings: Ratings) -> Self:
        """A model that has also seen these ratings, of later periods, without learning from them; this one stays as it is.

        Ratings of listeners and songs that training lacks are left out. Raises ArgumentError before ``fit``, for ratings of periods
        that training learned from, and for those that were observed before.
        """
        listener, song = self._rows(ratings)
        if (ratings.period < self._periods).any():
            told = f"training learned from those to {self._periods - 1}; later ones are allowed"
            raise ArgumentError(f"ratings: of periods from {ratings.period.min()}, and {told}")
        known = (listener >= 0) & (song >= 0)
        new = Ratings(listener[known], song[known], ratings.period[known], ratings.value[known], self.listeners_, self.catalogue_)
        again = int(np.isin(new.keys(), self._seen.keys()).sum())
        if again:
            raise ArgumentError(f"ratings: {again:,} of {len(ratings):,} were observed before; others are allowed")
        later = copy(self)
        later._seen = new.after(self._seen)
        later._look_back()
        return later

    def _begin(self, ratings: Ratings) -> None:
        check_choice(self, "dynamic", (True, False))
        for name in ("size", "hidden", "embed", "epochs", "batch_size"):
            check_whole(self, name, 1)
        check_whole(self, "workers", 1, none=True)
        check_real(self, "learning_rate", 0, above=True)
        check_real(self, "penalty", 0)
        self._seen, self._mean, self._periods = ratings, float(ratings.value.mean(dtype=np.float64)), int(ratings.period.max()) + 1
        self._sides = self._blank(len(ratings.listeners), len(ratings.catalogue))
        self._movers = [side.optimisers(self.learning_rate) for side in self._sides]
        self._steps = self._walks()

    def _epoch(self, epoch: int) -> float:
        errors = [self._turn(side, epoch) for side in (0, 1)]
        return errors[0]

    def _turn(self, mine: int, epoch: int) -> float:
        """One side learns, the other stays as it is; returns the mean squared error on the way."""
        theirs, (side, other), total = 1 - mine, (self._sides[mine], self._sides[1 - mine]), 0.0
        steps, across = self._steps[mine], self._across(mine)
        fixed = other.all_states(self._steps[theirs], self._periods, self._mean).clone() if self.dynamic else None
        factors, bias = other.factor.weight.detach(), other.bias.weight.detach()
        order = generator(self.seed, f"order {mine} {epoch}").permutation(np.flatnonzero(np.diff(steps.begin)))
        for at in range(0, len(order), self.batch_size):
            batch = batch_of(steps, order[at : at + self.batch_size], self._periods)
            whom, rows = torch.from_numpy(batch.owners[batch.row]), torch.from_numpy(steps.other[batch.ratings])
            mine_still, their_still, mine_bias = side.factor(whom), factors[rows], side.bias(whom)
            found = self._mean + (mine_still * their_still).sum(1) + mine_bias[:, 0] + bias[rows, 0]
            if fixed is not None:
                own = (np.cumsum(batch.counts + 1) - batch.counts - 1)[batch.row] + batch.step
                states = side.states(steps, batch, self._mean)[torch.from_numpy(own)]
                found = found + (states * fixed[torch.from_numpy(across[batch.ratings])]).sum(1)
            squares = (found - torch.from_numpy(steps.value[batch.ratings])).square().sum()
            weighed = squares + self.penalty * (mine_still.square().sum() + mine_bias.square().sum())
            side.zero_grad()
            (weighed / len(batch.ratings)).backward()  # type: ignore[no-untyped-call]
            for mover in self._movers[mine]:
                mover.step()
            total += float(squares.detach())
        return total / len(steps.other)

    def _across(self, mine: int) -> Array:
        """(ratings,) int64, in the order of one side's steps: where the state of the other side before each rating lies."""
        steps, theirs = self._steps[mine], self._steps[1 - mine]
        period = np.repeat(steps.period, np.diff(steps.first))
        found: Array = theirs.places[steps.other] + theirs.taken(steps.other, period)
        return found

    def _walks(self) -> tuple[Steps, Steps]:
        seen = self._seen
        listener, song = (seen.listener, len(seen.listeners)), (seen.song, len(seen.catalogue))
        return tuple(Steps.of(one[0], two[0], seen.period, seen.value, one[1]) for one, two in ((listener, song), (song, listener)))  # type: ignore[return-value]

    def _look_back(self) -> None:
        """Walk anew through all that was seen."""
        self._steps = self._walks()
        self._stand()

    def _stand(self) -> None:
        """The states of all along their steps."""
        pairs = zip(self._sides, self._steps, strict=True)
        self._states = [side.all_states(steps, self._periods, self._mean) for side, steps in pairs] if self.dynamic else []

    @torch.inference_mode()
    def _predict(self, listener: Array, song: Array, period: Array) -> Array:
        found = np.full(len(listener), self._mean, np.float32)
        factors, states = [], []
        for number, rows in enumerate((listener, song)):
            side, known = self._sides[number], torch.from_numpy(rows >= 0)
            whom = torch.from_numpy(np.maximum(rows, 0))
            factors.append(side.factor(whom) * known[:, None])
            found += (side.bias(whom)[:, 0] * known).numpy()
            if self.dynamic:
                states.append(self._states[number][torch.from_numpy(self._place(number, rows, period))])
        for pair in (factors, states):
            if pair:
                found += (pair[0] * pair[1]).sum(1).numpy()
        return found

    def _place(self, side: int, rows: Array, period: Array) -> Array:
        """Where the state of each owner before a period lies; the last is that of the unknown."""
        steps, known = self._steps[side], np.maximum(rows, 0)
        return np.where(rows >= 0, steps.places[known] + steps.taken(known, period), len(self._states[side]) - 1)

    def _blank(self, listeners: int, songs: int) -> tuple[Side, Side]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator(self.seed, "weights").integers(2**31)))
            one, two = (Side(*rows, self.size, self.hidden, self.embed) for rows in ((listeners, songs), (songs, listeners)))
        return one, two

    def _to_part(self) -> Part:
        seen = {f"seen_{name}": getattr(self._seen, name) for name in ("listener", "song", "period", "value")}
        return Part({"mean": self._mean, "periods": self._periods}, seen | _arrays(self._sides))

    def _from_part(self, part: Part) -> None:
        self._mean, self._periods = float(part.meta["mean"]), int(part.meta["periods"])
        seen = {name.removeprefix("seen_"): np.array(array) for name, array in part.arrays.items() if name.startswith("seen_")}
        self._seen = Ratings(**seen, listeners=self.listeners_, catalogue=self.catalogue_)
        self._sides = self._blank(len(self.listeners_), len(self.catalogue_))
        for number, side in enumerate(self._sides):
            own = {name: part.arrays.get(f"side{number}.{name}") for name in side.state_dict()}
            if any(array is None or array.shape != tuple(side.state_dict()[name].shape) for name, array in own.items()):
                raise SavedFolderError(f"model: has the arrays {', '.join(sorted(part.arrays))}; others were saved")
            side.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in own.items()})
        self._look_back()


def _arrays(sides: tuple[Side, Side]) -> dict[str, Array]:
    """All weights of both sides by name."""

    def told(weights: Tensor) -> Array:
        array: Array = weights.detach().numpy().copy()
        return array

    return {f"side{number}.{name}": told(weights) for number, side in enumerate(sides) for name, weights in side.state_dict().items()}
