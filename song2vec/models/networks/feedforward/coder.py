"""Encoder and decoder of bags of songs, and how they learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from song2vec.core.arrays import Array
from song2vec.models.networks.feedforward.bags import Bags
from song2vec.models.networks.feedforward.likelihood import divergence, log_inclusion, multinomial
from song2vec.models.networks.feedforward.steps import Pace, Steps, dropped
from song2vec.models.networks.feedforward.weights import Weights


class Coder(Weights):
    """Bags to codes to scores; tables "input", "output" and "bias" of the songs.

    x = sum of input rows / sqrt(songs in the bag) + b_in, through tanh and W_code when there is a wide layer. The code is
    tanh(x), or for a variational one x is (mean, log variance). Its output, through tanh(W_wide code) when there is a
    wide layer, meets the rows of the output table.

    Args:
        hidden: numbers in a code.
        wide: units of a layer on either side of it; None for no such layers.
    """

    def __init__(
        self,
        songs: int,
        hidden: int,
        wide: int | None,
        variational: bool,
        random: np.random.Generator,
        device: str | torch.device = "cpu",
    ) -> None:
        coded = hidden * (2 if variational else 1)
        dense: dict[str, tuple[int, ...]] = {"b_in": (wide or coded,)}
        if wide:
            dense |= {"W_code": (coded, wide), "b_code": (coded,), "W_wide": (wide, hidden), "b_wide": (wide,)}
        super().__init__(dense, {"input": (songs, wide or coded), "output": (songs, wide or hidden), "bias": (songs, 1)}, random, device)
        self.wide, self.variational = wide, variational

    def summed(self, bags: Bags, mask: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(bags, width) the weighted sums of input rows; and the rows and the weights of the songs, (n,) each."""
        rows, offsets = (torch.from_numpy(array).to(self.device) for array in (bags.songs, bags.offsets[:-1]))
        weights = torch.from_numpy((1 / np.sqrt(bags.counts))[bags.owner].astype(np.float32)).to(self.device)
        if mask is not None:
            weights = weights * mask
        sums = embedding_bag(rows, self.tables["input"], offsets, mode="sum", per_sample_weights=weights)
        return sums, rows, weights

    def code(self, sums: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(bags, width) sums -> (bags, hidden) codes and their divergence; without noise a variational code is its mean."""
        x = sums + self.dense["b_in"]
        if self.wide:
            x = torch.addmm(self.dense["b_code"], torch.tanh(x), self.dense["W_code"].T)
        if not self.variational:
            return torch.tanh(x), x.new_zeros(())
        mean, log_variance = x.chunk(2, 1)
        drawn = mean if noise is None else mean + noise * torch.exp(0.5 * log_variance)
        return drawn, divergence(mean, log_variance)

    def decode(self, code: Tensor) -> Tensor:
        """(bags, hidden) -> what meets the output table."""
        return torch.tanh(torch.addmm(self.dense["b_wide"], code, self.dense["W_wide"].T)) if self.wide else code

    def scores(self, bags: Bags) -> Tensor:
        """(bags, songs)."""
        code, _ = self.code(self.summed(bags)[0])
        return torch.addmm(self.tables["bias"][:, 0], self.decode(code), self.tables["output"].T)


@dataclass(frozen=True)
class Rules:
    """What training hides and weighs.

    Attributes:
        dropout: share of the songs of a bag that the encoder does not see.
        kl_weight: of the divergence of a variational code, reached evenly over ``kl_steps`` steps.
        refeed: feed what comes out in again.
    """

    dropout: float
    kl_weight: float
    kl_steps: int
    refeed: bool = False


class CoderSteps(Steps):
    """Every bag is to be found again from what the encoder saw of it: multinomial likelihood, and divergence of the code."""

    def __init__(self, coder: Coder, pace: Pace, bags: Bags, rules: Rules) -> None:
        super().__init__(coder, pace)
        self.coder, self.bags, self.rules = coder, bags, rules
        self._hidden = coder.tables["output"].shape[1]
        self._less = torch.zeros(0)
        if pace.negatives:
            drawn = np.diff(pace.negatives.cumulative, prepend=0)
            held = np.bincount(bags.songs, minlength=len(drawn))
            less = log_inclusion(held, len(bags), pace.batch_size, drawn, pace.negatives.count)
            self._less = torch.from_numpy(less).to(self.device)

    def learn(self, examples: Array, sample: Tensor | None, number: int, random: np.random.Generator) -> tuple[Tensor, int]:
        bags, scale = self.bags.some(examples), 1 / self.pace.batch_size
        with torch.no_grad():
            mask = dropped((len(bags.songs),), self.rules.dropout, random, self.device) if self.rules.dropout else None
            sums, rows, weights = self.coder.summed(bags, mask)
        sums.requires_grad_()
        code, divergence = self.coder.code(sums, self._noise(len(bags), random))
        seen = self.coder.decode(code)
        owner = torch.from_numpy(bags.owner).to(self.device)
        with torch.no_grad():
            columns, place = (None, rows) if sample is None else self._columns(rows, sample)
            total, back = self._output(seen.detach(), owner, columns, place, scale)
        weight = self.rules.kl_weight * min(1.0, number / max(1, self.rules.kl_steps))
        ((seen * back).sum() + weight * scale * divergence).backward()  # type: ignore[no-untyped-call]
        self.move_dense()
        self.optimisers["input"].step_rows(rows, sums.grad[owner] * weights[:, None])  # type: ignore[index]
        if self.rules.refeed:
            self._refeed(bags, columns, scale)
        return total + weight * divergence.detach(), len(rows)

    def _noise(self, bags: int, random: np.random.Generator) -> Tensor | None:
        if not self.coder.variational:
            return None
        size = self.coder.dense["W_wide"].shape[1] if self.coder.wide else self._hidden
        return torch.from_numpy(random.standard_normal((bags, size), np.float32)).to(self.device)

    @staticmethod
    def _columns(rows: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
        """The songs that are scored, each once, and where the rows stand among them."""
        columns, place = torch.unique(torch.cat([rows, sample]), return_inverse=True)
        return columns, place[: len(rows)]

    def _output(self, seen: Tensor, owner: Tensor, columns: Tensor | None, place: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """The loss summed over bags, and the gradient by ``seen``; the output table moves."""
        table, shift = self._picked(columns)
        total, gradient = multinomial(torch.addmm(shift, seen, table.T), owner, place)
        gradient.mul_(scale)
        back = gradient @ table
        self._move("output", columns, gradient.T @ seen)
        self._move("bias", columns, gradient.sum(0)[:, None])
        return total, back

    def _picked(self, columns: Tensor | None) -> tuple[Tensor, Tensor]:
        """Rows of the output table and what is added to their scores, of all songs or of some."""
        table, bias = self.coder.tables["output"], self.coder.tables["bias"][:, 0]
        if columns is None:
            return table, bias
        return table.index_select(0, columns), (bias - self._less).index_select(0, columns)

    def _move(self, name: str, columns: Tensor | None, slopes: Tensor) -> None:
        if columns is None:
            self.optimisers[name].step(slopes)
        else:
            self.optimisers[name].step_rows(columns, slopes)

    def _refeed(self, bags: Bags, columns: Tensor | None, scale: float) -> None:
        """Dense re-feeding (Kuchaiev and Ginsburg 2017, section 2.3): f(x) as input and as target, since f(f(x)) is to be f(x).

        What comes out is a distribution p over the songs that are scored; it goes in as a bag of as many songs, spread as p is.
        """
        counts = torch.from_numpy(bags.counts.astype(np.float32)).to(self.device)[:, None]
        table, shift = self._picked(columns)
        inputs = self.coder.tables["input"] if columns is None else self.coder.tables["input"].index_select(0, columns)
        with torch.no_grad():
            code, _ = self.coder.code(self.coder.summed(bags)[0])
            target = torch.softmax(torch.addmm(shift, self.coder.decode(code), table.T), 1)
            spread = target * counts.sqrt()
            sums = spread @ inputs
        sums.requires_grad_()
        seen = self.coder.decode(self.coder.code(sums)[0])
        with torch.no_grad():
            gradient = (torch.softmax(torch.addmm(shift, seen, table.T), 1) - target) * counts * scale
            back = gradient @ table
        (seen * back).sum().backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self._move("output", columns, gradient.T @ seen)
            self._move("bias", columns, gradient.sum(0)[:, None])
            self._move("input", columns, spread.T @ sums.grad)  # type: ignore[operator]
        self.move_dense()
