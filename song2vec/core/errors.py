"""Every error song2vec raises on purpose; each message says what was found and what is allowed."""

from __future__ import annotations


class Song2VecError(Exception):
    """Parent of all errors raised on purpose. Catch this one to catch them all."""


class ArgumentError(Song2VecError, ValueError):
    """An argument has a value that is not allowed; names the argument, the value and what is."""


class FormatError(Song2VecError, ValueError):
    """A file is not what it claims to be; names the file and, where known, the line and the field."""

    def __init__(self, file: object, problem: str, *, line: int | None = None, field: str | None = None) -> None:
        self.file, self.line, self.field = str(file), line, field
        where = self.file
        if line is not None:
            where += f", line {line}"
        if field is not None:
            where += f", field {field!r}"
        super().__init__(f"{where}: {problem}")


class NothingLeftError(Song2VecError, ValueError):
    """Every row, song or session was dropped; says by which rule, so that the rule can be loosened."""


class UnknownSongError(Song2VecError, KeyError):
    """A song is not in the catalogue; suggests the nearest names when it knows some."""

    def __str__(self) -> str:  # KeyError would print the message in quotes
        return str(self.args[0])


class AmbiguousSongError(Song2VecError, LookupError):
    """A name fits several songs; lists them as ``candidates`` (song ids, best known first)."""

    def __init__(self, message: str, candidates: list[str | int]) -> None:
        self.candidates = candidates
        super().__init__(message)


class SavedFolderError(Song2VecError, ValueError):
    """A saved folder is truncated, corrupt, foreign or of another kind, and was not loaded."""


class MissingExtraError(Song2VecError, ImportError):
    """An optional package is not installed; says which extra brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'song2vec[{extra}]'")
