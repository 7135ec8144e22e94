"""One seed in, every generator out. Global generators stay untouched."""

from __future__ import annotations

import numpy as np

from song2vec.errors import ArgumentError

MAX_SEED = 2**31 - 1  # what gensim, Annoy and scikit-learn all accept


def check_seed(seed: int, name: str = "seed") -> int:
    """Return ``seed`` if it is an integer in 0..2**31-1, else raise ArgumentError, which calls it by this name."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
        raise ArgumentError(f"{name}={seed!r}: an integer from 0 to {MAX_SEED} is allowed")
    return int(seed)


def generator(seed: int, purpose: str, name: str = "seed") -> np.random.Generator:
    """A NumPy generator for one purpose: the same seed gives unrelated streams to unrelated uses. Errors call the seed by its name."""
    return np.random.default_rng([check_seed(seed, name), *purpose.encode()])
