from tests.listens.samples import Sample

MBID = "f1b1cf71-bd35-4e99-8624-24a6e15f133a"
LINES = [
    ("user_000001", "2009-05-04T23:08:57Z", MBID, "Deep Dish", "", "A Live Set (Pacha Ibiza)-09-28-2007"),
    ("user_000001", "2009-05-04T13:54:10Z", "", "坂本龍一", "", 'The 12" Last Emperor'),
    # equal stamps: the second was played first
    ("user_000001", "2009-05-04T13:42:52Z", "", "Wilco", "a0000000-0000-4000-8000-000000000002", "Jesus, Etc."),
    ("user_000001", "2009-05-04T13:42:52Z", "", "Low", "a0000000-0000-4000-8000-000000000001", "Monkey"),
    ("user_000002", "2008-01-02T00:00:01Z", MBID, "Low", "a0000000-0000-4000-8000-000000000001", "Monkey"),
    ("user_000002", "1970-01-01T00:00:01Z", "", "Low", "", "Sunflower"),
]

SAMPLE = Sample(
    files={"userid-timestamp-artid-artname-traid-traname.tsv": "".join("\t".join(line) + "\n" for line in LINES).encode()},
    expected={
        "listener": ["user_000002"] + ["user_000001"] * 4,
        "song": [
            "a0000000-0000-4000-8000-000000000001",
            "a0000000-0000-4000-8000-000000000001",
            "a0000000-0000-4000-8000-000000000002",
            '坂本龍一 - The 12" Last Emperor',
            "Deep Dish - A Live Set (Pacha Ibiza)-09-28-2007",
        ],
        "time": ["2008-01-02T00:00:01", "2009-05-04T13:42:52", "2009-05-04T13:42:52", "2009-05-04T13:54:10", "2009-05-04T23:08:57"],
        "artist": ["Low", "Low", "Wilco", "坂本龍一", "Deep Dish"],
        "title": ["Monkey", "Monkey", "Jesus, Etc.", 'The 12" Last Emperor', "A Live Set (Pacha Ibiza)-09-28-2007"],
    },
    dropped={"before 1990 (clock not set)": 1},
)
