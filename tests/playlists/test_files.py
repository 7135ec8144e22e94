"""What a playlist saves, our own readers read back: odd names, other alphabets, markup, line ends."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.listens import read_listens
from song2vec.playlists import Playlist, playlist
from tests.playlists.small_music import music

PLAYERS = (".m3u", ".m3u8", ".jspf", ".xspf")
ODD = [
    ("spotify:track:1", "Sigur Rós", "( )"),
    ("C:\\Music\\b.mp3", "AC/DC & <Friends>", 'The "Best" of ]]> <!DOCTYPE x>'),
    ("Music/Low/Monkey.mp3", None, "Monkey"),
    ("../other/x.mp3", None, None),
    ("a/../b.mp3", "", " "),
    ("#1", "#EXTINF:3,x", "#1"),
    ("plain", None, "Alone - Together"),
    ("日本 語", "椎名林檎", "丸の内\nサディスティック"),
    ("line\nend", "two\r\nlines", "tab\there"),
    ("100% & more?#x", None, None),
    ("file:///music/a%20b.mp3", None, None),
    ("🎵", "🎸 - 🎹", "🥁"),
    ("http://example.org/a?b=c&d=e", "A", None),
    ("Artist - Title", "Artist", "Title"),
    ("-", "-", "-"),
    ("7", "Björk", "Jóga"),
]


def of(songs):
    """A playlist of (id, artist, title)."""
    ids, artists, titles = zip(*songs, strict=True)
    table = Catalogue(list(ids), artists=list(artists), titles=list(titles)).table()
    return Playlist.of(table, [0.5] * len(ids), [(None, None)] * len(ids))


def flat(text):
    """Control characters are spaces, and names end where their text does."""
    control = [*range(32), *range(127, 160), 0x2028, 0x2029, 0xFFFE, 0xFFFF]
    return text.translate(dict.fromkeys(control, " ")).strip()


def squeezed(text):
    return None if text is None else " ".join(flat(text).split()) or None


def expected(ending, song, artist, title):
    """The id that is read back."""
    artist, title = (squeezed(artist), squeezed(title))
    if ending.startswith(".m3u") and artist and title:
        return f"{artist} - {title}"
    return song if ending.startswith(".m3u") or ending == ".jspf" else squeezed(song)


def read_back(path):
    return read_listens(path).table


@pytest.mark.parametrize("ending", PLAYERS)
def test_odd_names_come_back(tmp_path, ending):
    path = of(ODD).save(tmp_path / f"mix{ending}", title="Évening & <noon>")
    table = read_back(path)
    assert table["session"].unique().to_list() == ["Évening & <noon>"]
    assert [squeezed(song) for song in table["song"]] == [squeezed(expected(ending, *song)) for song in ODD]
    if ending in (".jspf", ".xspf"):
        assert [squeezed(name) for name in table["artist"]] == [squeezed(artist) for _, artist, _ in ODD]
        assert [squeezed(name) for name in table["title"]] == [squeezed(title) for _, _, title in ODD]


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=12)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(text.filter(squeezed), st.none() | text, st.none() | text), min_size=1, max_size=8), text)
def test_any_names_come_back(tmp_path_factory, songs, title):
    songs = list({song.strip(): (song.strip(), artist, name) for song, artist, name in songs}.values())
    folder = tmp_path_factory.mktemp("mix")
    for ending in PLAYERS:
        of(songs).save(folder / f"mix{ending}", title=title)
        table = read_back(folder / f"mix{ending}")
        assert [squeezed(song) for song in table["song"]] == [squeezed(expected(ending, *song)) for song in songs]
        assert squeezed(table["session"][0]) == (squeezed(title) or "mix")


@pytest.mark.parametrize("ending", PLAYERS)
def test_integers_come_back_as_text(tmp_path, ending):
    table = Catalogue([30, 20, 10]).table()
    made = Playlist.of(table, [None] * 3, [(None, None)] * 3)
    assert read_back(made.save(tmp_path / f"mix{ending}"))["song"].to_list() == ["30", "20", "10"]


def test_a_real_playlist_comes_back_from_every_format(tmp_path):
    made = playlist(music(), "s3", 10)
    names = [f"{artist} - {title}" for artist, title in made.table.select("artist", "title").iter_rows()]
    for ending in (".jspf", ".xspf"):
        assert read_back(made.save(tmp_path / f"mix{ending}"))["song"].to_list() == made.songs
    m3u = read_back(made.save(tmp_path / "mix.m3u"))["song"].to_list()
    artists = made.table["artist"].to_list()
    assert m3u == [name if artist else song for name, artist, song in zip(names, artists, made.songs, strict=True)]
    assert pl.read_parquet(made.save(tmp_path / "mix.parquet")).equals(made.table)
    assert pl.read_csv(made.save(tmp_path / "mix.csv")).drop("score", "because_cosine").equals(made.table.drop("score", "because_cosine"))
    assert json.loads(made.save(tmp_path / "mix.json").read_text()) == made.table.to_dicts()
    assert json.loads(made.save(tmp_path / "mix.json").read_text())[0]["position"] == 1


def test_xspf_is_xspf(tmp_path):
    root = ElementTree.parse(of(ODD[:2]).save(tmp_path / "mix.XSPF")).getroot()
    assert root.tag == "{http://xspf.org/ns/0/}playlist"
    assert root.get("version") == "1"
    assert [child.tag.rpartition("}")[2] for child in root] == ["title", "trackList"]


def test_m3u_keeps_addresses_that_players_open(tmp_path):
    lines = of([("Music/Low/Monkey.mp3", "Low", "Monkey"), ("https://a.b/c.ogg", None, None)]).save(tmp_path / "mix.m3u").read_text()
    assert lines == "#EXTM3U\n#PLAYLIST:Playlist\n#EXTINF:-1,Low - Monkey\nMusic/Low/Monkey.mp3\nhttps://a.b/c.ogg\n"


def test_other_endings_are_refused_and_nothing_half_written_stays(tmp_path):
    made = of(ODD)
    with pytest.raises(ArgumentError, match=r"ends in '\.pls'; \.m3u, "):
        made.save(tmp_path / "mix.pls")
    with pytest.raises(FileNotFoundError):
        made.save(tmp_path / "nowhere" / "mix.m3u")
    (tmp_path / "mix.m3u").write_text("old")
    broken = Playlist(made.table.with_columns(song=pl.lit(None)).drop("song"))
    with pytest.raises(KeyError):
        broken.save(tmp_path / "mix.m3u")
    assert [path.name for path in tmp_path.iterdir()] == ["mix.m3u"]
    assert (tmp_path / "mix.m3u").read_text() == "old"


def test_it_shows_itself():
    made = of([("1", "Low & <b>", "Monkey"), ("2", None, None), ("3", None, "Alone")])
    assert repr(made) == "Playlist(3 songs)\n   1  Low & <b> - Monkey\n   2  2\n   3  Alone"
    assert made._repr_html_() == "<p>Playlist, 3 songs</p><ol><li>Low &amp; &lt;b&gt; - Monkey</li><li>2</li><li>Alone</li></ol>"
    assert (len(made), list(made)) == (3, ["1", "2", "3"])
    nameless = Playlist.of(Catalogue([5, 6]).table(), [0, 0], [(None, None), (5, 0.5)])
    assert repr(nameless) == "Playlist(2 songs)\n   1  5\n   2  6"
