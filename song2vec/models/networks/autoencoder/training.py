"""How an autoencoder learns (Liang et al. 2018, arXiv:1802.05814), from all songs or from a sample of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.models.networks.autoencoder.network import Bags, Coder
from song2vec.nn.module import dropout_mask
from song2vec.nn.training import NetworkTrainee, TrainingConfig


class CoderTrainee(NetworkTrainee):
    """Every bag is to be found again from what the encoder saw of it: multinomial likelihood, and divergence of the code.

    Args:
        support: (m,) plays of each song, by which negatives are drawn.
        dropout: share of the songs of a bag that the encoder does not see.
        kl_weight: of the divergence of a variational code, reached evenly over ``kl_epochs``.
        refeed: feed what comes out in again.
    """

    def __init__(
        self,
        coder: Coder,
        config: TrainingConfig,
        bags: Bags,
        support: Array,
        *,
        dropout: float = 0.0,
        kl_weight: float = 0.0,
        kl_epochs: int = 0,
        refeed: bool = False,
    ) -> None:
        super().__init__(coder, config, support, np.arange(len(bags)))
        self.coder, self.bags, self.dropout, self.refeed = coder, bags, dropout, refeed
        self.batches = -(-len(bags) // config.batch_size)
        self.kl_weight, self.kl_steps = kl_weight, kl_epochs * self.batches
        self.correction, self._slopes = torch.zeros(0), torch.zeros(0)
        if self.negatives:
            drawn = np.diff(self.negatives.cumulative, prepend=0)
            held = np.bincount(bags.songs, minlength=len(drawn))
            found = log_inclusion(held, len(bags), config.batch_size, drawn, self.negatives.count)
            self.correction = torch.from_numpy(found).to(self.device)

    def update(self, number: int, negatives: Tensor | None) -> tuple[Tensor, int]:
        config, random = self.config, generator(self.config.seed, f"batch {self.epoch} {number}")
        bags, scale = self.bags.some(self.batch(number)), 1 / config.batch_size
        mask = dropout_mask((len(bags.songs),), self.dropout, random) if self.dropout else None
        noise = random.standard_normal((len(bags), self.coder.hidden), np.float32) if self.coder.variational else None
        code, divergence = self.coder.code(self.coder.sums(bags, mask), None if noise is None else torch.from_numpy(noise).to(self.device))
        outputs = self.coder.decode(code)
        rows, owner = (torch.from_numpy(array).to(self.device) for array in (bags.songs, bags.owner))
        columns, place = None, rows
        if negatives is not None:  # songs of the bags and those drawn, each once
            columns, places = torch.unique(torch.cat([rows, negatives]), return_inverse=True)
            place = places[: len(rows)]
        with torch.no_grad():
            table, shift = self._picked(columns)
            total, gradient = multinomial(torch.addmm(shift, outputs, table.T), owner, place)
            gradient.mul_(scale)
        weight = self.kl_weight * min(1.0, (self.epoch * self.batches + number) / max(1, self.kl_steps))
        self._descend(outputs, gradient, table, columns, weight * scale * divergence)
        if self.refeed:
            self._feed_again(bags, columns, scale)
        return total + weight * divergence.detach(), len(rows)

    def _picked(self, columns: Tensor | None) -> tuple[Tensor, Tensor]:
        """Rows of the output table and what is added to their scores, of all songs or of some."""
        table, bias = self.coder.output.weight.detach(), self.coder.bias.weight.detach()[:, 0]
        if columns is None:
            return table, bias
        return table.index_select(0, columns), (bias - self.correction).index_select(0, columns)

    def _feed_again(self, bags: Bags, columns: Tensor | None, scale: float) -> None:
        """Dense re-feeding (Kuchaiev and Ginsburg 2017, section 2.3): f(x) as input and as target, since f(f(x)) is to be f(x).

        What comes out is a distribution p over the songs that are scored; it goes in as a bag of as many songs, spread as p is.
        """
        counts = torch.from_numpy(bags.counts.astype(np.float32)).to(self.device)[:, None]
        table, shift = self._picked(columns)
        inputs = self.coder.input.weight.detach()
        inputs = inputs if columns is None else inputs.index_select(0, columns)
        with torch.no_grad():
            code, _ = self.coder.code(self.coder.sums(bags))
            target = torch.softmax(torch.addmm(shift, self.coder.decode(code), table.T), 1)
            spread = target * counts.sqrt()
            sums = spread @ inputs
        outputs = self.coder.decode(self.coder.code(sums.requires_grad_())[0])
        with torch.no_grad():
            gradient = (torch.softmax(torch.addmm(shift, outputs, table.T), 1) - target) * counts * scale
        self._descend(outputs, gradient, table, columns)
        slopes, optimiser = spread.T @ sums.grad, self.optimisers["input.weight"]  # type: ignore[operator]
        optimiser.step(slopes) if columns is None else optimiser.step_rows(columns, slopes)

    def _descend(self, outputs: Tensor, gradient: Tensor, table: Tensor, columns: Tensor | None, more: Tensor | float = 0.0) -> None:
        """Move all weights by the gradient of the loss by the scores of some columns, and by what else is paid."""
        ((outputs * (gradient @ table)).sum() + more).backward()  # type: ignore[no-untyped-call]
        if len(table) > len(self._slopes):  # made once: fresh memory in every step costs more than the sums
            self._slopes = torch.empty_like(table)
        with torch.no_grad():
            self.move(columns, torch.mm(gradient.T, outputs, out=self._slopes[: len(table)]), gradient.sum(0)[:, None])


def multinomial(scores: Tensor, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Minus the multinomial log-likelihood of bags (equation 2), and its gradient derived by hand.

    Args:
        scores: (bags, columns).
        row, column: (n,) the songs in the bags: which bag, and which column.

    Returns:
        -sum of log softmax(scores)[row, column], and (bags, columns) its gradient by the scores.
    """
    logs = torch.log_softmax(scores, 1)
    total = -logs[row, column].sum()
    counts = torch.bincount(row, minlength=len(scores)).to(scores.dtype)
    gradient = logs.exp_().mul_(counts[:, None])
    gradient.index_put_((row, column), gradient.new_full((), -1.0), accumulate=True)
    return total, gradient


def log_inclusion(bags: Array, owners: int, batch_size: int, weights: Array, draws: int) -> Array:
    """(m,) float32: the logarithm of how likely each song is among those scored in a step, which is taken off its score.

    A song is scored when a bag of the batch holds it, or when it is drawn; both as rare events: 1 - exp(-expected times).
    When all songs are sure to be scored nothing is taken off, and the sampled softmax is the softmax.

    Args:
        bags: (m,) how many bags hold each song.
        owners: how many bags there are.
        weights: (m,) the probability of a draw.
        draws: in a step.
    """
    expected = np.minimum(batch_size, owners) * bags / owners + draws * weights
    found: Array = np.log(np.maximum(-np.expm1(-expected), 1e-12)).astype(np.float32)
    return found
