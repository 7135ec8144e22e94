from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "sessions.tsv": (
            b"UserId\tSessionId\tItemId\tTime\tArtistId\tIp\n"
            b"40265\t2464\t1818271\t1397982525.25\t228054\t10.1.2.3\n"
            b"40265\t2464\t1818263\t1397983236\t228054\tSecret Agent/1.0\n"
            b"40265\t2465\t\t1397983300\t228054\tXX-COUNTRY\n"
            b"39894\t2466\t1818271\t1397984000\t228054\t10.1.2.3\n"
        )
    },
    expected={
        "listener": [40265, 40265, 39894],
        "session": [2464, 2464, 2466],
        "song": [1818271, 1818263, 1818271],
        "time": ["2014-04-20T08:28:45.250", "2014-04-20T08:40:36", "2014-04-20T08:53:20"],
        "artist": ["228054", "228054", "228054"],
    },
    dropped={"without a song": 1},
)
