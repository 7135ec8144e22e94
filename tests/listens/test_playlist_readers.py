"""Playlists: MPD, AOTM-2011, M3U, XSPF, JSPF; what the contract battery does not show."""

from __future__ import annotations

import json
import zipfile

import pytest

from song2vec.core.errors import FormatError, NothingLeftError
from song2vec.listens import read_listens

XSPF = '<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>{}</trackList></playlist>'


def _write(folder, **files):
    """Files by name (``__`` stands for a dot, ``_in_`` for a folder); returns the one file, or the folder."""
    paths = []
    for name, content in files.items():
        path = folder.joinpath(*name.replace("__", ".").split("_in_")[::-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    return paths[0] if len(paths) == 1 else folder


def _mpd(*playlists):
    return json.dumps({"playlists": list(playlists)})


def _track(pos, uri="spotify:track:1"):
    return {"pos": pos, "track_uri": uri, "artist_name": "Low", "track_name": "Monkey", "duration_ms": 1000}


def test_mpd_slices_of_a_folder_are_one_log(tmp_path):
    for first in (0, 1000):
        slice_ = _mpd({"pid": first, "tracks": [_track(1, "b"), _track(0, "a")]})
        (tmp_path / f"mpd.slice.{first}-{first + 999}.json").write_text(slice_)
    table = read_listens(tmp_path).table
    assert table["song"].to_list() == ["a", "b", "a", "b"]
    assert table["session"].to_list() == [0, 0, 1000, 1000]
    assert "time" not in table.columns


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "the file is []; an object with a 'playlists' is expected"),
        ("{}", "field 'playlists': the file has none; an array is needed"),
        (_mpd({"pid": 1, "tracks": []}, 5), "playlist 2 is 5"),
        (_mpd({"pid": "1", "tracks": [_track(0)]}), "field 'pid': playlist 1 has '1'; a whole number is needed"),
        (_mpd({"pid": 1, "tracks": {}}), "field 'tracks'"),
        (_mpd({"pid": 1, "tracks": [_track(0), "x"]}), "playlist 1 track 2 is 'x'"),
        (_mpd({"pid": 1, "tracks": [{"pos": 0}]}), "field 'track_uri': playlist 1 track 1 has none"),
        (_mpd({"pid": 1, "tracks": [_track(None)]}), "field 'pos': playlist 1 track 1 has None"),
        ('{"playlists": [\n{"pid": 1,\n', "line 3: not valid JSON"),
    ],
)
def test_mpd_names_file_and_field(tmp_path, content, message):
    path = tmp_path / "mpd.slice.0-999.json"
    path.write_text(content)
    with pytest.raises(FormatError) as raised:
        read_listens(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def test_half_a_character_in_json_is_replaced(tmp_path):
    path = tmp_path / "mpd.slice.0-999.json"
    track = json.dumps(_track(0)).replace("Monkey", r"A\ud83d\ude00B\ud83dC")
    path.write_text(f'{{"playlists": [{{"pid": 1, "tracks": [{track}]}}]}}')
    assert read_listens(path).table["title"].to_list() == ["A\U0001f600B\ufffdC"]


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ({"mix_id": 1, "playlist": [["low", "monkey"]]}, "mix 1 song 1 is ['low', 'monkey']"),
        ({"mix_id": 1, "playlist": [[["low"], None]]}, "[[artist, title], id or null] is expected"),
        ({"mix_id": None, "playlist": []}, "field 'mix_id': mix 1 has None"),
        ({"mix_id": 1, "playlist": None}, "field 'playlist': mix 1 has None; an array is needed"),
    ],
)
def test_aotm_names_mix_and_field(tmp_path, mix, message):
    with pytest.raises(FormatError) as raised:
        read_listens(_write(tmp_path, aotm__json=json.dumps([mix])))
    assert message in str(raised.value)


def test_aotm_without_users_has_a_listener_a_mix(tmp_path):
    mixes = [{"mix_id": n, "playlist": [[["low", "monkey"], "SO1"]]} for n in (4, 5)]
    table = read_listens(_write(tmp_path, aotm__json=json.dumps(mixes))).table
    assert table["listener"].to_list() == [4, 5]
    assert table["song"].to_list() == ["low - monkey"] * 2


def test_playlists_of_one_name_in_two_folders_stay_apart(tmp_path):
    content = "#EXTM3U\n#EXTINF:1,Low - Monkey\na.mp3\n"
    named = content.replace("#EXTM3U", "#EXTM3U\n#PLAYLIST:Best")
    folder = _write(tmp_path / "all", mix__m3u_in_rock=content, mix__m3u_in_jazz=content, a__m3u=named, b__m3u=named)
    assert read_listens(folder).table["session"].to_list() == ["Best (a)", "Best (b)", "jazz/mix", "rock/mix"]


