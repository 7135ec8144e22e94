"""What most users hold: songs like a song, songs for a listener, what comes next, playlists and maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.catalogue.names import Names
from song2vec.core.checks import named_options
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.core.estimator import Estimator
from song2vec.core.storage import Part, Saved, prefixed, within
from song2vec.engine.parts import EngineInfo, next_song_model, of_engine
from song2vec.maps import song_map
from song2vec.models import Nearest, NextSongModel
from song2vec.playlists import bridge as make_bridge
from song2vec.playlists import playlist as make_playlist
from song2vec.playlists import radio as make_radio
from song2vec.search import Filters, Neighbours, SongIndex, make_index
from song2vec.search.listeners import History, Listener, listener
from song2vec.sessions import Sessions, check_sessions
from song2vec.vectors import make_learner
from song2vec.vectors.song_vectors import SongVectors


class Engine(Saved):
    """Songs like a song, songs for a listener, what comes next, playlists, and a map of the music.

    Make one with :meth:`train`, :meth:`load`, or ``Engine(vectors)`` over vectors from elsewhere. Wherever a song is
    asked for, its id or its name will do.

    Args:
        vectors: SongVectors.
        index: "annoy", "exact", "hnsw", "auto" (measures which suits these vectors), or an index of ``song2vec.search``.
        next_song: a fitted model that says what comes next.
        seed: of the index.
        workers: threads that build the index; None takes every core. With one the same seed gives the same index.

    Attributes:
        index, next_song: as they stand; ``next_song`` is None until a model is put there.
        learner: which learner made the vectors, with its settings; empty for vectors from elsewhere.
    """

    kind = "engine"
    index: SongIndex
    next_song: NextSongModel | None
    learner: dict[str, Any]
    _names: Names | None
    _nearest: NextSongModel | None

    @named_options
    def __init__(
        self,
        vectors: SongVectors,
        *,
        index: str | SongIndex = "annoy",
        next_song: NextSongModel | None = None,
        seed: int = 0,
        workers: int | None = 1,
    ) -> None:
        self._made_of(make_index(index, vectors, seed, workers), next_song, {})

    @classmethod
    @named_options
    def train(
        cls,
        sessions: Sessions,
        *,
        vectors: str | Estimator | SongVectors = "word2vec",
        size: int | None = None,
        window: int | None = None,
        epochs: int | None = None,
        workers: int | None = None,
        index: str | SongIndex = "annoy",
        next_song: str | NextSongModel | None = None,
        seed: int = 0,
    ) -> Self:
        """Learn vectors from sessions and index them; learn what comes next, where a model for it is given.

        Args:
            vectors: a learner by name ("word2vec", "word2vec-ensemble", "product2vec", "metaprod2vec", "doc2vec"), one of your own
                making such as ``Word2Vec(loss="negative-sampling")``, or SongVectors as they are.
            size, window, epochs, workers: settings of a learner given by name; None for its own defaults. One of your own making
                has all its settings already. By ``workers=1`` learner and index are the same every time.
            index: see :class:`Engine`.
            next_song: a next-song model by name, or one of your own making, which begins with the vectors just learned where it
                takes some (``GRU4Rec(input="vectors")``); one that is fitted already is taken as it is.
            seed: of learner, index and model; those of your own making keep their own.

        Raises ArgumentError for an unknown learner, index, model or setting.
        """
        check_sessions(sessions)
        common = {"size": size, "window": window, "epochs": epochs, "workers": workers}
        given = {name: value for name, value in common.items() if value is not None}
        if isinstance(vectors, SongVectors) and given:
            raise ArgumentError(f"{', '.join(given)}: settings of a learner; vectors that are there already need none")
        learner = None if isinstance(vectors, SongVectors) else make_learner(vectors, seed, given)
        model = next_song_model(next_song, seed)
        made = vectors if isinstance(vectors, SongVectors) else learner.fit(sessions).vectors_  # type: ignore[union-attr]
        engine = cls(made, index=index, seed=seed, workers=getattr(learner, "workers", 1))
        engine.learner = {} if learner is None else {"name": type(learner).__name__, **learner.settings}
        if model is not None and not hasattr(model, "catalogue_"):
            model.fit(sessions, **({"vectors": made} if model.takes_vectors else {}))
        engine.next_song = model
        return engine

    def __repr__(self) -> str:
        return f"Engine({self.info()})"

    @property
    def vectors(self) -> SongVectors:
        """The vectors of all songs."""
        return self.index.vectors_

    @property
    def catalogue(self) -> Catalogue:
        """The songs."""
        return self.vectors.catalogue

    @property
    def next_model(self) -> NextSongModel:
        """What answers :meth:`next`: ``next_song``, or else nearness to what was played, by which no song comes again."""
        if self.next_song is not None:
            return self.next_song
        if self._nearest is None:
            nobody = Sessions.from_rows(self.catalogue, [[0]])
            self._nearest = Nearest(repeats=False).fit(nobody, vectors=self.vectors)
        return self._nearest

    def find(self, song: SongId) -> SongId:
        """The id of the song meant by an id or a name: ``engine.find("fleet foxes mykonos")``.

        Raises AmbiguousSongError, listing the candidates, or UnknownSongError, suggesting the nearest.
        """
        if song in self.catalogue:
            return song
        self._names = self._names or Names(self.catalogue)
        return self._names.find(song)

    @named_options
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
        return self._table(self.index.similar(self._ids(songs), k, filters, self._ids(unlike)))

    @named_options
    def similar_batch(self, songs: Iterable[SongId], k: int = 10) -> pl.DataFrame:
        """The k songs most like each of these songs: the columns of :meth:`similar` behind ``query``, the song asked for."""
        ids = self._ids(songs)
        if not ids:
            raise ArgumentError("songs: is empty; at least one song is needed")
        found = self.index.similar_batch(ids, k)
        return pl.concat(self._table(found[i]).select(pl.lit(song).alias("query"), pl.all()) for i, song in enumerate(ids))

    @named_options
    def listener(
        self, history: History, *, half_life_days: float | None = None, by_dwell: bool = False, unknown: Unknown = "raise"
    ) -> Listener:
        """One listener in the space of the songs; see :func:`song2vec.search.listeners.listener`. Songs of a list may be names."""
        if not isinstance(history, str | pl.DataFrame) and isinstance(history, Iterable):
            history = self._ids(history, unknown)
        return listener(self.vectors, history, half_life_days=half_life_days, by_dwell=by_dwell, unknown=unknown)

    @named_options
    def recommend(
        self,
        history: History,
        k: int = 10,
        *,
        half_life_days: float | None = None,
        by_dwell: bool = False,
        unknown: Unknown = "raise",
        exclude_history: bool = True,
        exclude: Iterable[SongId] = (),
        only: Iterable[SongId] | None = None,
        max_per_artist: int | None = None,
        not_by: Iterable[str] = (),
    ) -> pl.DataFrame:
        """The k songs that suit a listener: those nearest to the average of what they played.

        Args:
            history: songs, or a listens table of one listener.
            half_life_days, by_dwell, unknown: how plays are weighted; see :meth:`listener`.
            exclude_history: leave out songs they have played.
            exclude, only, max_per_artist, not_by: see :meth:`similar`.

        Returns:
            The table of :meth:`similar` with ``because``, the song of theirs each suggestion is nearest to, and
            ``because_cosine``, how near.
        """
        person = self.listener(history, half_life_days=half_life_days, by_dwell=by_dwell, unknown=unknown)
        played = self.catalogue.songs(person.rows) if exclude_history else []
        found = self.index.search(person.vector, k, self._filters([*self._ids(exclude), *played], only, max_per_artist, not_by))
        because = person.nearest_played(self.vectors, found.rows)
        cosines = (self.vectors.unit[found.rows] * self.vectors.unit[because]).sum(axis=1)
        nearest = {"because": self.catalogue.ids.gather(because), "because_cosine": pl.Series(cosines, dtype=pl.Float32)}
        return self._table(found).with_columns(**nearest)

    @named_options
    def next(
        self, songs: SongId | Iterable[SongId], k: int = 10, *, listener: SongId | Listener | None = None, exclude: Iterable[SongId] = ()
    ) -> pl.DataFrame:
        """The k songs most likely to come next after these, the last played last: by the next-song model, or else by nearness.

        Args:
            listener: whose session it is: somebody the model learned from, by id, as HRNN does; or anybody, by what they played:
                ``engine.listener(history)``, whose plays a recurrent model goes on from.
            exclude: songs never to return.

        Returns a polars DataFrame of song, artist, title (where known) and score, best first; what was played may come again
        where the model thinks so. Raises UnknownSongError, AmbiguousSongError, ArgumentError.
        """
        excluded = self._ids(exclude) + self._removed
        return self.next_model.next(self._ids(songs), k, listener=listener, exclude=excluded)

    playlist = of_engine(make_playlist)
    radio = of_engine(make_radio)
    bridge = of_engine(make_bridge)
    map = of_engine(song_map)

    def add(self, vectors: SongVectors) -> Self:
        """Find these new songs too, from the next call on; returns self. ``Word2Vec.fit_more`` makes such vectors.

        Saving builds the index anew over all songs. Raises ArgumentError for songs that are there already, or vectors of
        another size.
        """
        self._made_of(self.index.add(vectors), self.next_song, self.learner)
        return self

    def remove(self, songs: SongId | Iterable[SongId]) -> Self:
        """Never return these songs, by id or name, again; returns self. Raises UnknownSongError."""
        self._made_of(self.index.remove(self._ids(songs)), self.next_song, self.learner)
        return self

    def info(self) -> EngineInfo:
        """What the engine is made of."""
        return EngineInfo(
            songs=len(self.vectors),
            plays=int(self.catalogue.plays.sum()),
            size=self.vectors.size,
            learner=self.learner,
            index=self.index.name,
            recall=self.index.recall_,
            next_song={} if self.next_song is None else {"name": self.next_song.name, **self.next_song.settings},
        )

    def to_parts(self) -> dict[str, Part]:
        """Index with its vectors, next-song model, and where the vectors come from; the catalogue once."""
        meta = {"learner": self.learner, "next_song": None if self.next_song is None else self.next_song.name}
        parts = prefixed("index", self.index.to_parts()) | {"engine": Part(meta)}
        if self.next_song is None:
            return parts
        shared = prefixed("catalogue_", self.catalogue.to_parts()) if self.next_song.catalogue_ == self.catalogue else {}
        own = {name: part for name, part in self.next_song.to_parts().items() if name not in shared}
        return parts | prefixed("next_song", own)

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        index, meta, model = SongIndex.from_parts(within("index", parts)), parts["engine"].meta, None
        if meta["next_song"] is not None:
            shared = prefixed("catalogue_", index.vectors_.catalogue.to_parts())
            model = NextSongModel.from_parts(shared | within("next_song", parts))
        engine = cls.__new__(cls)
        engine._made_of(index, model, dict(meta["learner"]))
        return engine

    @property
    def _removed(self) -> list[SongId]:
        """Songs that nothing may return."""
        return self.catalogue.songs(self.index.removed_)

    def _made_of(self, index: SongIndex, next_song: NextSongModel | None, learner: dict[str, Any]) -> None:
        """What it is made of; what is derived from the songs is made anew when it is asked for."""
        self.index, self.next_song, self.learner = index, next_song, learner
        self._names = self._nearest = None

    def _ids(self, songs: SongId | Iterable[SongId], unknown: Unknown = "raise") -> list[SongId]:
        """One song or several, by id or name -> ids; with ``unknown="skip"``, what no song is called stays as it is."""
        several = [songs] if isinstance(songs, str | int | np.integer) else songs
        if not isinstance(several, Iterable):
            raise ArgumentError(f"songs={songs!r}: a song or a list of songs is allowed")
        ids = []
        for song in several:
            try:
                ids.append(self.find(song))
            except UnknownSongError:
                if unknown == "raise":
                    raise
                ids.append(song)
        return ids

    def _filters(
        self, exclude: Iterable[SongId], only: Iterable[SongId] | None, max_per_artist: int | None, not_by: Iterable[str]
    ) -> Filters | None:
        excluded = self._ids(exclude)
        if not excluded and only is None and max_per_artist is None and not not_by:
            return None
        return Filters(exclude=excluded, only=None if only is None else self._ids(only), max_per_artist=max_per_artist, not_by=not_by)

    def _table(self, found: Neighbours) -> pl.DataFrame:
        return self.catalogue.table(found.rows).drop("plays").with_columns(cosine=pl.Series(found.cosines, dtype=pl.Float32))
