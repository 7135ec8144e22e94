import json

from tests.listens.samples import Sample

_MIXES = [
    {
        "category": "10.1.2.3",
        "filtered_lists": [["SOAAAAA12AB0182B90"]],
        "mix_id": 89567,
        "playlist": [[["low", "monkey"], "SOAAAAA12AB0182B90"], [["wilco", "jesus, etc."], None], [["", "untitled"], None]],
        "timestamp": "2005-03-27T10:53:00",
        "user": {"member_since": "2004-03-21T00:00:00", "mixes_posted": "Secret Agent/1.0", "name": "ann"},
    },
    {
        "category": "XX-COUNTRY",
        "filtered_lists": [],
        "mix_id": 117124,
        "playlist": [[["low", "monkey"], None]],
        "timestamp": "2008-01-11T21:45:00",
        "user": {"member_since": None, "mixes_posted": "1", "name": "bob"},
    },
]

SAMPLE = Sample(
    files={"aotm2011_playlists.json": json.dumps(_MIXES).encode()},
    expected={
        "listener": ["ann", "ann", "bob"],
        "session": [89567, 89567, 117124],
        "song": ["low - monkey", "wilco - jesus, etc.", "low - monkey"],
        "artist": ["low", "wilco", "low"],
        "title": ["monkey", "jesus, etc.", "monkey"],
    },
    dropped={"without a song": 1},
)
