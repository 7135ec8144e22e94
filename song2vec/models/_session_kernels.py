"""The session neighbours' inverted index as flat arrays, and their inner loops: queries in parallel, nothing cleared that can be stamped.

Three sessions, the last the most recent: ``7 3 7``, ``3 5``, ``7 5``. Sessions are numbered by recency, 0 the most recent::

    offsets   [0 2 4 6]               session s holds songs[offsets[s]:offsets[s + 1]], each once, the last played first
    songs     [5 7 | 5 3 | 7 3]
    places    [2 1 | 2 1 | 3 2]       where in its session a song was played last, from 1
    listing   [.. 3: 0, 5: 2, 7: 4 .. 6]   song i is in sessions[listing[i]:listing[i + 1]], the most recent first
    sessions  [1 2 | 0 1 | 0 2]
    ages      [0. 0. 0.]              days before the most recent session; 0 where the log has no times
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.sessions import Sessions

DAY = 86_400  # seconds
SIMILARITIES = ("vec", "cosine", "jaccard", "dice")  # in the order of the branches of _similarity


class SessionIndex(NamedTuple):
    """The arrays above: offsets, listing int64; songs, places, sessions int32; ages float64."""

    offsets: Array
    songs: Array
    places: Array
    listing: Array
    sessions: Array
    ages: Array


def build_index(sessions: Sessions) -> SessionIndex:
    """The index of these sessions; of two that began in the same second, and in a log without times, the later line is more recent."""
    start = np.zeros(len(sessions), np.int64) if sessions.start is None else np.asarray(sessions.start)
    order = np.argsort(start, kind="stable")[::-1]
    offsets = np.zeros(len(order) + 1, np.int64)
    songs, places = np.empty(sessions.plays, np.int32), np.empty(sessions.plays, np.int32)
    held = _last_plays(sessions.songs, sessions.offsets, order, offsets, songs, places, len(sessions.catalogue))
    songs, places, listed = songs[:held].copy(), places[:held].copy(), np.empty(held, np.int32)
    listing = np.append(0, np.cumsum(np.bincount(songs, minlength=len(sessions.catalogue))))
    _list_sessions(offsets, songs, listing[:-1].copy(), listed)
    return SessionIndex(offsets, songs, places, listing, listed, (start.max() - start[order]) / DAY)


@jit
def _last_plays(played: Array, bounds: Array, order: Array, offsets: Array, songs: Array, places: Array, known: int) -> int:
    """Each song of each session once, at its last place, from the end of the session to its beginning; returns how many."""
    held, stamps = 0, np.full(known, -1, np.int32)
    for number in range(len(order)):
        begin, end = bounds[order[number]], bounds[order[number] + 1]
        for play in range(end - 1, begin - 1, -1):
            song = played[play]
            if stamps[song] != number:
                stamps[song] = number
                songs[held], places[held] = song, play - begin + 1
                held += 1
        offsets[number + 1] = held
    return held


@jit
def _list_sessions(offsets: Array, songs: Array, ends: Array, listed: Array) -> None:
    """Turn session -> songs into song -> sessions; ``ends`` begin where each song's list begins, and end where it ends."""
    for session in range(len(offsets) - 1):
        for i in range(offsets[session], offsets[session + 1]):
            listed[ends[songs[i]]] = session
            ends[songs[i]] += 1


class Scheme(NamedTuple):
    """The weighting scheme of a model, which tells it from the others. Weights are float64, none below 0.

    A song last played ``back`` plays before the last (0 for that one) of a session so far of n plays weighs
    ``((n - back) / n) ** power * by_recency[back]``, and sessions it leads to ``by_step[back]``.
    """

    k: int
    sample_size: int
    by_recency: Array  # (longest history,)
    by_step: Array  # (longest history,)
    gaps: bool  # whether by_gap is asked
    by_gap: Array  # (longest training session,) of a neighbour's song, by places from what it shares with the session so far
    by_song: Array  # (songs,)
    power: float = 0.0
    decay: float = math.inf  # days in which a neighbour's similarity falls to 1 / e
    similarity: int = SIMILARITIES.index("cosine")
    remind: bool = True


class Scratch(NamedTuple):
    """Room for one thread to work in; the marks and stamps of a query are higher than all before it."""

    stamps: Array  # (2,) int64: the last query's stamp, and the mark of the next query's first slot
    marks: Array  # (sessions,) int64: the mark of the session's slot
    found: Array  # (sessions,) int32: the session of a slot; likewise backs, overlap and near
    backs: Array  # int32: how many plays before the last the session so far last shares a song with this one
    overlap: Array  # float64
    near: Array  # float64
    queried: Array  # (songs + 1,) int64: the stamp of the last query with the song in its history
    total: Array  # (songs + 1,) float64, zeros between queries
    touched: Array  # (songs + 1,) int32: songs whose total is not 0


def make_scratch(sessions: int, songs: int) -> Scratch:
    """Zeros, which take no memory until they are touched."""
    by_session = [np.zeros(sessions, dtype) for dtype in (np.int64, np.int32, np.int32, np.float64, np.float64)]
    return Scratch(np.array([0, 1]), *by_session, *(np.zeros(songs + 1, dtype) for dtype in (np.int64, np.float64, np.int32)))


def score_queries(
    index: SessionIndex, scheme: Scheme, songs: Array, begins: Array, ends: Array, scratch: Sequence[Scratch], scores: Array
) -> None:
    """Write the (n, songs) float32 scores after each history ``songs[begins[i]:ends[i]]``, by as many threads as there is scratch for.

    A single query is scored by this thread: to wake others takes longer than they save, at times by far.
    """
    threads = max(1, min(len(scratch), len(begins)))

    def score(thread: int) -> None:
        _score_share(index, scheme, songs, begins, ends, scratch[thread], scores, thread, threads)

    if threads == 1:
        score(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(score, range(threads)))


