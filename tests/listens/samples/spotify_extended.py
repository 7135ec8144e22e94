import json
from typing import Any

from tests.listens.samples import Sample


def play(ts: str, ms_played: int, **fields: Any) -> dict[str, Any]:
    """One entry with all fields that an export of 2023 has."""
    return {
        "ts": ts,
        "platform": "ios",
        "ms_played": ms_played,
        "conn_country": "XX-COUNTRY",
        "ip_addr": "10.1.2.3",
        "master_metadata_track_name": None,
        "master_metadata_album_artist_name": None,
        "master_metadata_album_album_name": None,
        "spotify_track_uri": None,
        "episode_name": None,
        "episode_show_name": None,
        "spotify_episode_uri": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": False,
        "offline": False,
        "offline_timestamp": 1577836985,
        "incognito_mode": False,
    } | fields


def song(uri: str | None, artist: str, title: str) -> dict[str, Any]:
    return {"spotify_track_uri": uri, "master_metadata_album_artist_name": artist, "master_metadata_track_name": title}


MYKONOS = song("spotify:track:0x1", "Fleet Foxes", "Mykonos")
# The older file names the listener and the user agent, and leaves skipped null; the newer has neither. Both hold one play.
OLD = [
    play("2020-01-01T00:03:05Z", 185_000, **MYKONOS, username="ann", user_agent_decrypted="Secret Agent/1.0", skipped=None),
    play("2020-01-01T00:03:17Z", 12_500, **song("spotify:track:0x2", "Low", "Monkey"), username="ann", skipped=True),
    play("2020-01-01T00:45:00Z", 2_400_000, episode_name="An Episode", spotify_episode_uri="spotify:episode:0x9", username="ann"),
]
NEW = [
    play("2020-01-01T00:03:05Z", 185_000, **MYKONOS, skipped=None),
    play("2021-05-01T12:00:00Z", 240_100, **song(None, "Wilco", "Jesus, Etc.")),
    play("2021-05-01T12:10:00Z", 180_000, **song("spotify:track:0x5", "Björk", "Jóga"), incognito_mode=True),
    play("2021-05-01T13:00:00Z", 3_000_000, audiobook_title="A Book", audiobook_uri="spotify:show:0x8"),
]

SAMPLE = Sample(
    files={
        "Streaming_History_Audio_2020-2021_1.json": json.dumps(NEW, indent=2).encode(),
        "endsong_0.json": json.dumps(OLD).encode(),
    },
    expected={
        "listener": ["ann"] * 4,
        "song": ["spotify:track:0x1", "Wilco - Jesus, Etc.", "spotify:track:0x1", "spotify:track:0x2"],
        "time": ["2020-01-01T00:00:00", "2021-05-01T11:55:59.900", "2020-01-01T00:00:00", "2020-01-01T00:03:04.500"],
        "played_seconds": [185.0, 240.1, 185.0, 12.5],
        "artist": ["Fleet Foxes", "Wilco", "Fleet Foxes", "Low"],
        "title": ["Mykonos", "Jesus, Etc.", "Mykonos", "Monkey"],
        "skipped": [None, False, None, True],
    },
    dropped={"podcast or audiobook": 2, "incognito": 1},
)
