import json
from typing import Any

from tests.listens.samples import Sample


def watched(title: str, time: str, video: str | None, channel: str | None, header: str = "YouTube Music", **fields: Any) -> dict[str, Any]:
    """One entry of a watch history."""
    entry: dict[str, Any] = {"header": header, "title": title}
    if video is not None:
        entry["titleUrl"] = f"https://music.youtube.com/watch?v={video}"
    if channel is not None:
        entry["subtitles"] = [{"name": channel, "url": "https://www.youtube.com/channel/x"}]
    return {**entry, "time": time, "products": ["YouTube"], "activityControls": ["YouTube watch history"], **fields}


ENTRIES = [
    watched("Watched https://www.youtube.com/watch?v=gone-video_", "2020-01-01T00:20:00.000Z", "gone-video_", None),
    watched("Vous avez regardé Watched Over", "2020-01-01T00:15:00.500Z", "aaaaaaaaaa5", "Release - Topic"),
    watched("Visited YouTube Music", "2020-01-01T00:14:00.000Z", None, None),
    watched("Watched a video that has been removed", "2020-01-01T00:13:00.000Z", None, None),
    watched("Watched A Lecture", "2020-01-01T00:12:00.000Z", "aaaaaaaaaa9", "A School", header="YouTube"),
    watched("Watched Buy This", "2020-01-01T00:11:00.000Z", "aaaaaaaaaa8", "A Shop", details=[{"name": "From Google Ads"}]),
    # equal stamps: the second was played first
    watched("Mykonos angesehen", "2020-01-01T00:10:00Z", "aaaaaaaaaa2&list=x", "Fleet Foxes - Topic"),
    watched("Watched Jóga", "2020-01-01T00:10:00Z", "-aaaaaaaa_1", "björkVEVO"),
]

SAMPLE = Sample(
    files={"watch-history.json": json.dumps(ENTRIES, indent=2).encode()},
    expected={
        "listener": ["me"] * 4,
        "song": ["-aaaaaaaa_1", "aaaaaaaaaa2", "aaaaaaaaaa5", "gone-video_"],
        "time": ["2020-01-01T00:10:00", "2020-01-01T00:10:00", "2020-01-01T00:15:00.500", "2020-01-01T00:20:00"],
        "artist": ["björkVEVO", "Fleet Foxes", None, None],
        "title": ["Jóga", "Mykonos", "Watched Over", None],
    },
    dropped={"not from YouTube Music": 1, "advertisement": 1, "without a video link (removed, or no play)": 2},
)
