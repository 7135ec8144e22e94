"""RecBole's atomic interaction files: ``.inter``, a tab-separated table whose header gives each column's type."""

from __future__ import annotations

import re

from song2vec.listens import scanning, tables
from song2vec.listens.reader import FormatError, Reader, Rows, Source, train_first

_TYPED = re.compile(r"[^:]+:(token|float)(_seq)?")


class RecBole(Reader):
    name = "recbole"
    title = "RecBole interactions"
    looks_like = ".inter with a typed header: user_id:token, item_id:token, timestamp:float, session_id:token"

    def recognise(self, source: Source) -> bool:
        """An ``.inter`` file with a typed header: ``user_id:token  item_id:token  timestamp:float``."""
        names = scanning.header(source)
        return source.suffix == ".inter" and bool(names) and all(_TYPED.fullmatch(name) for name in names)

    def read(self, sources: list[Source]) -> Rows:
        """All files as one table: train, valid, test."""
        sources = train_first(sources)
        for source in sources:
            self._check(source, scanning.header(sources[0]))
        typed = {name.split(":")[0]: name for name in scanning.header(sources[0])}
        found = tables.find_columns(typed)
        return tables.read_tables(sources, {wanted: [typed[name] for name in names] for wanted, names in found.items()})

    def _check(self, source: Source, expected: list[str]) -> None:
        names = scanning.header(source)
        if not self.recognise(source):
            message = f"columns are {', '.join(names) or 'not readable'}; a typed header such as user_id:token, item_id:token is expected"
            raise FormatError(source.where, message, line=1)
        if names != expected:
            raise FormatError(source.where, f"columns are {', '.join(names)}; the other files have {', '.join(expected)}", line=1)
        lists = next((name for name in names if name.endswith("_list:token_seq")), None)
        if lists is not None:  # each row repeats the session so far: read as plays, every song would count many times
            raise FormatError(source.where, "sessions are cut into all their beginnings; one play a row is allowed", line=1, field=lists)
