"""One seed in, every generator out. Global generators stay untouched."""

from __future__ import annotations

import numpy as np

from song2vec.core.checks import check_seed


def generator(seed: int, purpose: str, name: str = "seed") -> np.random.Generator:
    """A NumPy generator for one purpose: the same seed gives unrelated streams to unrelated uses. Errors call the seed by its name."""
    return np.random.default_rng([check_seed(seed, name), *purpose.encode()])
