"""Session sets as GRU4Rec and its followers share them: a table with ``SessionId``, ``ItemId`` and ``Time`` columns."""

from __future__ import annotations

from song2vec.listens import scanning, tables
from song2vec.listens.reader import FormatError, Reader, Rows, Source

_SUFFIXES = (".tsv", ".csv", ".txt", ".tab", ".dat")
_NEEDED = {"sessionid", "itemid"}


class GRU4RecTSV(Reader):
    name = "gru4rec-tsv"
    title = "GRU4Rec session sets"
    looks_like = ".tsv, .csv, .txt with the columns SessionId, ItemId, Time and perhaps UserId (30Music)"

    def recognise(self, source: Source) -> bool:
        """A table with a session id and an item id among its columns; capitals and underscores do not matter."""
        return source.suffix in _SUFFIXES and {tables.plain(name) for name in scanning.header(source)} >= _NEEDED

    def read(self, sources: list[Source]) -> Rows:
        """All files as one table; ``UserId`` becomes the listener where there is one, else each session stands for one."""
        for source in sources:
            if not self.recognise(source):
                message = f"columns are {', '.join(scanning.header(source)) or 'not readable'}; SessionId, ItemId and Time are expected"
                raise FormatError(source.where, message, line=1)
        return tables.read_tables(sources)
