"""Word2vec on sessions: the learner, whichever backend trains."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Protocol

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.progress import progress_bar
from song2vec.sessions import Sessions
from song2vec.vectors.context import most_played_first, song_vectors, with_context
from song2vec.vectors.held_out import next_song_ranks, recall
from song2vec.vectors.objective import Objective
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.training.hyperparameters import Hyperparameters
from song2vec.vectors.training.run import Checkpoint, Epoch, Run
from song2vec.vectors.training.songs import check_sessions, joined, played, weights_of
from song2vec.vectors.training.trainer import KernelTrainer
from song2vec.vectors.training.weights import Weights

logger = logging.getLogger("song2vec")

VALIDATION_QUERIES = 2_000
_WATCHED = 25  # songs each way that the loss looks at when the window is the session


class Trainer(Protocol):
    """What trains weights, one round of an epoch after another."""

    rounds: int

    @property
    def weights(self) -> Weights: ...

    def train(self, epoch: int, number: int) -> None: ...


class Word2Vec(Hyperparameters):
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
        window: songs before and after that count as context; "session" for all of the session (up to 1,000 each way).
        dynamic_window: draw the window anew for each play from 1 to ``window``, so that near songs count more.
        n_negatives: negatives drawn for each pair.
        negative_exponent: negatives are drawn in proportion to plays**negative_exponent, below 0 rare songs more often.
        context_weight: vectors are the unit input vectors plus so much of the unit output vectors, which brings songs
            that are played together nearer; 0 for the input vectors as they are.
        subsample: plays of songs that make up more than this share of the log are left out at random; 0 leaves out none.
        learning_rate: falls linearly to ``min_learning_rate`` over all epochs.
        epochs: passes over the sessions.
        patience: with validation sessions, stop when recall@10 has not risen for this many epochs and keep the best
            vectors; None runs all epochs.
        backend: "song2vec" trains by a kernel of its own, many times as fast; "gensim" is the reference.
        workers: threads; None takes every core. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        history_: one :class:`Epoch` an epoch.
    """

    vectors_: SongVectors
    history_: list[Epoch]

    def fit(
        self,
        sessions: Sessions,
        validation: Sessions | None = None,
        *,
        song_weights: Mapping[SongId, float] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_minutes: float = 10.0,
    ) -> Word2Vec:
        """Learn vectors of the songs in ``sessions``; returns self.

        Args:
            validation: sessions held out of ``sessions``; after every epoch the next song in them is predicted by
                cosine (2,000 queries) and recall@10 is shown.
            song_weights: how much a play of a song counts as what is to be predicted; 1 for songs not named.
            checkpoint: a folder to save the training in every ``checkpoint_minutes``; training that was broken off
                goes on from there, with one worker to the same bytes.

        Raises ArgumentError for a hyperparameter outside its range, ``patience`` without ``validation``, sessions of
        which none has two plays or all plays are of one song, and a checkpoint of other training.
        """
        self._check(sessions, validation)
        if self.backend == "gensim" and (song_weights is not None or checkpoint is not None):
            raise ArgumentError("backend='gensim': knows no song_weights and no checkpoint; backend='song2vec' does")
        catalogue, plays, rows = played(sessions)
        kept = None if checkpoint is None else Checkpoint(checkpoint, checkpoint_minutes, self, sessions)
        weights, run = (kept and kept.load()) or (None, Run())
        if weights is None:
            weights = Weights.fresh(catalogue, plays, self.size, hierarchical=self.hierarchical, seed=self.seed)
        trainer = self._trainer(sessions, rows, weights, weights_of(catalogue, song_weights))
        return self._learn(trainer, sessions, rows, validation, run, kept)

    def fit_more(self, sessions: Sessions, validation: Sessions | None = None, *, pace: float = 0.1) -> Word2Vec:
        """Go on with new sessions in the space there is: new songs land among their company, old ones hardly move; returns self.

        Args:
            sessions: with songs known and new; any catalogue, ids of the same type.
            pace: how fast known songs learn, as a share of the learning rate, 0 to 1.

        Raises ArgumentError before ``fit``, with backend="gensim", and as ``fit`` does.
        """
        if not hasattr(self, "weights_"):
            raise ArgumentError("fit_more: there is nothing to go on from; call fit(sessions) with backend='song2vec' first")
        if not 0 <= pace <= 1:
            raise ArgumentError(f"pace={pace!r}: 0 to 1 is allowed")
        self._check(sessions, validation)
        before = self.weights_
        catalogue, plays, rows = joined(before.catalogue, before.plays, sessions)
        old = len(before.inputs), len(before.outputs)
        weights = before.grown(catalogue, plays, self.seed)
        trainer = KernelTrainer(sessions, rows, weights, self, weights_of(catalogue, None), old=old, pace=pace)
        return self._learn(trainer, sessions, rows, validation, Run(), None)

    def _check(self, sessions: Sessions, validation: Sessions | None) -> None:
        self.check()
        if self.patience is not None and validation is None:
            raise ArgumentError("patience: needs validation sessions to watch, fit(sessions, validation=...)")
        check_sessions("sessions", sessions)
        if validation is not None:
            check_sessions("validation", validation)

    def _trainer(self, sessions: Sessions, rows: Array, weights: Weights, song_weights: Array) -> Trainer:
        if self.backend == "song2vec":
            return KernelTrainer(sessions, rows, weights, self, song_weights)
        from song2vec.vectors.training.gensim_trainer import GensimTrainer  # gensim takes a second to import

        return GensimTrainer(sessions, rows, weights, self)

    def _learn(
        self, trainer: Trainer, sessions: Sessions, rows: Array, validation: Sessions | None, run: Run, kept: Checkpoint | None
    ) -> Word2Vec:
        """Train what is left of the run; sets what ``fit`` promises."""
        objective = self._objective(sessions).numbered(rows)
        with progress_bar("word2vec", self.epochs * trainer.rounds, self.progress) as advance:
            status = ""
            for _ in range((run.epoch - 1) * trainer.rounds + run.round):
                advance("taken up")
            while run.epoch <= self.epochs and not run.has_stalled(self.patience):
                trainer.train(run.epoch, run.round)
                run.round += 1
                if run.round == trainer.rounds:
                    status = self._end_epoch(trainer.weights, objective, validation, run)
                if kept is not None:
                    kept.save(trainer.weights, run, due=True)
                advance(status)
        if kept is not None:
            kept.save(trainer.weights, run)
        self.history_ = run.history
        self.vectors_ = self._vectors(trainer.weights, run.best)
        if self.backend == "song2vec":
            self.weights_ = trainer.weights
        return self

    def _end_epoch(self, weights: Weights, objective: Objective, validation: Sessions | None, run: Run) -> str:
        """Take down what the epoch came to and go to the next; returns it in words."""
        score = None
        if validation is not None:
            vectors = self._vectors(weights)
            score = recall(next_song_ranks(vectors, validation, max_queries=VALIDATION_QUERIES, seed=self.seed))
            if self.patience is not None and score > max((epoch.recall or 0.0 for epoch in run.history), default=-1.0):
                run.best = with_context(weights, self.context_weight)
        run.history.append(Epoch(run.epoch, objective.loss(weights), score))
        run.epoch, run.round = run.epoch + 1, 0
        logger.debug("word2vec %s", run.history[-1])
        return str(run.history[-1])

    def _vectors(self, weights: Weights, matrix: Array | None = None) -> SongVectors:
        if matrix is None:
            return song_vectors(weights, self.context_weight)
        return most_played_first(SongVectors(matrix, weights.catalogue))

    def _objective(self, sessions: Sessions) -> Objective:
        return Objective.sample(
            sessions,
            window=_WATCHED if self.window == "session" else int(self.window),
            skip_gram=self.algorithm == "skip-gram",
            n_negatives=self.n_negatives,
            negative_exponent=self.negative_exponent,
            seed=self.seed,
        )
