import csv
import io

from tests.listens.samples import Sample

COLUMNS = (
    "Apple ID Number",
    "Artist Name",
    "Client IP Address",
    "Container Artist Name",
    "Device OS Name",
    "End Reason Type",
    "Event End Timestamp",
    "Event Start Timestamp",
    "Event Type",
    "Media Duration In Milliseconds",
    "Play Duration Milliseconds",
    "Song Name",
    "Store Country Name",
)


def event(kind: str, title: str, start: str, end: str, played: str, length: str, artist: str = "", reason: str = "") -> tuple[str, ...]:
    private = ("10.1.2.3", "A Playlist Curator", "Secret Agent/1.0")
    return ("7", artist, *private, reason, end, start, kind, length, played, title, "XX-COUNTRY")


def table(*rows: tuple[str, ...], columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


DONE = "NATURAL_END_OF_TRACK"

SAMPLE = Sample(
    files={
        "Apple Music Play Activity.csv": table(
            event("PLAY_START", "Mykonos", "2020-01-01T00:00:00Z", "", "0", "277000"),
            event("PLAY_END", "Mykonos", "2020-01-01T00:00:00.250Z", "2020-01-01T00:04:37Z", "277000", "277000", "", DONE),
            event("PLAY_END", "Jesus, Etc.", "", "2020-01-01T00:05:00.500Z", "20500", "230000", "Wilco", "TRACK_SKIPPED_FORWARDS"),
            event("PLAY_END", "Jóga", "2020-01-01T00:06:00Z", "2020-01-01T00:05:59Z", "-1000", "", ""),
            event("LYRIC_DISPLAY", "Jóga", "2020-01-01T00:06:00Z", "", "", ""),
            event("PLAY_END", "", "2020-01-01T00:07:00Z", "2020-01-01T00:08:00Z", "60000", "60000"),
            event("PLAY_END", "Monkey", "", "", "60000", "60000"),
        )
    },
    expected={
        "listener": ["me"] * 3,
        "song": ["Mykonos", "Wilco - Jesus, Etc.", "Jóga"],
        "time": ["2020-01-01T00:00:00.250", "2020-01-01T00:04:40", "2020-01-01T00:06:00"],
        "played_seconds": [277.0, 20.5, None],
        "duration_seconds": [277.0, 230.0, None],
        "artist": [None, "Wilco", None],
        "title": ["Mykonos", "Jesus, Etc.", "Jóga"],
    },
    dropped={"of another event type than PLAY_END": 2, "without a song": 1, "without a readable time": 1},
)
