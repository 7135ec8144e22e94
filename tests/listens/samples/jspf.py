import json

from tests.listens.samples import Sample

_PLAYLIST = {
    "playlist": {
        "title": "Discovery",
        "creator": "10.1.2.3",
        "annotation": "Secret Agent/1.0",
        "track": [
            {"identifier": ["mbid:1", "mbid:2"], "title": "Jóga", "creator": "Björk", "duration": 303500},
            {"identifier": "mbid:3", "title": "Monkey", "creator": "Low", "duration": "259000", "extension": {"x": "XX-COUNTRY"}},
            {"identifier": [], "title": "Mushaboom", "creator": "Feist", "duration": None},
            {"location": ["https://example.org/b.ogg"], "title": "Untitled"},
            {"annotation": "nothing known"},
        ],
    }
}

SAMPLE = Sample(
    files={"discovery.jspf": json.dumps(_PLAYLIST).encode()},
    expected={
        "session": ["Discovery"] * 4,
        "listener": ["Discovery"] * 4,
        "song": ["mbid:1", "mbid:3", "Feist - Mushaboom", "https://example.org/b.ogg"],
        "artist": ["Björk", "Low", "Feist", None],
        "title": ["Jóga", "Monkey", "Mushaboom", "Untitled"],
        "duration_seconds": [303.5, 259.0, None, None],
    },
    dropped={"without a song": 1},
)
