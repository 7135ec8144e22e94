"""What most users hold: songs like a song, songs for a listener, and what comes next."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import Part, load_folder, prefixed, save_folder, understood, within
from song2vec.engine.changing import Changing
from song2vec.engine.finder import Finder
from song2vec.engine.info import Info, learner_settings
from song2vec.engine.next_song import chosen, fitted, from_parts, nearest_song, to_parts
from song2vec.engine.playing import Playing
from song2vec.maps import SongMap, song_map
from song2vec.models import NextSongModel
from song2vec.search import Filters, Neighbours, SongIndex, make_index
from song2vec.search.listeners import History, Listener, listener
from song2vec.sessions import Sessions
from song2vec.vectors import Learner, make_learner
from song2vec.vectors.song_vectors import SongVectors

KIND = "engine"


class Engine(Changing, Playing):
    """Songs like a song, songs for a listener, what comes next, and a map of the music.

    Make one with :meth:`train`, :meth:`load`, or ``Engine(vectors)`` over vectors from elsewhere. Wherever a song is
    asked for, its id or its name will do.

    Args:
        vectors: SongVectors.
        index: "annoy", "exact", "hnsw", "auto" (measures which suits these vectors), or an index of ``song2vec.search``.
        seed: of the index.
        workers: threads that build the index; None takes every core. With one the same seed gives the same index.

    Attributes:
        next_song: the model that says what comes next; None until one is put there.
    """

    next_song: NextSongModel | None = None

    def __init__(self, vectors: SongVectors, *, index: str | SongIndex = "annoy", seed: int = 0, workers: int | None = 1) -> None:
        self.index = make_index(index, vectors, seed, workers)
        self._learner: dict[str, Any] = {}

    @classmethod
    def train(
        cls,
        sessions: Sessions,
        *,
        vectors: str | Learner | SongVectors = "word2vec",
        index: str | SongIndex = "annoy",
        next_song: str | NextSongModel | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> Self:
        """Learn vectors from sessions and index them; learn what comes next, where a model for it is given.

        Args:
            vectors: a learner by name ("word2vec", "word2vec-ensemble", "product2vec", "metaprod2vec", "doc2vec"), one of your own
                making such as ``Word2Vec(window=3)``, or SongVectors as they are.
            index: see :class:`Engine`.
            next_song: a next-song model by name, or one of your own making, which begins with the vectors just learned where it
                takes some (``GRU4Rec(input="vectors")``); one that is fitted already is taken as it is.
            seed: of learner, index and model; those of your own making keep their own.
            settings: passed to a learner given by name: ``Engine.train(sessions, size=128, epochs=20)``. By ``workers=1``
                learner and index are the same every time.

        Raises ArgumentError for an unknown learner, index, model or setting.
        """
        if not isinstance(sessions, Sessions):
            made = "cut_sessions(listens) or Sessions.from_lists(lists)"
            raise ArgumentError(f"sessions is a {type(sessions).__name__}; Sessions are allowed, as {made} makes them")
        learner = make_learner(vectors, seed, settings)
        model = chosen(next_song, seed)
        learner.fit(sessions)
        engine = cls(learner.vectors_, index=index, seed=seed, workers=getattr(learner, "workers", 1))
        engine._learner = learner_settings(learner)
        engine.next_song = fitted(model, sessions, learner.vectors_)
        return engine

    def __repr__(self) -> str:
        return f"Engine({self.info()})"

    @property
    def catalogue(self) -> Catalogue:
        """The songs."""
        return self.vectors.catalogue

    def find(self, song: SongId) -> SongId:
        """The id of the song meant by an id or a name: ``engine.find("fleet foxes mykonos")``.

        Raises AmbiguousSongError, listing the candidates, or UnknownSongError, suggesting the nearest.
        """
        return self._finder.find(song)

    def similar(
        self,
        songs: SongId | Iterable[SongId],
        k: int = 10,
        *,
        unlike: SongId | Iterable[SongId] = (),
        exclude: Iterable[SongId] = (),
        only: Iterable[SongId] | None = None,
        max_per_artist: int | None = None,
        not_by: Iterable[str] = (),
    ) -> pl.DataFrame:
        """The k songs most like a song, or like several at once ("like A and B, unlike C"); never these themselves.

        Args:
            unlike: songs to move away from.
            exclude, only: songs never to return; the only songs to return.
            max_per_artist: at most so many songs of an artist.
            not_by: artists to leave out.

        Returns:
            polars DataFrame of song, artist, title (where known) and cosine, best first; exactly k rows when so many
            songs are allowed.

        Raises UnknownSongError, AmbiguousSongError, ArgumentError.
        """
        filters = self._filters(exclude, only, max_per_artist, not_by)
        return self._table(self.index.similar(self._finder.ids(songs), k, filters, self._finder.ids(unlike)))

    def similar_batch(self, songs: Iterable[SongId], k: int = 10) -> pl.DataFrame:
        """The k songs most like each of these songs: the columns of :meth:`similar` behind ``query``, the song asked for."""
        ids = self._finder.ids(songs)
        found = self.index.similar_batch(ids, k)
        tables = [self._table(found[i]).select(pl.lit(song).alias("query"), pl.all()) for i, song in enumerate(ids)]
        if not tables:
            raise ArgumentError("songs: is empty; at least one song is needed")
        return pl.concat(tables)

    def listener(
        self, history: History, *, half_life_days: float | None = None, by_dwell: bool = False, unknown: Unknown = "raise"
    ) -> Listener:
        """One listener in the space of the songs; see :func:`song2vec.search.listeners.listener`. Songs of a list may be names."""
        if not isinstance(history, str | pl.DataFrame) and isinstance(history, Iterable):
            history = self._finder.ids(history) if unknown == "raise" else [self._finder.find_or_keep(song) for song in history]
        return listener(self.vectors, history, half_life_days=half_life_days, by_dwell=by_dwell, unknown=unknown)

    def recommend(
        self,
        history: History,
        k: int = 10,
        *,
        half_life_days: float | None = None,
        by_dwell: bool = False,
        unknown: Unknown = "raise",
        exclude_heard: bool = True,
        exclude: Iterable[SongId] = (),
        only: Iterable[SongId] | None = None,
        max_per_artist: int | None = None,
        not_by: Iterable[str] = (),
    ) -> pl.DataFrame:
        """The k songs that suit a listener: those nearest to the average of what they played.

        Args:
            history: songs, or a listens table of one listener.
            half_life_days, by_dwell, unknown: how plays are weighted; see :meth:`listener`.
            exclude_heard: leave out songs they have played.
            exclude, only, max_per_artist, not_by: see :meth:`similar`.

        Returns:
            The table of :meth:`similar` with ``because``, the song of theirs each suggestion is nearest to, and
            ``because_cosine``, how near.
        """
        person = self.listener(history, half_life_days=half_life_days, by_dwell=by_dwell, unknown=unknown)
        filters = self._filters(exclude, only, max_per_artist, not_by, person.rows if exclude_heard else ())
        found = self.index.search(person.vector, k, filters)
        because = person.nearest_played(self.vectors, found.rows)
        cosines = (self.vectors.unit[found.rows] * self.vectors.unit[because]).sum(axis=1)
        nearest = {"because": self.catalogue.ids.gather(because), "because_cosine": pl.Series(cosines, dtype=pl.Float32)}
        return self._table(found).with_columns(**nearest)

    def next(self, songs: SongId | Iterable[SongId], k: int = 10, *, exclude: Iterable[SongId] = ()) -> pl.DataFrame:
        """The k songs most likely to come next after these, the last heard last: by the next-song model, or else by nearness.

        Returns a polars DataFrame of song, artist, title (where known) and score, best first; what was heard may come again
        where the model thinks so. Raises UnknownSongError, AmbiguousSongError, ArgumentError.
        """
        model = self._nearest if self.next_song is None else self.next_song
        return model.next(self._finder.ids(songs), k, exclude=self._finder.ids(exclude) + self._removed)

    def map(self, **options: Any) -> SongMap:
        """A t-SNE map of the songs; options of :func:`song2vec.maps.song_map`. ``engine.map().save("map.png")``."""
        return song_map(self.vectors, **options)

    def info(self) -> Info:
        """What the engine is made of."""
        return Info(
            songs=len(self.vectors),
            plays=int(self.catalogue.plays.sum()),
            size=self.vectors.size,
            learner=self._learner,
            index=self.index.name,
            recall=self.index.recall_,
            next_song={} if self.next_song is None else {"name": self.next_song.name, **self.next_song.settings},
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as one folder, checksummed and all or nothing: until the new engine is written whole, the old one stays.

        Raises SavedFolderError when ``path`` holds something else than an engine.
        """
        parts = prefixed("index", self.index.to_parts()) | {"engine": Part(meta={"learner": self._learner})}
        return save_folder(path, KIND, parts | to_parts(self.next_song, self.catalogue))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, memory_map: bool = False) -> Self:
        """Load what :meth:`save` wrote. Raises SavedFolderError when it is missing, corrupt or something else."""
        parts = load_folder(path, KIND, memory_map=memory_map)
        engine = cls.__new__(cls)
        with understood(os.fspath(path)):
            engine.index = SongIndex.from_parts(within("index", parts))
            engine._learner = dict(parts["engine"].meta["learner"])
            engine.next_song = from_parts(parts, os.fspath(path))
        return engine

    @cached_property
    def _nearest(self) -> NextSongModel:
        return nearest_song(self.vectors)

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.catalogue)

    def _filters(
        self, exclude: Iterable[SongId], only: Iterable[SongId] | None, max_per_artist: int | None, not_by: Iterable[str], heard: Any = ()
    ) -> Filters | None:
        """The filters of a search; ``heard`` are rows to leave out too."""
        excluded = self._finder.ids(exclude) + self.catalogue.songs(heard)
        if not excluded and only is None and max_per_artist is None and not not_by:
            return None
        return Filters(
            exclude=excluded, only=None if only is None else self._finder.ids(only), max_per_artist=max_per_artist, not_by=not_by
        )

    def _table(self, found: Neighbours) -> pl.DataFrame:
        return self.catalogue.table(found.rows).drop("plays").with_columns(cosine=pl.Series(found.cosines, dtype=pl.Float32))
