"""Traps of the personal play logs that the contract battery does not show."""

from __future__ import annotations

import io
import json
import logging
import tarfile
from datetime import UTC, datetime

import polars as pl
import pytest
import zstandard

from song2vec.core.errors import FormatError, NothingLeftError
from song2vec.listens import READERS, read_listens
from song2vec.listens.sources import collect
from tests.listens.samples import apple_music, listenbrainz, sample_of, youtube_music
from tests.listens.samples.listenbrainz import MONKEY, listen
from tests.listens.samples.spotify_extended import MYKONOS, play, song
from tests.listens.samples.youtube_music import watched

SPOTIFY = [play("2020-01-01T00:03:05Z", 185_000, **MYKONOS) for _ in range(20)]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def claimed_by(path):
    return [name for name, reader in READERS.items() for source in collect(path) if reader().recognise(source)]


def times(listens):
    return [time.replace(tzinfo=None).isoformat(sep=" ") for time in listens.table["time"]]


# Spotify


def test_spotify_extended_is_known_by_its_keys_under_any_name(tmp_path):
    listens = read_listens(write(tmp_path / "my plays.json", SPOTIFY))
    assert (listens.report.format, len(listens)) == ("spotify-extended", 20)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"ms_played": "185000"}, "item 17 has '185000'; a number or null is allowed"),
        ({"ms_played": True}, "item 17 has True; a number or null is allowed"),
        ({"ms_played": 10**30}, "a number or null is allowed"),
        ({"ts": 1577836985}, "item 17 has 1577836985; a text or null is allowed"),
        ({"skipped": "no"}, "item 17 has 'no'; true, false or null is allowed"),
    ],
)
def test_a_spotify_field_of_the_wrong_kind_is_named_with_its_item(changed, found, tmp_path):
    path = write(tmp_path / "endsong_0.json", [*SPOTIFY[:16], SPOTIFY[16] | changed, *SPOTIFY[17:]])
    with pytest.raises(FormatError) as raised:
        read_listens(path)
    assert found in str(raised.value)
    assert (raised.value.file, raised.value.field) == (str(path), next(iter(changed)))


@pytest.mark.parametrize("key", ["ts", "ms_played", "master_metadata_track_name"])
def test_a_needed_spotify_field_that_is_missing_is_named_with_its_item(key, tmp_path):
    path = write(tmp_path / "endsong_0.json", [*SPOTIFY[:16], {k: v for k, v in SPOTIFY[16].items() if k != key}])
    with pytest.raises(FormatError, match=rf"field '{key}': item 17 has none"):
        read_listens(path)


@pytest.mark.parametrize("content", [[{"a": 1}] * 3, {"plays": SPOTIFY}, [1, 2], "text"])
def test_a_spotify_file_of_other_content_is_an_error(content, tmp_path):
    with pytest.raises(FormatError, match=r"endsong_0\.json"):
        read_listens(write(tmp_path / "endsong_0.json", content))


def test_a_spotify_row_with_an_unreadable_time_is_dropped_with_a_count(tmp_path):
    path = write(tmp_path / "endsong_0.json", [*SPOTIFY, SPOTIFY[0] | {"ts": "yesterday"}, SPOTIFY[0] | {"ts": None}])
    assert read_listens(path).report.dropped == {"without a readable time": 2}


def test_a_spotify_play_without_a_length_began_when_it_stopped(tmp_path):
    listens = read_listens(write(tmp_path / "endsong_0.json", [SPOTIFY[0] | {"ms_played": None}]))
    assert times(listens) == ["2020-01-01 00:03:05"]
    assert listens.table["played_seconds"].to_list() == [None]


def test_spotify_users_stay_apart_when_files_name_several(tmp_path):
    rows = [SPOTIFY[0] | {"username": name} for name in ("ann", "bob", "", None)]
    assert read_listens(write(tmp_path / "endsong_0.json", rows)).table["listener"].to_list() == ["ann", "bob", "me", "me"]


