"""Mini-batches of many sessions side by side, planned for a whole epoch before it begins.

Sessions 7 3 3, 5 1, 2 8 4 and 6 9 in two slots, as (input -> target), "|" where a slot takes over the next session::

    step      0        1         2        3
    slot 0  7 -> 3   3 -> 3   | 2 -> 8   8 -> 4
    slot 1  5 -> 1 | 6 -> 9

A slot takes the next session when its own ends, and that slot's state alone is zeroed, for that step alone. When no
session is left the slot is dropped and the batch goes on, smaller, to the last play.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.sessions import Sessions

CONTINUES, NEW_SESSION, NEW_LISTENER = 0, 1, 2


@dataclass(frozen=True)
class BatchPlan:
    """The batches of an epoch. Step t holds the entries begin[t] to begin[t + 1], an entry for each live slot.

    Attributes:
        begin: (steps + 1,) int64.
        plays: (entries,) int64, positions of the inputs in the songs of the sessions; the target is the play after.
        carried: (entries,) int64, the entry of the step before, counted from its first, whose state this one carries on.
        starts: (entries,) int8: CONTINUES, NEW_SESSION (of the same listener), or NEW_LISTENER, which carries nothing on.
    """

    begin: Array
    plays: Array
    carried: Array
    starts: Array

    @property
    def steps(self) -> int:
        """How many batches there are."""
        return len(self.begin) - 1


def session_parallel(sessions: Sessions, order: Array, slots: int) -> BatchPlan:
    """Sessions in this order over so many slots; each as if of a listener of its own. Those under two plays have no target."""
    order = order[sessions.lengths[order] > 1]
    return _plan(sessions, order, np.arange(len(order) + 1), slots)


def listener_parallel(sessions: Sessions, listeners: Array, slots: int) -> BatchPlan:
    """Listeners in this order over so many slots, each with all sessions of two plays and more, oldest first."""
    place = np.empty(len(sessions.listeners), np.int64)
    place[listeners] = np.arange(len(listeners))
    start = np.zeros(len(sessions), np.int8) if sessions.start is None else sessions.start
    order = np.lexsort((start, place[sessions.listener]))
    order = order[sessions.lengths[order] > 1]
    begins = np.flatnonzero(np.diff(place[sessions.listener[order]], prepend=-1))
    return _plan(sessions, order, np.append(begins, len(order)), slots)


def _plan(sessions: Sessions, order: Array, listeners: Array, slots: int) -> BatchPlan:
    events = int((sessions.lengths[order] - 1).sum())
    begin, plays, carried = np.empty(events + 1, np.int64), np.empty(events, np.int64), np.empty(events, np.int64)
    starts = np.empty(events, np.int8)
    steps = _walk(sessions.offsets, order, listeners.astype(np.int64), min(slots, len(listeners) - 1), begin, plays, carried, starts)
    return BatchPlan(begin[: steps + 1].copy(), plays, carried, starts)


@jit
def _walk(offsets: Array, order: Array, listeners: Array, slots: int, begin: Array, plays: Array, carried: Array, starts: Array) -> int:
    """Fill the plan; listener u has the sessions order[listeners[u]:listeners[u + 1]]. Returns how many steps."""
    listener, at, play = np.arange(slots), listeners[:slots].copy(), offsets[order[listeners[:slots]]]
    source, flag = np.zeros(slots, np.int64), np.full(slots, NEW_LISTENER, np.int8)
    live, next_listener, step, entry = slots, slots, 0, 0
    while live:
        begin[step] = entry
        for slot in range(live):
            plays[entry], carried[entry], starts[entry] = play[slot], source[slot], flag[slot]
            entry += 1
        step += 1
        kept = 0
        for slot in range(live):
            who, session, position, kind = listener[slot], at[slot], play[slot] + 1, CONTINUES
            if position + 1 == offsets[order[session] + 1]:
                session += 1
                kind = NEW_SESSION
                if session == listeners[who + 1]:
                    if next_listener == len(listeners) - 1:
                        continue
                    who, kind = next_listener, NEW_LISTENER
                    session = listeners[who]
                    next_listener += 1
                position = offsets[order[session]]
            listener[kept], at[kept], play[kept], source[kept], flag[kept] = who, session, position, slot, kind
            kept += 1
        live = kept
    begin[step] = entry
    return step
