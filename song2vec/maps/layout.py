"""Two coordinates a song by t-SNE: cosine neighbourhoods, PCA start, perplexity by the number of songs."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_float, check_int
from song2vec.core.errors import ArgumentError, MissingExtraError
from song2vec.core.random import generator

logger = logging.getLogger("song2vec")

Method = Literal["auto", "sklearn", "opentsne"]
SWITCH = 5_000  # songs; here openTSNE is 1.5 times as fast, twice at 10,000 and three times at 20,000: benchmarks/bench_maps.py
FEWEST = 10  # fewer songs have no neighbourhoods that t-SNE could keep
EXACT_UP_TO = 100_000  # songs; up to here finding all neighbours exactly is faster than openTSNE's Annoy index
_STAT = Path("/proc/stat")
_SAMPLE = 0.1  # seconds for which idle cores are counted


@dataclass(frozen=True)
class Layout:
    """Coordinates and how they were found.

    Attributes:
        points: (m, 2) float64.
        method: "pca", "sklearn" or "opentsne".
        perplexity: of the t-SNE; None for PCA.
        embedding: openTSNE's own object, which can place new songs; None for the others.
        rotation: (2, 2) what turned the embedding's coordinates into ``points``; None without an embedding.
    """

    points: Array
    method: str
    perplexity: float | None
    embedding: Any = None
    rotation: Any = None

    def transform(self, unit: Array) -> Array:
        """Places of new songs by openTSNE: the median of the nearest old songs, then gradient descent with all old songs held."""
        old = len(self.points)
        placed = self.embedding.transform(unit, perplexity=min(5.0, (old - 1) / 3), k=min(25, old - 1))
        return np.asarray(np.asarray(placed, np.float64) @ self.rotation)


def lay_out(
    unit: Array, *, perplexity: float | Literal["auto"] = "auto", method: Method = "auto", seed: int = 0, workers: int | None = None
) -> Layout:
    """Lay out (m, size) unit vectors; fewer than 10 by PCA, whatever the method.

    t-SNE here works on the Euclidean distance d of unit vectors: d^2 = 2 - 2 cosine, so the neighbours are those by cosine,
    and a zero vector is as far from all others as an unrelated song is.
    Raises ArgumentError, and MissingExtraError when ``method="opentsne"`` is not installed.
    """
    check_choice("method", method, get_args(Method))
    threads = None if workers is None else check_int("workers", workers)
    chosen_perplexity = _perplexity(perplexity, len(unit))
    if len(unit) < FEWEST:
        return Layout(principal_plane(unit), "pca", None)
    # the principal plane at the size t-SNE starts from (standard deviation .0001), shaken so that equal songs can part
    start = principal_plane(unit)
    start *= 1e-4 / max(start[:, 0].std(), 1e-12)
    start += generator(seed, "map").normal(scale=1e-6, size=start.shape)
    chosen = _chosen(method, len(unit))
    found = (_sklearn if chosen == "sklearn" else _opentsne)(unit, start, chosen_perplexity, seed, threads or idle_cores())
    # wider than high, as screens are; t-SNE itself gives no direction a meaning
    rotation = _principal_axes(np.asarray(found))
    kept = (found, rotation) if chosen == "opentsne" else (None, None)
    return Layout(np.asarray(found) @ rotation, chosen, chosen_perplexity, *kept)


def principal_plane(unit: Array) -> Array:
    """(m, 2) float64: the two principal components; zeros where there are fewer. Each points to its largest entry, so signs are fixed."""
    axes = _principal_axes(unit)
    points = np.zeros((len(unit), 2))
    points[:, : axes.shape[1]] = (unit - unit.mean(axis=0, dtype=np.float64)) @ axes
    return points


def _principal_axes(vectors: Array) -> Array:
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)  # ascending
    axes = axes[:, ::-1][:, :2]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(axes)


def _perplexity(perplexity: float | Literal["auto"], songs: int) -> float:
    """The square root of the number of songs, from 5 to 50, but never more than a third of the other songs."""
    highest = max(1.0, (songs - 1) / 3)
    if perplexity == "auto":
        return min(max(5.0, min(math.sqrt(songs), 50.0)), highest)
    check_float("perplexity", perplexity, 1)
    if songs >= FEWEST and perplexity > highest:
        raise ArgumentError(f"perplexity={perplexity!r}: at most {highest:.1f}, a third of the other songs, is allowed for {songs} songs")
    return float(perplexity)


def _chosen(method: Method, songs: int) -> str:
    installed = importlib.util.find_spec("openTSNE") is not None
    if method == "opentsne" and not installed:
        raise MissingExtraError("openTSNE", "maps", "method='opentsne'")
    if method != "auto" or songs <= SWITCH:
        return "sklearn" if method == "auto" else method
    if not installed:
        logger.warning("a map of %d songs by scikit-learn is slow; openTSNE is faster: pip install 'song2vec[maps]'", songs)
    return "opentsne" if installed else "sklearn"


def _sklearn(unit: Array, start: Array, perplexity: float, seed: int, threads: int) -> Array:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    learner = TSNE(perplexity=perplexity, init=start.astype(np.float32), random_state=seed)
    with threadpool_limits(threads):  # its n_jobs is for the neighbours only
        return np.asarray(learner.fit_transform(unit), np.float64)


def _opentsne(unit: Array, start: Array, perplexity: float, seed: int, threads: int) -> Any:
    from openTSNE import TSNE

    neighbours = "exact" if len(unit) <= EXACT_UP_TO else "annoy"
    learner = TSNE(perplexity=perplexity, initialization=start, neighbors=neighbours, random_state=seed, n_jobs=threads)
    return learner.fit(unit)


def idle_cores() -> int:
    """Cores of this process that nothing else uses at the moment, at least one; all of them where the system does not say.

    t-SNE's threads wait for one another at every step by spinning, so two of them that share their cores with other work
    can be ten times slower than a single one. The number of threads changes nothing else: coordinates are the same bytes.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    before = _idle_seconds()
    if cores == 1 or before is None:
        return cores
    begun = time.monotonic()
    time.sleep(_SAMPLE)
    idle = ((_idle_seconds() or before) - before) / (time.monotonic() - begun)
    return max(1, min(cores, round(idle)))


def _idle_seconds() -> float | None:
    """Seconds that all cores together have idled since the machine started; known on Linux only."""
    try:
        fields = _STAT.read_text().split("\n", 1)[0].split()
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")  # idle, and waiting for a disk
    except (OSError, ValueError, IndexError):
        return None
