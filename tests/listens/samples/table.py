from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "plays.csv": (
            b"user_id,track_id,timestamp,ms_played,artist_name,track_name,ip_addr,conn_country\n"
            b"ann,s1,2020-01-01T00:00:00Z,185000,Low,Monkey,10.1.2.3,XX\n"
            b'ann,s2,2020-01-01T00:03:05Z,12000,Wilco,"Jesus, Etc.",10.1.2.3,XX\n'
            b"ann,,2020-01-01T00:04:05Z,12000,,,10.1.2.3,XX\n"
            b"bob,s1,1970-01-01T00:00:00Z,185000,Low,Monkey,10.1.2.3,XX\n"
        )
    },
    expected={
        "listener": ["ann", "ann"],
        "song": ["s1", "s2"],
        "time": ["2020-01-01T00:00:00", "2020-01-01T00:03:05"],
        "played_seconds": [185.0, 12.0],
        "artist": ["Low", "Wilco"],
        "title": ["Monkey", "Jesus, Etc."],
    },
    dropped={"without a song": 1, "before 1990 (clock not set)": 1},
)
