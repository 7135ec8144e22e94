import json
from typing import Any

from tests.listens.samples import Sample

MONKEY, JOGA = "a0000000-0000-4000-8000-000000000001", "a0000000-0000-4000-8000-000000000002"


def listen(time: int | None, artist: str, title: str, info: Any = None, mapped: str | None = None, **fields: Any) -> dict[str, Any]:
    """One listen as the server writes it."""
    track = {"artist_name": artist, "track_name": title, "release_name": "An Album", "additional_info": info}
    if mapped is not None:
        track["mbid_mapping"] = {"recording_mbid": mapped, "artist_mbids": []}
    return {"inserted_at": 1600000000, "listened_at": time, "recording_msid": f"msid of {title}", "track_metadata": track, **fields}


PRIVATE = {"listening_from": "10.1.2.3", "submission_client": "Secret Agent/1.0", "origin": "XX-COUNTRY"}
# newest first; the two of equal stamp were played Low, Björk
NEWEST_FIRST = [
    listen(None, "Low", "Still Playing", playing_now=True, user_name="ann"),
    listen(1577837400, "Wilco", "Jesus, Etc.", {"recording_mbid": "", "duration_ms": "long", **PRIVATE}, user_name="ann"),
    listen(1577836800, "Björk", "Jóga", {"duration": 305}, mapped=JOGA, user_name="ann"),
    listen(1577836800, "Low", "Monkey", {"recording_mbid": MONKEY, "duration_ms": 259500}, mapped=JOGA, user_name="ann"),
]

SAMPLE = Sample(
    files={"ann_listens.json": json.dumps(NEWEST_FIRST).encode()},
    expected={
        "listener": ["ann"] * 3,
        "song": [MONKEY, JOGA, "Wilco - Jesus, Etc."],
        "time": ["2020-01-01T00:00:00", "2020-01-01T00:00:00", "2020-01-01T00:10:00"],
        "duration_seconds": [259.5, 305.0, None],
        "artist": ["Low", "Björk", "Wilco"],
        "title": ["Monkey", "Jóga", "Jesus, Etc."],
    },
    dropped={"without a readable time": 1},
)
