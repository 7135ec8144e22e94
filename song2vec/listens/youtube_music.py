"""YouTube Music, as Google Takeout exports its watch history among that of all YouTube."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from song2vec.listens.json_values import FLAG, TEXT, Fields, is_json_with, json_frame, parse_json_array
from song2vec.listens.reader import FileReader, FormatError, Rows, Source, oldest_first
from song2vec.listens.schema import sift

_NAME = re.compile(r"watch-history.*\.json", re.IGNORECASE)
_NEEDED: Fields = {"header": TEXT, "title": TEXT, "time": TEXT}
_OPTIONAL: Fields = {"titleUrl": TEXT, "channel": TEXT, "advertisement": FLAG}
_VIDEO = r"[?&]v=([\w-]+)"
# What Takeout puts around a title, in the language of the account. Other languages keep it: the song's id is its video.
_BEFORE = (
    "Watched |Vous avez regardé |Has visto |Viste |Hai guardato |Você assistiu a |Assistiu a |Visualizou |Angesehen: "
    "|Je hebt gekeken naar |Bekeken: |Obejrzano: |Obejrzano |Ați vizionat |Просмотрено: |Tittade på |Du så på "
)
_AFTER = " angesehen| bekeken| を視聴しました| izlendi| 시청함"
_AROUND = f"^(?:{_BEFORE})|(?:{_AFTER})$"


class YouTubeMusic(FileReader):
    name = "youtube-music"
    title = "YouTube Music (Google Takeout)"
    looks_like = "watch-history.json"

    def recognise(self, source: Source) -> bool:
        """The file's name, which Takeout translates, or entries with its keys that link to videos (searches link to none)."""
        linked = is_json_with(source, "header", "titleUrl") and "/watch?v" in source.head_text
        return linked or _NAME.fullmatch(source.name) is not None

    def rows(self, source: Source) -> Rows:
        """Oldest play first; a song is its video's id."""
        items = [_flat(item, source.where, number) for number, item in enumerate(parse_json_array(source), 1)]
        frame = oldest_first(json_frame(items, source.where, _NEEDED, _OPTIONAL), source.where)
        frame = frame.with_columns(song=pl.col("titleUrl").str.extract(_VIDEO) if "titleUrl" in frame.columns else pl.lit(None, pl.String))
        rules = {"not from YouTube Music": pl.col("header").ne_missing("YouTube Music")}
        if "advertisement" in frame.columns:
            rules["advertisement"] = pl.col("advertisement")
        frame, dropped = sift(frame, {**rules, "without a video link (removed, or no play)": pl.col("song").is_null()})
        title = pl.col("title").str.replace_all(_AROUND, "")
        frame = frame.with_columns(title=pl.when(~title.str.starts_with("https://")).then(title))  # a removed video's title is its link
        if (
            "channel" in frame.columns
        ):  # "Low - Topic" is the artist's own channel; "Release - Topic" is that of songs whose artist has none
            artist = pl.col("channel").str.strip_suffix(" - Topic")
            frame = frame.with_columns(artist=pl.when(pl.col("channel") != "Release - Topic").then(artist))
        return Rows(frame, dropped)


def _flat(item: dict[str, Any], where: str, number: int) -> dict[str, Any]:
    """The fields that are used; of those that are arrays of objects, the name of the first."""
    flat = {name: item[name] for name in (*_NEEDED, "titleUrl") if name in item}
    for field, column in (("subtitles", "channel"), ("details", "advertisement")):
        entries: Any = item.get(field)
        some = entries is not None and entries != []
        if some and not (isinstance(entries, list) and isinstance(entries[0], dict)):
            raise FormatError(where, f"item {number} has {entries!r:.60}; an array of objects is allowed", field=field)
        flat[column] = entries[0].get("name") if some else None
    return flat | {"advertisement": flat["advertisement"] == "From Google Ads" or None}