def test_spotify_rows_that_files_repeat_are_kept(tmp_path):
    for name in ("endsong_0.json", "endsong_1.json"):
        write(tmp_path / name, SPOTIFY[:3])
    assert len(read_listens(tmp_path)) == 6


def test_a_lone_half_of_a_character_in_a_title_is_read(tmp_path):
    text = json.dumps([play("2020-01-01T00:03:05Z", 1, **song(None, "Low", "half \ud83d"))]).encode()
    assert read_listens(write(tmp_path / "endsong_0.json", text)).table["title"].to_list() == ["half \ufffd"]


def test_spotify_account_leaves_podcasts_alone(tmp_path):
    sample_of("spotify-account").write(tmp_path)
    podcasts = [{"endTime": "2020-01-01 00:03", "podcastName": "P", "episodeName": "E", "msPlayed": 1}]
    path = write(tmp_path / "StreamingHistory_podcast_0.json", podcasts)
    listens = read_listens(tmp_path)
    assert len(listens) == 4
    assert listens.report.ignored == [str(path)]


@pytest.mark.parametrize("name", ["StreamingHistory0", "StreamingHistory", "StreamingHistory_music_12", "StreamingHistory1 (2)"])
def test_spotify_account_names(name, tmp_path):
    assert claimed_by(write(tmp_path / f"{name}.json", [])) == ["spotify-account"]


def test_spotify_account_moves_a_start_only_where_the_minute_explains_it(tmp_path):
    entry = {"artistName": "Low", "trackName": "Monkey"}
    overlapping = [{"endTime": "2020-01-01 10:00", "msPlayed": 10_000}, {"endTime": "2020-01-01 10:01", "msPlayed": 600_000}]
    listens = read_listens(write(tmp_path / "StreamingHistory0.json", [entry | play for play in overlapping]))
    assert times(listens) == ["2020-01-01 09:59:50", "2020-01-01 09:51:00"]


# Last.fm


def test_a_lastfm_log_in_the_order_of_play_is_left_so(tmp_path):
    lines = [f"ann\t2020-01-01T00:0{minute}:00Z\t\tLow\t\tSong {minute}\n" for minute in range(5)]
    forward, backward = write(tmp_path / "a.tsv", "".join(lines).encode()), write(tmp_path / "b.tsv", "".join(lines[::-1]).encode())
    assert read_listens(forward).table.equals(read_listens(backward).table)
    assert read_listens(forward).table["title"].to_list() == [f"Song {minute}" for minute in range(5)]


def test_lastfm_1k_in_other_encodings_and_line_ends(tmp_path):
    plain = read_listens(sample_of("lastfm-1k").write(tmp_path / "plain"))
    (content,) = sample_of("lastfm-1k").files.values()
    for name, changed in {"dos": content.replace(b"\n", b"\r\n"), "utf16": content.decode().encode("utf-16")}.items():
        assert read_listens(write(tmp_path / f"{name}.tsv", changed)).table.equals(plain.table), name


def test_lastfm_1k_with_too_few_columns_is_an_error(tmp_path):
    with pytest.raises(FormatError, match=r"a\.tsv, line 1: not a readable table of 6 columns"):
        read_listens(write(tmp_path / "a.tsv", b"ann\tbob\n"), format="lastfm-1k")


@pytest.mark.parametrize("header", ["", "artist,album,title,date\n", "Artist,Album,Track,Date\n"])
def test_lastfm_csv_of_four_columns(header, tmp_path):
    rows = (
        '"Wilco",A Ghost Is Born,"Still Playing",\n'
        'Wilco,Yankee Hotel Foxtrot,"Jesus, Etc.",05 Dec 2022 16:52\n'
        "Björk,Homogenic,Jóga,05 Dec 2022 16:47\n"
        'Low,,"""Monkey""",05 Dec 2022 16:47\n'
    )
    listens = read_listens(write(tmp_path / "ann.csv", (header + rows).encode()))
    assert listens.report.format == "lastfm-csv"
    assert listens.table["song"].to_list() == ['Low - "Monkey"', "Björk - Jóga", "Wilco - Jesus, Etc."]
    assert times(listens) == ["2022-12-05 16:47:00", "2022-12-05 16:47:00", "2022-12-05 16:52:00"]
    assert listens.report.dropped == {"without a readable time": 1}


