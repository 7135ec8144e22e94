"""What a trained network offers in use: live sessions, an index over its output, and songs that training never saw."""

from __future__ import annotations

import os
from copy import copy
from pathlib import Path
from typing import Self

from song2vec.catalogue import Catalogue, SongId
from song2vec.models.live import LiveSession
from song2vec.models.networks.rnn.live import CarriedSession
from song2vec.models.networks.rnn.lookup import OutputIndex
from song2vec.models.networks.rnn.network import Network
from song2vec.models.networks.rnn.new_songs import grown
from song2vec.models.networks.rnn.onnx_file import write_onnx
from song2vec.models.old import OldStyle
from song2vec.search import SongIndex
from song2vec.search.state import NO_ROWS
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


class Serving(OldStyle):
    """A network that was trained.

    Attributes:
        network_: the trained network.
    """

    network_: Network

    def session(self, listener: SongId | None = None) -> LiveSession:
        """A session that goes on, at the cost of one step a play. Raises ArgumentError before ``fit``."""
        self._fitted()
        return CarriedSession(self, listener)

    def index(self, kind: str | SongIndex = "exact", *, sessions: Sessions | None = None, seed: int = 0) -> OutputIndex:
        """An index over the output rows, which answers from a large catalogue without reading all of it.

        Args:
            kind: of index, as of :class:`song2vec.Engine`; "exact" misses nothing, and reads a quarter of the memory.
            sessions: after whose plays the recall is measured, over the same catalogue; None for single songs.
            seed: of the index, and of what its recall is measured on.

        Raises ArgumentError before ``fit``, for any other kind, and for sessions over other songs.
        """
        self._fitted()
        if sessions is not None:
            self.score(sessions, NO_ROWS)  # refuses other songs
        return OutputIndex(self, kind, sessions, seed)

    def write_onnx(self, path: str | os.PathLike[str]) -> Path:
        """Write one step of the network as an ONNX file: songs and states in, scores and next states out (``song2vec[onnx]``).

        Inputs are ``songs`` (batch,) int64, rows of ``catalogue_``, and ``state_0``, ... (batch, width) float32, one a layer, zeros
        where a session begins. Outputs are ``scores`` (batch, songs of the catalogue) and ``next_0``, ..., the states to pass in
        with the next songs.

        Raises MissingExtraError without the onnx package; ArgumentError before ``fit``, and for an HRNN, which needs its listeners.
        """
        self._fitted()
        return write_onnx(self.network_, path)

    def add_songs(self, songs: SongVectors | Catalogue) -> Self:
        """A model with new songs behind those it knows, to be heard and recommended like any; this one stays as it is.

        What a network knows of a song is a row of each of its tables. A new song gets the mean row of the five known songs
        nearest to its vector, or of its artist's songs, at the mean length of those rows; where the input is ``"vectors"``, its
        vector is its input row. The bias is that of the tenth of songs played least, so that a new song is preferred for what
        it is like and not for how often others are played.

        Args:
            songs: vectors of new songs and of known ones, in one space, as ``Word2Vec.fit_more`` makes them; or a catalogue
                that tells the artists of new songs.

        Raises ArgumentError before ``fit``, where none is new, and where vectors or artists of known songs are missing.
        """
        catalogue = self._fitted()
        model = copy(self)
        model.catalogue_, model.network_ = grown(self.network_, catalogue, songs)
        return model
