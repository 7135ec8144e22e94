"""Word2vec on sessions: the learner, whichever backend trains."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Literal, Self

from song2vec.catalogue import SongId
from song2vec.core.checks import check_float
from song2vec.core.config import Choice, IntRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.nn.checkpoint import Checkpoint, digest_of, identity_of
from song2vec.nn.trainer import Scores, Trainer
from song2vec.sessions import Sessions
from song2vec.vectors.learner import Word2VecSettings
from song2vec.vectors.measures import next_song_ranks, recall
from song2vec.vectors.training.trainee import KernelTrainee, WeightsTrainee
from song2vec.vectors.training.weights import Weights, check_plays, joined, played, weights_of

VALIDATION_QUERIES = 2_000


class Word2Vec(Word2VecSettings):
    """Song vectors from sessions by skip-gram or CBOW (Mikolov et al. 2013, arXiv:1301.3781 and 1310.4546).

    The defaults suit music, not English: on radio playlists (yes.com), tweets (nowplaying) and Last.fm sessions (30Music)
    hierarchical softmax found the held-out next song 1.2 to 3.6 times as often as negative sampling, also with the negative
    exponent below 0 that Caselles-Dupre et al. (2018, arXiv:1804.04212) advise; a window of 3 that is not drawn anew,
    the output side added, and this learning rate won or tied on all three (``benchmarks/bench_word2vec_settings.py``).
    On logs of many millions of plays fewer epochs do.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        history_: one :class:`Epoch` an epoch, its loss on the same 10,000 examples after every epoch, in nats an example.
        weights_: what :meth:`fit_more` goes on from; None with backend="gensim".
    """

    name = "word2vec"
    patience: int | None = setting(
        IntRange(1), default=None, help="with validation sessions, stop when recall@10 has not risen for so many epochs"
    )
    backend: Literal["song2vec", "gensim"] = setting(
        Choice(("song2vec", "gensim")), default="song2vec", help="a kernel of the house's own, many times as fast, or gensim, the reference"
    )
    weights_: Weights | None = learned(Weights)

    def fit(
        self,
        sessions: Sessions,
        validation: Sessions | None = None,
        *,
        song_weights: Mapping[SongId, float] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_minutes: float = 10.0,
    ) -> Self:
        """Learn vectors of the songs in ``sessions``; returns self.

        Args:
            validation: sessions held out of ``sessions``; after every epoch the next song in them is predicted by
                cosine (recall@10, 2,000 queries), and the weights of the best epoch are kept.
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
        kept = None
        if checkpoint is not None:
            data = {"sessions": digest_of(sessions.songs, sessions.offsets), "catalogue": sessions.catalogue.fingerprint}
            identity = identity_of(self, **data) | {"epochs": self.epochs}  # over which the learning rate falls
            del identity["workers"]
            kept = Checkpoint(checkpoint, identity, checkpoint_minutes)
        weights = Weights.fresh(catalogue, plays, self.size, hierarchical=self.hierarchical, seed=self.seed)
        if self.backend == "song2vec":
            return self._learn(KernelTrainee(sessions, rows, weights, self, weights_of(catalogue, song_weights)), validation, kept)
        from song2vec.vectors.training.by_gensim import GensimTrainee  # gensim takes a second to import

        return self._learn(GensimTrainee(sessions, rows, weights, self), validation)

    def fit_more(self, sessions: Sessions, validation: Sessions | None = None, *, learning_rate_scale: float = 0.1) -> Self:
        """Go on with new sessions in the space there is: new songs land among their company, old ones hardly move; returns self.

        A learner that was saved and loaded goes on as if it had stayed.

        Args:
            sessions: with songs known and new; any catalogue, ids of the same type.
            learning_rate_scale: how fast known songs learn, as a share of the learning rate, 0 to 1.

        Raises ArgumentError before ``fit``, with backend="gensim", and as ``fit`` does.
        """
        before = getattr(self, "weights_", None)
        if before is None:
            raise ArgumentError("fit_more: there is nothing to go on from; call fit(sessions) with backend='song2vec' first")
        check_float("learning_rate_scale", learning_rate_scale, 0, 1)
        self._check(sessions, validation)
        catalogue, plays, rows = joined(before.catalogue, before.plays, sessions)
        old = len(before.inputs), len(before.outputs)
        weights, song_weights = before.grown(catalogue, plays, self.seed), weights_of(catalogue, None)
        trainee = KernelTrainee(sessions, rows, weights, self, song_weights, old=old, learning_rate_scale=learning_rate_scale)
        return self._learn(trainee, validation)

    def _check(self, sessions: Sessions, validation: Sessions | None) -> None:
        self.check()
        if self.patience is not None and validation is None:
            raise ArgumentError("patience: needs validation sessions to watch, fit(sessions, validation=...)")
        check_plays("sessions", sessions)
        if validation is not None:
            check_plays("validation", validation)

    def _learn(self, trainee: WeightsTrainee, validation: Sessions | None, kept: Checkpoint | None = None) -> Self:
        def score(held_out: Sessions) -> Scores:
            vectors = trainee.weights.song_vectors(self.context_weight)
            return {"recall@10": recall(next_song_ranks(vectors, held_out, max_queries=VALIDATION_QUERIES, seed=self.seed))}

        validate = None if validation is None else partial(score, validation)
        trainer = Trainer(
            trainee, name=self.name, epochs=self.epochs, validate=validate, patience=self.patience, checkpoint=kept, progress=self.progress
        )
        self.history_ = trainer.run()
        self.vectors_ = trainee.weights.song_vectors(self.context_weight)
        self.weights_ = trainee.weights if self.backend == "song2vec" else None
        return self