@jit
def _score_share(
    index: SessionIndex, scheme: Scheme, songs: Array, begins: Array, ends: Array, own: Scratch, scores: Array, first: int, step: int
) -> None:
    for query in range(first, len(begins), step):
        _score(index, scheme, songs[begins[query] : ends[query]], own, scores[query])


@jit
def _score(index: SessionIndex, scheme: Scheme, history: Array, own: Scratch, scores: Array) -> None:
    own.stamps[0] += 1
    found, size, distinct = _find(index, scheme, history, own)
    own.stamps[1] += found
    sampled = _sample(scheme.sample_size, found, own)
    _compare(index, scheme, sampled, size, distinct, own)
    least, last = _limits(scheme.k, sampled, own)
    touched = 0
    for slot in range(sampled):
        if own.near[slot] > least or (own.near[slot] == least and own.found[slot] <= last):
            touched = _add(index, scheme, own.found[slot], own.near[slot] * scheme.by_step[own.backs[slot]], touched, own)
    scores[:] = 0
    for i in range(touched):
        song = own.touched[i]
        scores[song] = own.total[song] * scheme.by_song[song]
        own.total[song] = 0


@jit
def _find(index: SessionIndex, scheme: Scheme, history: Array, own: Scratch) -> tuple[int, float, int]:
    """Sessions that share songs with the history: how many, the history's sum of squared weights, and its distinct songs.

    Past its first ``sample_size`` sessions a song's list holds none that the sample takes.
    """
    stamp, first = own.stamps
    found, size, distinct = 0, 0.0, 0
    for back in range(len(history)):
        song = history[len(history) - 1 - back]
        if own.queried[song] == stamp:
            continue
        own.queried[song] = stamp
        weight = ((len(history) - back) / len(history)) ** scheme.power * scheme.by_recency[back]
        size += weight * weight
        distinct += 1
        begin = index.listing[song]
        for i in range(begin, min(index.listing[song + 1], begin + scheme.sample_size)):
            session = index.sessions[i]
            slot = own.marks[session] - first
            if slot < 0:
                slot = found
                own.marks[session] = first + slot
                own.found[slot], own.backs[slot], own.overlap[slot] = session, back, 0.0
                found += 1
            own.overlap[slot] += weight
    return found, size, distinct


@jit
def _sample(sample_size: int, found: int, own: Scratch) -> int:
    """Keep the most recent sessions, those of the lowest numbers; returns how many are kept."""
    if found <= sample_size:
        return found
    oldest = np.partition(own.found[:found], sample_size - 1)[sample_size - 1]
    kept = 0
    for slot in range(found):
        if own.found[slot] <= oldest:
            own.found[kept], own.backs[kept], own.overlap[kept] = own.found[slot], own.backs[slot], own.overlap[slot]
            kept += 1
    return kept


@jit
def _compare(index: SessionIndex, scheme: Scheme, sampled: int, size: float, distinct: int, own: Scratch) -> None:
    """Similarities of the sampled sessions, decayed by how much older they are than the most recent of them."""
    newest = np.inf
    for slot in range(sampled):
        newest = min(newest, index.ages[own.found[slot]])
    for slot in range(sampled):
        session = own.found[slot]
        others = index.offsets[session + 1] - index.offsets[session]
        near = _similarity(scheme.similarity, own.overlap[slot], size, distinct, others)
        if scheme.decay < np.inf:
            near *= np.exp((newest - index.ages[session]) / scheme.decay)
        own.near[slot] = near


@jit
def _similarity(kind: int, overlap: float, size: float, distinct: int, others: int) -> float:
    if kind == 0:
        length = float(distinct)
    elif kind == 1:
        length = math.sqrt(size) * math.sqrt(others)
    elif kind == 2:
        length = distinct + others - overlap
    else:
        length = (distinct + others) / 2
    return overlap / length


@jit
def _limits(k: int, sampled: int, own: Scratch) -> tuple[float, int]:
    """The least similarity of the k nearest sessions, and the last session of those that have just that: the recent ones win."""
    if sampled <= k:
        return -1.0, 0
    least = np.partition(own.near[:sampled], sampled - k)[sampled - k]
    ties = np.empty(sampled, np.int32)
    places, tied = k, 0
    for slot in range(sampled):
        if own.near[slot] > least:
            places -= 1
        elif own.near[slot] == least:
            ties[tied] = own.found[slot]
            tied += 1
    return least, np.partition(ties[:tied], places - 1)[places - 1]


@jit
def _add(index: SessionIndex, scheme: Scheme, session: int, weight: float, touched: int, own: Scratch) -> int:
    """Add one neighbour's weight to each of its songs; returns how many songs have a total now."""
    begin, end = index.offsets[session], index.offsets[session + 1]
    shared = begin
    if scheme.gaps:
        while own.queried[index.songs[shared]] != own.stamps[0]:
            shared += 1
    for i in range(begin, end):
        song = index.songs[i]
        gain = weight * scheme.by_gap[abs(index.places[i] - index.places[shared])] if scheme.gaps else weight
        if gain > 0 and (scheme.remind or own.queried[song] != own.stamps[0]):
            own.touched[touched] = song  # overwritten by the next song unless this one is new: no branch to guess wrong
            touched += own.total[song] == 0
            own.total[song] += gain
    return touched
