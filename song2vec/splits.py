"""Sessions for training and sessions for testing."""

from __future__ import annotations

import numpy as np

from song2vec.errors import ArgumentError
from song2vec.seeding import generator
from song2vec.sessions import Sessions


def split_at_random(sessions: Sessions, test: float = 0.2, *, seed: int = 0) -> tuple[Sessions, Sessions]:
    """Split by session: a share ``test`` of the sessions, chosen at random, is held out.

    Returns (train, test), both over the catalogue of ``sessions``: a song that only test sessions hold has no play in
    train. Raises ArgumentError when either side would be empty.
    """
    if not 0 < test < 1:
        raise ArgumentError(f"test={test!r}: a share between 0 and 1 is allowed")
    held_out = round(test * len(sessions))
    if not 0 < held_out < len(sessions):
        raise ArgumentError(f"test={test!r} of {len(sessions)} sessions leaves one side empty; more sessions are needed")
    order = generator(seed, "split").permutation(len(sessions))
    return sessions.select(np.sort(order[held_out:])), sessions.select(np.sort(order[:held_out]))