def test_lastfm_csv_of_neither_form_says_what_is_allowed(tmp_path):
    with pytest.raises(FormatError, match=r"a\.csv, line 1: has neither a header with artist, track, uts nor lines"):
        read_listens(write(tmp_path / "a.csv", b"a,b\n1,2\n"), format="lastfm-csv")


# .scrobbler.log

HEADER = b"#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/x\n"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (b"Low\tA\tMonkey\t1\t259\tX\t1577836800\t", r"line 5, field 'rating': has 'X'; L \(listened\) or S \(skipped\) is allowed"),
        (b"Low\tA\tMonkey\t1\tlong\tL\t1577836800\t", r"line 5, field 'duration': has 'long'; a number or nothing is allowed"),
        (b"Low\tA\tMonkey\t1\t259\tL\tinf\t", r"line 5, field 'time': has 'inf'"),
    ],
)
def test_a_wrong_scrobbler_field_is_named_with_its_line(fields, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read_listens(write(tmp_path / ".scrobbler.log", HEADER + b"Low\tA\tMonkey\t1\t259\tL\t1577836800\t\n" + fields))


def test_a_scrobbler_log_of_a_player_without_a_zone_says_so(tmp_path, caplog):
    line = b"Low\tA\tMonkey\t1\t259\tL\t1577836800\t\n"
    with caplog.at_level(logging.WARNING, "song2vec"):
        read_listens(write(tmp_path / "utc.scrobbler.log", HEADER + line))
        assert not caplog.records
        read_listens(write(tmp_path / "unknown.scrobbler.log", HEADER.replace(b"UTC", b"UNKNOWN") + line))
    assert "taken as UTC" in caplog.text


def test_the_dotted_scrobbler_log_in_a_folder_is_found(tmp_path):
    write(tmp_path / ".scrobbler.log", HEADER + b"Low\tA\tMonkey\t1\t259\tL\t1577836800\t\n")
    assert len(read_listens(tmp_path)) == 1


# ListenBrainz

LISTENS = listenbrainz.NEWEST_FIRST[1:]


def as_lines(values):
    return "".join(json.dumps(value) + "\n" for value in values).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", {"payload": {"count": 3, "user_id": "ann", "listens": LISTENS}}),
        ("b.json", {"listen_type": "import", "payload": LISTENS}),
        ("c.json", {"listens": LISTENS}),
        ("d.jsonl", as_lines(LISTENS)),
        ("e.json", as_lines(LISTENS)),
        ("f.listens", b"\xef\xbb\xbf" + as_lines(LISTENS).replace(b"\n", b"\r\n\r\n")),
        ("g.json", json.dumps(LISTENS, indent=4).encode("utf-16")),
        ("h.ndjson", as_lines(LISTENS[::-1])),
    ],
)
def test_listenbrainz_in_every_json_form(name, content, tmp_path):
    plain = read_listens(write(tmp_path / "plain.json", LISTENS))
    listens = read_listens(write(tmp_path / name, content))
    assert listens.report.format == "listenbrainz"
    assert listens.table.equals(plain.table)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_listen_without_a_user(indent, tmp_path):
    path = write(tmp_path / "one.json", json.dumps(listen(1577836800, "Low", "Monkey"), indent=indent).encode())
    assert read_listens(path).table.select("listener", "song").rows() == [("me", "Low - Monkey")]


