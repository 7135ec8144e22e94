"""From a log as people have it to songs like a song: ``song2vec train``, then ``song2vec similar``."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from song2vec import Engine, cut_sessions, read_listens
from tests.console import run
from tests.small import FOLK, METAL, learner, names_of, plays

QUICK = ("--epochs", 1, "--workers", 1, "--size", 16)


@pytest.fixture
def song2vec(capsys):
    """Runs a command that must succeed."""

    def command(*arguments):
        outcome = run(capsys, *arguments)
        assert outcome.code == 0, outcome.err
        return outcome

    return command


def check(song2vec, engine, song, k=10):
    """The answer about a song, whole and in order."""
    rows = song2vec("similar", engine, song, "-k", k, "--json").json
    assert len(rows) == k
    asked = Engine.load(engine).find(song)
    assert asked not in [row["song"] for row in rows]
    assert len({row["song"] for row in rows}) == k
    cosines = [row["cosine"] for row in rows]
    assert cosines == sorted(cosines, reverse=True)
    assert all(-1 <= cosine <= 1 for cosine in cosines)
    return rows


# An account of Spotify


def stream(ended, seconds, **fields):
    """One row of the export, with all the fields it has."""
    nothing = dict.fromkeys(
        ("master_metadata_track_name", "master_metadata_album_artist_name", "master_metadata_album_album_name", "spotify_track_uri")
    )
    episode = dict.fromkeys(("episode_name", "episode_show_name", "spotify_episode_uri", "audiobook_title", "audiobook_uri"))
    told = {"platform": "web_player", "conn_country": "ZZ", "ip_addr": "10.1.2.3", "reason_start": "trackdone", "reason_end": "trackdone"}
    flags = {"shuffle": False, "skipped": False, "offline": False, "offline_timestamp": None, "incognito_mode": False}
    return {"ts": f"{ended:%Y-%m-%dT%H:%M:%SZ}", "ms_played": int(seconds * 1000), **told, **nothing, **episode, **flags, **fields}


URIS = {song: f"spotify:track:{number:022d}" for number, song in enumerate(names_of(FOLK) + names_of(METAL))}


def music(artist, title):
    """The fields that only music has."""
    names = {"master_metadata_track_name": title, "master_metadata_album_artist_name": artist}
    return {**names, "spotify_track_uri": URIS[f"{artist} - {title}"]}


def account():
    """Three years of folk in the mornings and metal in the evenings; skips, a podcast a day, and some evenings in private."""
    random = np.random.default_rng(0)
    years: dict[int, list[dict[str, object]]] = {2022: [], 2023: [], 2024: []}
    counts = {"plays": 0, "podcasts": 0, "private": 0, "skips": 0}
    for number in range(90):
        genre, hour = ((FOLK, 8), (METAL, 20))[number % 2]
        songs = [(artist, title) for artist, titles in genre.items() for title in titles]
        clock = datetime(2022 + number // 30, 3, 1, hour, tzinfo=UTC) + timedelta(days=number)
        year = years[2022 + number // 30]
        private = number % 15 == 14
        for place, song in enumerate(random.permutation(len(songs))):
            skipped = place == 0
            clock += timedelta(seconds=5 if skipped else 200)
            year.append(stream(clock, 5 if skipped else 200, **music(*songs[song]), skipped=skipped, incognito_mode=private))
            counts["private" if private else "skips" if skipped else "plays"] += 1
        clock += timedelta(minutes=30)
        year.append(stream(clock, 1700, episode_name="Of Bees", episode_show_name="Garden Hour", spotify_episode_uri="spotify:episode:1"))
        counts["podcasts"] += 1
    return years, counts


@pytest.fixture(scope="module")
def spotify(tmp_path_factory):
    """The export of the account as the privacy page sends it."""
    years, counts = account()
    path = tmp_path_factory.mktemp("spotify") / "my_spotify_data.zip"
    folder = "Spotify Extended Streaming History"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{folder}/ReadMeFirst_ExtendedStreamingHistory.pdf", b"%PDF-1.4 ...")
        for number, (year, rows) in enumerate(years.items()):
            archive.writestr(f"{folder}/Streaming_History_Audio_{year}_{number}.json", json.dumps(rows))
        archive.writestr(f"{folder}/Streaming_History_Video_2022-2024.json", "[]")
    return path, counts


def test_a_spotify_export(song2vec, spotify, tmp_path):
    path, counts = spotify
    done = song2vec("train", path, "-o", tmp_path / "engine", *QUICK)
    read = sum(counts.values())
    kept = counts["plays"] + counts["skips"]
    assert f"(spotify-extended): {read:,} rows read, {kept:,} kept, {counts['podcasts'] + counts['private']} dropped" in done.err
    assert f"{counts['podcasts']} podcast or audiobook" in done.err
    assert f"{counts['private']} incognito" in done.err
    assert f"Sessions({90 - 6} sessions, {counts['plays']:,} plays, 24 songs, 1 listeners)" in done.err
    assert f"(dropped: {counts['skips']} skips)" in done.err
    rows = check(song2vec, tmp_path / "engine", "fleet foxes mykonos")
    assert {row["song"] for row in rows} <= set(URIS.values())
    assert b"10.1.2.3" not in b"".join(part.read_bytes() for part in (tmp_path / "engine").iterdir())


def test_a_spotify_export_tells_what_suits_its_owner(song2vec, spotify, tmp_path):
    path, _ = spotify
    song2vec("train", path, "-o", tmp_path / "engine", *QUICK, "--index", "exact")
    options = ("--log", path, "--with-history", "--half-life-days", 30, "-k", 8, "--max-per-artist", 1)
    rows = song2vec("recommend", tmp_path / "engine", *options, "--json").json
    assert {row["artist"] for row in rows} == {*FOLK, *METAL}


def test_a_spotify_export_learned_in_earnest_tells_mornings_from_evenings(spotify):
    engine = Engine.train(cut_sessions(read_listens(spotify[0])), vectors=learner())
    for song, genre in (("mykonos", FOLK), ("ace of spades", METAL)):
        found = engine.similar(song, 11)
        assert {f"{artist} - {title}" for artist, title in found.select("artist", "title").iter_rows()} < set(names_of(genre))


def test_an_unpacked_export_is_the_same_log(spotify, tmp_path):
    with zipfile.ZipFile(spotify[0]) as archive:
        archive.extractall(tmp_path)
    assert read_listens(tmp_path).table.equals(read_listens(spotify[0]).table)


# A frame


@pytest.fixture(scope="module")
def frame():
    """The small log as a pandas frame with column names of its own."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    columns = plays().rename({"listener": "user_id", "artist": "artist_name", "title": "track_name", "time": "played_at"})
    return pandas.DataFrame(columns.to_dict(as_series=False))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "tsv", "jsonl"])