def test_playlists_that_differ_in_their_ending_stay_apart(tmp_path):
    folder = _write(tmp_path, mix__m3u="a.mp3\n", mix__m3u8="b.mp3\n")
    assert read_listens(folder).table["session"].to_list() == ["mix.m3u", "mix.m3u8"]


def test_one_file_has_one_path_wherever_its_playlist_lies(tmp_path):
    folder = _write(
        tmp_path,
        x__m3u_in_rock="low/monkey.mp3\n/abs/a.mp3\nC:\\b.mp3\nhttp://c.d/e%20f\n",
        y__m3u_in_jazz="..\\rock\\low\\monkey.mp3\nfile:///abs/a%20b.mp3\n./own.mp3\n",
    )
    songs = read_listens(folder).table["song"].to_list()
    assert songs == [
        "rock/low/monkey.mp3",
        "/abs/a b.mp3",
        "jazz/own.mp3",
        "rock/low/monkey.mp3",
        "/abs/a.mp3",
        "C:/b.mp3",
        "http://c.d/e%20f",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_m3u_in_the_encodings_that_players_write(tmp_path, encoding):
    path = tmp_path / "mix.m3u"
    path.write_bytes("#EXTM3U\r\n#EXTINF:303,Björk - Jóga\r\nJóga.mp3\r\n".encode(encoding))
    assert read_listens(path).table["song"].to_list() == ["Björk - Jóga"]


def test_m3u_that_is_none(tmp_path):
    with pytest.raises(FormatError, match=r"words\.m3u, line 2: holds 'just words'"):
        read_listens(_write(tmp_path, words__m3u="\njust words\n"))


def test_a_list_of_video_segments_is_no_playlist(tmp_path):
    with pytest.raises(FormatError, match="no format that song2vec knows"):
        read_listens(_write(tmp_path, v__m3u8="#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.009,\nhttp://a.b/1.ts\n"))


def test_empty_playlists_are_said_to_be_empty(tmp_path):
    with pytest.raises(NothingLeftError, match="it is empty"):
        read_listens(_write(tmp_path, mix__m3u="#EXTM3U\n"))


def test_m3u_title_may_hold_commas_and_dashes(tmp_path):
    path = _write(tmp_path, a__m3u='#extinf:1 k="v, w" l="",Wilco - Jesus, Etc. - live\na.mp3\n')
    table = read_listens(path).table
    assert table.select("artist", "title").row(0) == ("Wilco", "Jesus, Etc. - live")


@pytest.mark.parametrize(
    "declaration",
    ['<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">'],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xspf_with_entities_is_refused(tmp_path, declaration, encoding):
    path = tmp_path / "bomb.xspf"
    xml = f'<?xml version="1.0" encoding="{encoding}"?><!-- x -->\n{declaration}\n' + XSPF.format("<track><title>&b;</title></track>")
    path.write_bytes(xml.encode(encoding))
    with pytest.raises(FormatError, match=r"bomb\.xspf, line 2: declares a document type or entities"):
        read_listens(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<playlist>\n<trackList></playlist>", "line 2: not valid XML"),
        ("<playlist/>", "a <playlist> with a <trackList> is expected"),
        ("<rss><trackList/></rss>", "is XML with <rss>"),
    ],
)
def test_xspf_that_is_none(tmp_path, content, message):
    with pytest.raises(FormatError) as raised:
        read_listens(_write(tmp_path, mix__xspf=content))
    assert message in str(raised.value)


def test_xspf_without_namespace_or_its_own_ending(tmp_path):
    track = "<track><title>Monkey</title><creator>Low</creator></track>"
    path = _write(tmp_path / "a", mix__xspf=f"<playlist><trackList>{track}</trackList></playlist>")
    assert read_listens(path).table["session"].to_list() == ["mix"]
    assert read_listens(_write(tmp_path / "b", mix__xml=XSPF.format(track))).report.format == "xspf"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "an object with a 'playlist' is expected"),
        ("{}", "field 'playlist': the file has none; an object is needed"),
        ('{"playlist": {"title": "x"}}', "field 'track': the playlist has none; an array is needed"),
        ('{"playlist": {"track": [{"title": "a"}, 3]}}', "field 'track': track 2 is 3"),
    ],
)
def test_jspf_that_is_none(tmp_path, content, message):
    with pytest.raises(FormatError) as raised:
        read_listens(_write(tmp_path, mix__jspf=content))
    assert message in str(raised.value)


def test_jspf_under_a_plain_json_name_and_in_a_zip(tmp_path):
    content = json.dumps({"playlist": {"title": " ", "track": [{"identifier": ["", "mbid:1"], "duration": -5}]}})
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x/one.json", content)
        archive.writestr("x/y/two.jspf", content)
    listens = read_listens(tmp_path / "all.zip")
    assert listens.report.format == "jspf"
    assert listens.table["session"].to_list() == ["one", "y/two"]
    assert listens.table["song"].to_list() == ["mbid:1"] * 2
    assert listens.table["duration_seconds"].to_list() == [None] * 2
