import json

from tests.listens.samples import Sample


def _track(pos, uri, artist, title, duration):
    names = {"artist_name": artist, "artist_uri": "a", "track_name": title, "album_name": "x"}
    return {"pos": pos, "track_uri": uri, "duration_ms": duration, **names}


_SLICE = {
    "info": {"generated_on": "2017-12-03 08:41:42.057563", "slice": "0-999", "version": "v1"},
    "playlists": [
        {  # not in the order of pos
            "name": "10.1.2.3",
            "collaborative": "false",
            "pid": 7,
            "tracks": [
                _track(2, "spotify:track:3", "Feist", "Mushaboom", 224000),
                _track(0, "spotify:track:1", "Low", "Monkey", 259500),
                _track(1, "spotify:track:2", "Björk", "Jóga", 0),
            ],
        },
        {"name": "Secret Agent/1.0 XX-COUNTRY", "pid": 8, "tracks": []},
        {"name": "one", "pid": 9, "tracks": [_track(0, "spotify:track:1", "Low", "Monkey", 259500)]},
    ],
}

SAMPLE = Sample(
    files={"mpd.slice.0-999.json": json.dumps(_SLICE).encode()},
    expected={
        "listener": [7, 7, 7, 9],
        "session": [7, 7, 7, 9],
        "song": ["spotify:track:1", "spotify:track:2", "spotify:track:3", "spotify:track:1"],
        "artist": ["Low", "Björk", "Feist", "Low"],
        "title": ["Monkey", "Jóga", "Mushaboom", "Monkey"],
        "duration_seconds": [259.5, None, 224.0, 259.5],
    },
)
