"""The engine's next-song model: made, fitted, and kept in the engine's folder among its other parts."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import Part, understood
from song2vec.models import MODELS, NearestSong, NextSongModel, make_model
from song2vec.models.base import one_session
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

PREFIX = "next-song-"
SONGS = "catalogue_.songs"  # the part of a model that holds its songs


def chosen(given: str | NextSongModel | None, seed: int) -> NextSongModel | None:
    """A model by its name, with this seed if it takes one, or one of the caller's own making as it is.

    Raises ArgumentError for anything else.
    """
    if isinstance(given, str):
        if given not in MODELS:
            raise ArgumentError(f"next_song={given!r}: {', '.join(map(repr, MODELS))} are allowed")
        takes_seed = "seed" in inspect.signature(MODELS[given]).parameters
        return make_model(given, {"seed": seed} if takes_seed else {})
    if given is not None and not isinstance(given, NextSongModel):
        allowed = f"None, {', '.join(map(repr, MODELS))} or a model such as MarkovChain()"
        raise ArgumentError(f"next_song={given!r}: {allowed} is allowed")
    return given


def fitted(model: NextSongModel | None, sessions: Sessions, vectors: SongVectors) -> NextSongModel | None:
    """The model fitted to the sessions, with these vectors where it takes some; one that is fitted already as it is."""
    if model is None or hasattr(model, "catalogue_"):
        return model
    given: dict[str, Any] = {"vectors": vectors} if model.takes_vectors else {}
    return model.fit(sessions, **given)


def nearest_song(vectors: SongVectors) -> NextSongModel:
    """Vectors as a next-song model over their own songs; a song is nearest to itself, so none comes again."""
    return NearestSong(repeats=False).fit(one_session(vectors.catalogue, np.zeros(1, np.int32)), vectors=vectors)


def to_parts(model: NextSongModel | None, songs: Catalogue) -> dict[str, Part]:
    """The model's parts under names of their own; its catalogue only where it is not that of the engine."""
    parts = {} if model is None else {f"{PREFIX}{name}": part for name, part in model.to_parts().items()}
    if model is not None and model.catalogue_ == songs:
        del parts[f"{PREFIX}{SONGS}"]
    return parts


def from_parts(parts: dict[str, Part], source: object) -> NextSongModel | None:
    """The inverse of :func:`to_parts`; None when the engine was saved without a model."""
    own = {name.removeprefix(PREFIX): part for name, part in parts.items() if name.startswith(PREFIX)}
    with understood(source):
        return NextSongModel.from_parts({SONGS: parts["index.catalogue.songs"], **own}) if own else None
