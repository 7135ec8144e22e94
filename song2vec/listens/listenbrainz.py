"""ListenBrainz: exports, API answers and dumps; https://listenbrainz.readthedocs.io (JSON documentation)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from song2vec.listens import scanning
from song2vec.listens.json_values import NUMBER, TEXT, Fields, json_frame, parse_json, parse_json_text, seconds_of, text_of
from song2vec.listens.reader import FileReader, FormatError, Rows, Source, oldest_first
from song2vec.listens.times import parse_time

_LINES, _PARQUET = (".jsonl", ".ndjson", ".listens"), (".parquet", ".pq")
_NEEDED: Fields = {"listened_at": NUMBER, "artist_name": TEXT, "track_name": TEXT}
_OPTIONAL: Fields = {"recording_mbid": TEXT, "duration_seconds": NUMBER, "listener": TEXT}
_COLUMNS = {"listened_at": "time", "artist_name": "artist", "track_name": "title", "recording_mbid": "song"}
_DUMP_NEEDED = ("listened_at", "artist_name", "recording_name")
_DUMP_COLUMNS = {"listened_at": "time", "recording_mbid": "song", "artist_name": "artist", "recording_name": "title"}


class ListenBrainz(FileReader):
    name = "listenbrainz"
    title = "ListenBrainz"
    looks_like = ".json or .jsonl with track_metadata, .listens (in .tar.zst dumps), .parquet with listened_at and recording_name"

    def recognise(self, source: Source) -> bool:
        """A dump's ending or columns, or JSON with listened_at and track_metadata."""
        if source.suffix in _PARQUET:
            return set(scanning.header(source)) >= set(_DUMP_NEEDED)
        if source.suffix == ".listens":
            return True
        head = source.head_text if source.suffix in (".json", *_LINES) else ""
        return '"track_metadata"' in head and '"listened_at"' in head

    def rows(self, source: Source) -> Rows:
        """A song is its MusicBrainz recording id, else "artist - title". A listen's time is when it began."""
        if source.suffix in _PARQUET:
            return Rows(_dump(source))
        listens = [_flat(listen, source.where, number) for number, listen in enumerate(_listens(source), 1)]
        frame = json_frame(listens, source.where, _NEEDED, _OPTIONAL).rename(_COLUMNS, strict=False)
        return Rows(oldest_first(frame, source.where))


def _dump(source: Source) -> pl.DataFrame:
    listener = "user_id" if "user_id" in scanning.header(source) else "user_name"
    frame = scanning.columns_of(source, {**_DUMP_COLUMNS, listener: "listener"}, _DUMP_NEEDED)
    texts = [name for name, dtype in frame.schema.items() if name != "time" and not (name == "listener" and dtype.is_integer())]
    with scanning.readable(source.where, "dump"):
        return frame.cast(dict.fromkeys(texts, pl.String())).with_columns(parse_time(frame["time"], source.where))


def _listens(source: Source) -> Iterator[Any]:
    """Every listen, out of an array, an API answer, a single object, or one of these a line."""
    by_line = source.suffix in _LINES or _is_lines(source.head_text)
    values = (parse_json_text(line, source.where, line=number) for number, line in source.lines()) if by_line else [parse_json(source)]
    for value in values:
        inner = value.get("payload", value) if isinstance(value, dict) else value
        if isinstance(inner, dict):
            inner = inner.get("listens", inner)
        yield from inner if isinstance(inner, list) else [inner]


def _is_lines(head: str) -> bool:
    """Whether JSON Lines lie under a name that does not say so: the first line is a whole object, and another follows."""
    first, _, rest = head.partition("\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _flat(listen: Any, where: str, number: int) -> dict[str, Any]:
    """The fields of one listen that are used; a key that it lacks stays away, so that it can be missed."""
    if not isinstance(listen, dict):
        raise FormatError(where, f"item {number} is {listen!r:.60}; an object is expected")
    track = listen.get("track_metadata")
    if not isinstance(track, dict):
        found = f"has {track!r:.60}" if "track_metadata" in listen else "has none"
        raise FormatError(where, f"item {number} {found}; an object is needed", field="track_metadata")
    flat = {name: track[name] for name in ("artist_name", "track_name") if name in track}
    times = [listen[name] for name in ("listened_at", "timestamp") if name in listen]  # dumps say timestamp
    if times or listen.get("playing_now"):
        flat["listened_at"] = times[0] if times else None
    flat["listener"] = text_of(listen.get("user_name", listen.get("user_id")))
    # players send ids and lengths unchecked: what is none counts as absent
    info, mapping = (found if isinstance(found, dict) else {} for found in (track.get("additional_info"), track.get("mbid_mapping")))
    mbids = [text_of(found.get("recording_mbid")) for found in (info, mapping)]
    seconds = [seconds_of(info.get("duration_ms"), 0.001), seconds_of(info.get("duration"))]
    return flat | {"recording_mbid": next(filter(None, mbids), None), "duration_seconds": next(filter(None, seconds), None)}
