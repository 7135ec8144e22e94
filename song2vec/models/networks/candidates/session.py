"""What is known of one session beside its songs: when it began, and its context."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import numpy as np
import polars as pl

from song2vec.catalogue import SongId
from song2vec.core.errors import ArgumentError
from song2vec.models.live import LiveSession, SessionState
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class SessionContext:
    """What is known of one session.

    Attributes:
        at: when it began, epoch seconds; None where it is not known.
        context: texts by column.
    """

    at: int | None = None
    context: Mapping[str, str | None] | None = None

    @classmethod
    def of(cls, at: datetime | int | None, context: Mapping[str, str | None] | None, columns: Collection[str]) -> Self:
        """Raises ArgumentError for what is no time, no text by column, and for columns other than these."""
        far = isinstance(at, int | np.integer) and not -(2**62) < at < 2**62
        if far or isinstance(at, bool) or not isinstance(at, datetime | int | np.integer | None):
            raise ArgumentError(f"at={at!r}: epoch seconds, a datetime or None is allowed")
        texts = isinstance(context, Mapping) and all(isinstance(value, str | None) for value in context.values())
        if context is not None and not texts:
            raise ArgumentError(f"context={context!r}: texts by column are allowed, such as {{'country': 'SE'}}")
        for name in context or ():
            if name not in columns:
                allowed = f"{', '.join(map(repr, columns))} are allowed" if columns else "this model has learned from no context"
                raise ArgumentError(f"context: {name!r} is no column that the model has learned from; {allowed}")
        seconds = at.timestamp() if isinstance(at, datetime) else at
        return cls(None if seconds is None else int(seconds), None if context is None else dict(context))

    def given_to(self, session: Sessions) -> Sessions:
        """One session with what is known of it."""
        if self.at is not None:
            session = replace(session, start=np.array([self.at], np.int64))
        if self.context is not None:
            frame = pl.DataFrame({name: [value] for name, value in self.context.items()}, schema=dict.fromkeys(self.context, pl.String))
            session = replace(session, context=frame)
        return session


class ContextSession(LiveSession):
    """A live session of which more is known than its songs; ``columns`` of context are those that the model has learned from."""

    def __init__(self, model: Any, listener: SongId | None, known: SessionContext, columns: Collection[str]) -> None:
        super().__init__(model, listener)
        self._known, self._columns = known, columns

    @property
    def _asked(self) -> dict[str, Any]:
        return vars(self._known)

    def state(self) -> SessionState:
        state = super().state()
        state.details = {"known": self._asked}
        return state

    def resume(self, state: SessionState) -> Self:
        saved = SessionContext(**state.details.get("known", {}))
        context = {name: value for name, value in (saved.context or {}).items() if name in self._columns}
        self._known = SessionContext(saved.at, context or None)
        return super().resume(state)
