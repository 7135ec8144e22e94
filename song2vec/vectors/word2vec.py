"""Word2vec on sessions, trained by gensim through its corpus-file path."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gensim.models import Word2Vec as GensimWord2Vec

from song2vec.errors import ArgumentError
from song2vec.progress import progress_bar
from song2vec.seeding import check_seed
from song2vec.sessions import Sessions
from song2vec.vectors.context import with_context
from song2vec.vectors.corpus_file import write_corpus_file
from song2vec.vectors.held_out import hit_rate, next_song_ranks
from song2vec.vectors.objective import Objective
from song2vec.vectors.song_vectors import SongVectors

logger = logging.getLogger("song2vec")

VALIDATION_QUERIES = 2_000


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Attributes:
        epoch: its number, from 1.
        loss: mean loss an example in nats, on the same 10,000 training examples after every epoch.
        hit_rate: HR@10 of the next song on the validation sessions; None without them.
    """

    epoch: int
    loss: float
    hit_rate: float | None = None

    def __str__(self) -> str:
        return f"loss {self.loss:.3f}" + ("" if self.hit_rate is None else f", HR@10 {self.hit_rate:.3f}")


class Word2Vec:
    """Song vectors from sessions by skip-gram or CBOW (Mikolov et al. 2013, arXiv:1301.3781 and 1310.4546).

    The defaults suit music, not English: on radio playlists (yes.com), tweets (nowplaying) and Last.fm sessions (30Music)
    hierarchical softmax found the held-out next song 1.2 to 3.6 times as often as negative sampling, also with the negative
    exponent below 0 that Caselles-Dupre et al. (2018, arXiv:1804.04212) advise; a window of 3 that is not drawn anew,
    the output side added, and this learning rate won or tied on all three (``benchmarks/bench_word2vec_settings.py``).
    On logs of many millions of plays fewer epochs do.

    Args:
        algorithm: "skip-gram" or "cbow".
        loss: "negative-sampling" or "hierarchical-softmax".
        size: numbers in a vector.
        window: songs before and after that count as context.
        dynamic_window: draw the window anew for each play from 1 to ``window``, so that near songs count more.
        negative: negatives drawn for each pair.
        negative_exponent: negatives are drawn in proportion to plays**negative_exponent, below 0 rare songs more often.
        context_weight: vectors are the unit input vectors plus so much of the unit output vectors, which brings songs
            that are played together nearer; 0 for the input vectors as they are.
        subsample: plays of songs that make up more than this share of the log are left out at random; 0 leaves out none.
        learning_rate: falls linearly to ``min_learning_rate`` over all epochs.
        epochs: passes over the sessions.
        patience: with validation sessions, stop when HR@10 has not risen for this many epochs and keep the best
            vectors; None runs all epochs.
        workers: threads; None takes every core. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        history_: one :class:`Epoch` an epoch.
    """

    def __init__(
        self,
        *,
        algorithm: Literal["skip-gram", "cbow"] = "skip-gram",
        loss: Literal["negative-sampling", "hierarchical-softmax"] = "hierarchical-softmax",
        size: int = 128,
        window: int = 3,
        dynamic_window: bool = False,
        negative: int = 5,
        negative_exponent: float = 0.75,
        context_weight: float = 0.3,
        subsample: float = 1e-3,
        learning_rate: float = 0.025,
        min_learning_rate: float = 1e-4,
        epochs: int = 30,
        patience: int | None = None,
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.loss = loss
        self.size = size
        self.window = window
        self.dynamic_window = dynamic_window
        self.negative = negative
        self.negative_exponent = negative_exponent
        self.context_weight = context_weight
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.epochs = epochs
        self.patience = patience
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def fit(self, sessions: Sessions, validation: Sessions | None = None) -> Word2Vec:
        """Learn vectors of the songs in ``sessions``; returns self.

        Args:
            validation: sessions held out of ``sessions``; after every epoch the next song in them is predicted by
                cosine (2,000 queries) and HR@10 is shown.

        Raises ArgumentError for a hyperparameter outside its range, ``patience`` without ``validation``, or sessions of
        which none has two plays, or of one song only.
        """
        self._check(validation)
        for name, given in (("sessions", sessions), ("validation", validation)):
            if given is not None and not (given.lengths > 1).any():
                raise ArgumentError(f"{name}: none of {len(given):,} has two plays; at least one such session is needed")
        counts = np.bincount(sessions.songs, minlength=len(sessions.catalogue))
        rows = np.flatnonzero(counts)
        if len(rows) < 2:
            raise ArgumentError("sessions: all plays are of one song; at least two songs are needed")
        catalogue = sessions.catalogue if len(rows) == len(counts) else sessions.catalogue.subset(rows)
        model = self._model()
        model.build_vocab_from_freq({str(row): int(counts[row]) for row in rows}, corpus_count=len(sessions))
        key_of_row = np.full(len(counts), -1, np.int64)
        key_of_row[rows] = [model.wv.key_to_index[str(row)] for row in rows]
        objective = self._objective(sessions)

        def vectors() -> SongVectors:
            return SongVectors(with_context(model, key_of_row[rows], self.context_weight), catalogue)

        self.history_: list[Epoch] = []
        best: tuple[float, SongVectors] | None = None
        with progress_bar("word2vec", self.epochs, self.progress) as advance:
            for number in self._epochs(model, sessions):
                score = None
                if validation is not None:
                    now = vectors()
                    score = hit_rate(next_song_ranks(now, validation, max_queries=VALIDATION_QUERIES, seed=self.seed))
                    best = max(best or (score, now), (score, now), key=itemgetter(0))
                self.history_.append(Epoch(number, objective.loss(model, key_of_row), score))
                logger.debug("word2vec %s", self.history_[-1])
                advance(str(self.history_[-1]))
                if self._has_stalled():
                    break
        self.vectors_ = vectors() if best is None or self.patience is None else best[1]
        return self

    def _objective(self, sessions: Sessions) -> Objective:
        return Objective.sample(
            sessions,
            window=self.window,
            skip_gram=self.algorithm == "skip-gram",
            negative=self.negative,
            negative_exponent=self.negative_exponent,
            seed=self.seed,
        )

    def _epochs(self, model: Any, sessions: Sessions) -> Iterator[int]:
        """Train epoch by epoch, yielding the number of each when it is done."""
        with tempfile.TemporaryDirectory(prefix="song2vec-") as folder:
            path = Path(folder) / "sessions.txt"
            lines, words = write_corpus_file(sessions, path)
            rates = np.linspace(self.learning_rate, self.min_learning_rate, self.epochs + 1)
            for number, (start, end) in enumerate(pairwise(rates), 1):
                model.train(corpus_file=str(path), total_examples=lines, total_words=words, epochs=1, start_alpha=start, end_alpha=end)
                yield number

    def _has_stalled(self) -> bool:
        if self.patience is None:
            return False
        scores = [epoch.hit_rate or 0.0 for epoch in self.history_]
        return len(scores) - 1 - int(np.argmax(scores)) >= self.patience

    def _model(self) -> Any:
        hierarchical = self.loss == "hierarchical-softmax"
        return GensimWord2Vec(
            vector_size=self.size,
            window=self.window,
            shrink_windows=self.dynamic_window,
            sg=int(self.algorithm == "skip-gram"),
            hs=int(hierarchical),
            negative=0 if hierarchical else self.negative,
            ns_exponent=self.negative_exponent,
            sample=self.subsample,
            alpha=self.learning_rate,
            min_alpha=self.min_learning_rate,
            min_count=1,  # which songs count is settled when sessions are cut
            workers=self.workers or os.cpu_count() or 1,
            seed=check_seed(self.seed),
        )

    def _check(self, validation: Sessions | None) -> None:
        for name, allowed in (("algorithm", ("skip-gram", "cbow")), ("loss", ("negative-sampling", "hierarchical-softmax"))):
            if getattr(self, name) not in allowed:
                raise ArgumentError(f"{name}={getattr(self, name)!r}: {' or '.join(map(repr, allowed))} is allowed")
        for name in ("size", "window", "negative", "epochs", "patience", "workers"):
            value = getattr(self, name)
            if value is None and name in ("patience", "workers"):
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ArgumentError(f"{name}={value!r}: a whole number from 1 is allowed")
        if not 0 <= self.min_learning_rate <= self.learning_rate or not self.learning_rate > 0:
            message = f"learning_rate={self.learning_rate!r}, min_learning_rate={self.min_learning_rate!r}"
            raise ArgumentError(f"{message}: above 0, and the smallest not above the largest, is allowed")
        if not 0 <= self.context_weight <= 1:
            raise ArgumentError(f"context_weight={self.context_weight!r}: 0 to 1 is allowed")
        if not self.subsample >= 0:
            raise ArgumentError(f"subsample={self.subsample!r}: 0 or more is allowed")
        if self.patience is not None and validation is None:
            raise ArgumentError("patience: needs validation sessions to watch, fit(sessions, validation=...)")