def test_a_pandas_frame_written_to_a_file(song2vec, frame, tmp_path, ending):
    path = tmp_path / f"plays.{ending}"
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        frame.to_parquet(path)
    elif ending == "jsonl":
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        frame.to_csv(path, index=ending == "csv", sep="\t" if ending == "tsv" else ",")  # with the row numbers some leave in
    assert "960 rows read, 960 kept" in song2vec("train", path, "-o", tmp_path / "engine", *QUICK).err
    check(song2vec, tmp_path / "engine", "pink moon", 20)
    assert Engine.load(tmp_path / "engine").catalogue == Engine.train(cut_sessions(plays()), vectors=learner()).catalogue


def test_a_pandas_frame_as_it_is(frame):
    from_pandas, from_polars = (Engine.train(cut_sessions(read_listens(log)), vectors=learner()) for log in (frame, plays()))
    assert from_pandas.catalogue == from_polars.catalogue
    assert from_pandas.vectors.matrix.tobytes() == from_polars.vectors.matrix.tobytes()
    assert set(from_pandas.similar("pink moon", 11)["artist"]) == set(FOLK)


def test_a_pandas_frame_with_gaps_in_its_integer_ids(frame):
    numbered = frame.assign(track_id=[None if row % 97 == 5 else row % 24 for row in range(len(frame))])  # pandas makes these floats
    assert numbered["track_id"].dtype == float
    listens = read_listens(numbered.drop(columns=["artist_name", "track_name"]))
    assert listens.report.dropped == {"without a song": 10}
    engine = Engine.train(cut_sessions(listens), vectors=learner())
    assert engine.catalogue.holds_integers
    assert engine.similar(7, 30).schema["song"] == pl.Int64


# Real logs


@pytest.mark.shared_data
def test_a_radio_station_s_log_with_all_its_faults(song2vec, shared_data, tmp_path):
    done = song2vec("train", shared_data / "triplej" / "playlist_20140929.zip", "-o", tmp_path / "engine", *QUICK)
    assert "134,950 rows read, 134,943 kept, 7 dropped" in done.err
    info = Engine.load(tmp_path / "engine").info()
    assert info.songs > 10_000
    assert info.plays > 130_000
    rows = check(song2vec, tmp_path / "engine", "arctic monkeys do i wanna know", 25)
    assert all(row["artist"] and row["title"] for row in rows)


@pytest.mark.shared_data
def test_the_playlists_of_yes_com(song2vec, shared_data, tmp_path):
    done = song2vec("train", shared_data / "yes_big", "-o", tmp_path / "engine", *QUICK, "--min-song-plays", 5)
    assert "(lme): 190,649 rows read, 190,649 kept" in done.err
    rows = check(song2vec, tmp_path / "engine", "coldplay viva la vida", 25)
    assert all(isinstance(row["song"], int) for row in rows)
    table = song2vec("similar", tmp_path / "engine", str(rows[0]["song"]), "-k", 3).out
    assert "Songs like" in table
    assert "artist" in table
