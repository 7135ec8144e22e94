from tests.listens.samples import Sample

LINES = [
    "#AUDIOSCROBBLER/1.1",
    "#TZ/UNKNOWN",
    "#CLIENT/Secret Agent/1.0 10.1.2.3 XX-COUNTRY",
    "Fleet Foxes\tSun Giant\tMykonos\t5\t277\tL\t1577836800\t",
    "Björk\tHomogenic\tJóga\t\t305\tS\t1577837080\ta0000000-0000-4000-8000-000000000002",
    "#AUDIOSCROBBLER/1.1",
    "#1 Dads\tAbout Face\tReturn To\t3\t\tL\t1577837100",
    "Low\tThe Great Destroyer\tMonkey\t1\t259\tL\t315532800\t",
    "Wilco\tYankee Hotel Fox",
]

SAMPLE = Sample(
    files={"ipod.scrobbler.log": "\r\n".join(LINES).encode()},
    expected={
        "listener": ["me"] * 3,
        "song": ["Fleet Foxes - Mykonos", "a0000000-0000-4000-8000-000000000002", "#1 Dads - Return To"],
        "time": ["2020-01-01T00:00:00", "2020-01-01T00:04:40", "2020-01-01T00:05:00"],
        "duration_seconds": [277.0, 305.0, None],
        "artist": ["Fleet Foxes", "Björk", "#1 Dads"],
        "title": ["Mykonos", "Jóga", "Return To"],
        "skipped": [False, True, False],
    },
    dropped={"cut short": 1, "before 1990 (clock not set)": 1},
)
