"""AOTM-2011: playlists of the Art of the Mix (McFee & Lanckriet, Hypergraph models of playlist dialects, ISMIR 2012)."""

from __future__ import annotations

from typing import Any

from song2vec.listens.json_values import ID, TEXT, columns_of_rows, needed, parse_json_array, text_of
from song2vec.listens.reader import FileReader, FormatError, Rows, Source


class AOTM2011(FileReader):
    name = "aotm-2011"
    title = "Art of the Mix 2011"
    looks_like = "aotm2011_playlists.json: mix_id, user, playlist"

    def recognise(self, source: Source) -> bool:
        """JSON with mixes that have a ``mix_id`` and a ``playlist``."""
        return source.suffix == ".json" and b'"mix_id"' in source.head and b'"playlist"' in source.head

    def rows(self, source: Source) -> Rows:
        """All mixes. Songs are known by artist and title: most have no id, and one song with two names must not split."""
        rows = []
        for number, mix in enumerate(parse_json_array(source), 1):
            names, user = _songs(mix, source.where, number), mix.get("user")
            mix_id = needed(mix, "mix_id", int, source.where, f"mix {number}")
            rows += [(mix_id, text_of(user.get("name")) if isinstance(user, dict) else None, *song) for song in names]
        frame = columns_of_rows(rows, {"session": ID, "listener": TEXT, "artist": TEXT, "title": TEXT})
        return Rows(frame if any(frame["listener"]) else frame.drop("listener"))


def _songs(mix: dict[str, Any], where: str, number: int) -> list[tuple[str | None, str | None]]:
    """``[[["artist", "title"], "id" or null], ...]`` -> artists and titles."""
    songs = []
    for place, entry in enumerate(needed(mix, "playlist", list, where, f"mix {number}"), 1):
        names = entry[0] if isinstance(entry, list) and entry else None
        if not isinstance(names, list) or len(names) != 2:
            message = f"mix {number} song {place} is {entry!r:.60}; [[artist, title], id or null] is expected"
            raise FormatError(where, message, field="playlist")
        songs.append((text_of(names[0]), text_of(names[1])))
    return songs