def test_listens_in_a_dump_say_timestamp_and_user_id(tmp_path):
    dumped = []
    for user, entry in enumerate(LISTENS):
        entry = {"timestamp": entry["listened_at"], "user_id": user, **entry}
        del entry["listened_at"], entry["user_name"]
        dumped.append(entry)
    raw, lines = io.BytesIO(), as_lines(dumped)
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in {"listens/2020/1.listens": lines, "COPYING": b"CC0"}.items():
            member = tarfile.TarInfo(f"listenbrainz-dump/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    path = write(tmp_path / "dump.tar.zst", zstandard.compress(raw.getvalue()))
    listens = read_listens(path)
    assert listens.report.ignored == [f"{path}/listenbrainz-dump/COPYING"]
    assert listens.table["listener"].to_list() == ["2", "1", "0"]
    assert times(listens) == ["2020-01-01 00:00:00", "2020-01-01 00:00:00", "2020-01-01 00:10:00"]


def test_the_parquet_dump(tmp_path):
    start = datetime(2020, 1, 1, tzinfo=UTC)
    ids = {"user_id": [7, 8], "recording_msid": ["x", "y"], "recording_mbid": [MONKEY, None], "artist_credit_mbids": [["q"], None]}
    frame = pl.DataFrame({"listened_at": [start] * 2, "artist_name": ["Low", "Björk"], "recording_name": ["Monkey", "Jóga"], **ids})
    frame.write_parquet(tmp_path / "0.parquet")
    frame.with_columns(pl.col("listened_at").dt.replace_time_zone(None)).write_parquet(tmp_path / "1.parquet")
    one = read_listens(tmp_path / "0.parquet")
    assert one.report.format == "listenbrainz"
    assert one.table.drop("time").to_dict(as_series=False) == {
        "listener": [7, 8],
        "song": [MONKEY, "Björk - Jóga"],
        "artist": ["Low", "Björk"],
        "title": ["Monkey", "Jóga"],
    }
    assert one.table["time"].to_list() == [start] * 2
    assert read_listens(tmp_path / "1.parquet").table.equals(one.table)
    assert read_listens(tmp_path).table.equals(pl.concat([one.table] * 2))


def test_a_parquet_dump_without_a_needed_column_is_an_error(tmp_path):
    pl.DataFrame({"listened_at": [1577836800], "artist_name": ["Low"]}).write_parquet(tmp_path / "0.parquet")
    with pytest.raises(FormatError, match=r"0\.parquet, field 'recording_name'"):
        read_listens(tmp_path / "0.parquet", format="listenbrainz")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"track_metadata": "Low"}, "field 'track_metadata': item 3 has 'Low'; an object is needed"),
        ({"track_metadata": {"artist_name": "Low"}}, "field 'track_name': item 3 has none; a text or null is needed"),
        ({"track_metadata": {"artist_name": 7, "track_name": "x"}}, "field 'artist_name': item 3 has 7"),
        ({"listened_at": "noon"}, "field 'listened_at': item 3 has 'noon'; a number or null is allowed"),
    ],
)
def test_a_wrong_listenbrainz_field_is_named_with_its_item(changed, message, tmp_path):
    listens = [*LISTENS[:2], LISTENS[2] | changed]
    for name, content in {"a.json": listens, "a.jsonl": as_lines(listens)}.items():
        with pytest.raises(FormatError, match=message):
            read_listens(write(tmp_path / name, content))


def test_a_listen_that_lacks_its_time_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="field 'listened_at': item 1 has none"):
        read_listens(write(tmp_path / "a.json", [{"track_metadata": LISTENS[0]["track_metadata"]}]), format="listenbrainz")


def test_a_broken_line_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"a\.jsonl, line 3: not valid JSON"):
        read_listens(write(tmp_path / "a.jsonl", as_lines(LISTENS[:2]) + b'{"listened_at": \n'))


# Apple Music


def test_an_apple_export_without_artists_has_no_artist_column(tmp_path):
    row = apple_music.event("PLAY_END", "Mykonos", "2020-01-01T00:00:00Z", "", "277000", "")
    listens = read_listens(write(tmp_path / "Apple Music Play Activity.csv", apple_music.table(row)))
    assert listens.table.columns == ["listener", "song", "time", "played_seconds", "title"]
    assert listens.table["song"].to_list() == ["Mykonos"]


