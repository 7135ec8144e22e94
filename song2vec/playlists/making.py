"""Playlists: songs that go on from a seed, picked one after another under rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.random import generator
from song2vec.playlists.choosing import Path, Sampling, beam, one_by_one
from song2vec.playlists.ranking import Scorer
from song2vec.playlists.result import Playlist
from song2vec.playlists.rules import Rules
from song2vec.playlists.weighing import Pulls, Weighing
from song2vec.vectors.song_vectors import SongVectors

Method = Literal["greedy", "sample", "beam"]
METHODS = ("greedy", "sample", "beam")


def playlist(
    scorer: Scorer,
    seed: SongId | Iterable[SongId] = (),
    length: int = 25,
    *,
    history: Iterable[SongId] = (),
    vectors: SongVectors | None = None,
    listener: Array | None = None,
    listener_weight: float = 1.0,
    method: Method = "greedy",
    beam_width: int = 8,
    temperature: float = 0.5,
    top_k: int | None = None,
    top_p: float | None = None,
    artist_gap: int = 0,
    max_per_artist: int | None = None,
    repeat_gap: int | None = None,
    exclude: Iterable[SongId] = (),
    diversity: float = 0.0,
    popularity: float = 0.0,
    shorter: bool = False,
    with_seed: bool = False,
    random_seed: int = 0,
) -> Playlist:
    """A playlist that goes on from a seed.

    A song's score is -ln(its rank by the scorer among the songs that may come), 0 for the best and -.7 for the second, and what
    the pulls add to it.

    Args:
        scorer: says what comes next: a fitted next-song model; or song vectors, which rank songs by their cosine with the
            mean of what came before, later songs weighing more.
        seed: the song or songs to go on from, the beginning of the playlist.
        length: how many songs to pick beyond the seed.
        history: songs heard before the playlist; they say what comes next and count for the gaps, not for the cap.
        vectors: song vectors, for the listener, diversity and the reasons; those of the scorer, when it has some.
        listener: a listener's vector, (size,), as ``listener(vectors, history).vector``; songs near it score higher.
            With an empty seed and history it stands for what was heard.
        listener_weight, diversity, popularity: how strongly to pull; see :class:`song2vec.playlists.weighing.Pulls`.
        method: "greedy" picks the best song each time; "sample" draws by ``temperature``, ``top_k`` and ``top_p``
            (see :class:`song2vec.playlists.choosing.Sampling`); "beam" grows ``beam_width`` playlists side by side for the
            highest sum of scores, which pays where rules or pulls make one pick spoil the next.
        artist_gap, max_per_artist, repeat_gap, exclude: rules, never broken; see :class:`song2vec.playlists.rules.Rules`.
            No song comes twice unless ``repeat_gap`` says after how many others it may.
        shorter: True returns what was found when the rules leave nothing more to pick.
        with_seed: True puts the seed's songs ahead of the picks in the table, with neither score nor reason.
        random_seed: of the drawing; the same seed gives the same playlist.

    Raises:
        NothingLeftError: the rules leave no song before ``length`` are picked; says how many were, and which rules.
        UnknownSongError: a song is not among the scorer's.
        ArgumentError: a value that is not allowed, or a pull that lacks vectors or plays.
    """
    if method not in METHODS:
        raise ArgumentError(f"method={method!r}: {', '.join(map(repr, METHODS))} are allowed")
    check_int("length", length)
    check_int("beam_width", beam_width)
    sampling, random = Sampling(temperature, top_k, top_p), generator(random_seed, "playlist", "random_seed")
    rules = Rules(exclude, artist_gap, max_per_artist, repeat_gap)
    weighing = Weighing(scorer, vectors, rules, Pulls(listener, listener_weight, diversity, popularity))
    heard, begun = weighing.start(seed, history)
    if method == "beam":
        path = beam(weighing, heard, begun, length, beam_width)
    elif method == "sample":
        path = one_by_one(weighing, heard, begun, length, lambda scores: sampling.draw(scores, random))
    else:
        path = one_by_one(weighing, heard, begun, length, lambda scores: 0)
    if len(path.rows) < length and not shorter:
        raise NothingLeftError(_ran_out(weighing, [*heard, *path.rows], begun, len(path.rows), length))
    return _explained(weighing, heard, path, heard[begun:] if with_seed else [])


def _explained(weighing: Weighing, heard: list[int], path: Path, seed: list[int]) -> Playlist:
    """The picks with what each is nearest to among all that came before it, behind the seed."""
    rows = [*heard, *path.rows]
    reasons = [weighing.why(row, rows[:place]) for place, row in enumerate(path.rows, len(heard))]
    table = weighing.catalogue.table([*seed, *path.rows])
    return Playlist.of(table, [*[None] * len(seed), *path.scores], [*[(None, None)] * len(seed), *reasons])


def _ran_out(weighing: Weighing, heard: list[int], begun: int, found: int, length: int) -> str:
    kept_back = weighing.gate.why_nothing(heard, begun)
    songs = len(weighing.catalogue)
    told = f"length={length}: only {found} found, then none of the {songs:,} songs is left; kept back are {kept_back}"
    return f"{told}; loosen these, or ask for a shorter one (shorter)"