def test_a_wrong_apple_number_is_named_with_its_line(tmp_path):
    rows = [apple_music.event("PLAY_END", "Mykonos", "2020-01-01T00:00:00Z", "", played, "") for played in ("1", "long")]
    with pytest.raises(FormatError, match=r"line 3, field 'Play Duration Milliseconds': has 'long'"):
        read_listens(write(tmp_path / "plays.csv", apple_music.table(*rows)))


@pytest.mark.parametrize(("gone", "field"), [("Event Type", "Event Type"), ("Song Name", "Song Name"), ("Event ", "Event Type")])
def test_an_apple_export_without_a_needed_column_is_an_error(gone, field, tmp_path):
    content = apple_music.table(columns=tuple(name.replace(gone, "Some") for name in apple_music.COLUMNS))
    with pytest.raises(FormatError, match=f"line 1, field '{field}'"):
        read_listens(write(tmp_path / "Apple Music Play Activity.csv", content))


# YouTube Music


def test_a_watch_history_under_a_translated_name_is_known_by_its_keys(tmp_path):
    path = write(tmp_path / "Wiedergabeverlauf.json", youtube_music.ENTRIES)
    assert read_listens(path).report.format == "youtube-music"


def test_a_search_history_is_not_claimed(tmp_path):
    searches = [{"header": "YouTube Music", "title": "Searched for low", "titleUrl": "https://music.youtube.com/search?q=low", "time": "x"}]
    assert claimed_by(write(tmp_path / "search-history.json", searches)) == []


def test_a_watch_history_without_music_says_why_nothing_is_left(tmp_path):
    lecture = watched("Watched A", "2020-01-01T00:00:00Z", "aaaaaaaaaa9", "B", header="YouTube")
    with pytest.raises(NothingLeftError, match="1 not from YouTube Music"):
        read_listens(write(tmp_path / "watch-history.json", [lecture]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"subtitles": "Low - Topic"}, "field 'subtitles': item 2 has 'Low - Topic'; an array of objects is allowed"),
        ({"subtitles": [{"name": 7}]}, "field 'channel': item 2 has 7"),
        ({"titleUrl": 7}, "field 'titleUrl': item 2 has 7"),
        ({"time": 7}, "field 'time': item 2 has 7"),
    ],
)
def test_a_wrong_youtube_field_is_named_with_its_item(changed, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read_listens(write(tmp_path / "watch-history.json", [youtube_music.ENTRIES[0], youtube_music.ENTRIES[1] | changed]))


@pytest.mark.parametrize("key", ["header", "title", "time"])
def test_a_needed_youtube_field_that_is_missing_is_named(key, tmp_path):
    with pytest.raises(FormatError, match=f"field '{key}': item 1 has none"):
        read_listens(write(tmp_path / "watch-history.json", [{k: v for k, v in youtube_music.ENTRIES[0].items() if k != key}]))


# All of them


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "format", "song", "time"),
    [
        ("spotify_extended_streaming_history.json", "spotify-extended", "spotify:track:0000000000000000000000", "2020-01-01 00:00:00"),
        ("spotify_account_StreamingHistory0.json", "spotify-account", "Example Artist - Example Song", "2019-12-31 23:59:55"),
        ("lastfm_export_ghan.csv", "lastfm-csv", "Example Artist - Example Song", "2020-01-01 00:00:00"),
        ("listenbrainz_listen.json", "listenbrainz", "00000000-0000-0000-0000-000000000000", "2020-01-01 00:00:00"),
    ],
)
def test_the_published_shapes_of_exports(name, format, song, time, shared_data):
    listens = read_listens(shared_data / "export_schemas" / name)
    assert (listens.report.format, listens.table["song"].to_list(), times(listens)) == (format, [song], [time])
