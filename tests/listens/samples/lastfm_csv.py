from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "scrobbles-ann.csv": (
            '"uts","utc_time","artist","artist_mbid","album","album_mbid","track","track_mbid"\n'
            '"","","Wilco","","A Ghost Is Born","","Still Playing",""\n'
            '"1577836980","01 Jan 2020, 00:03","Wilco","","Yankee Hotel Foxtrot","","Jesus, Etc.",""\n'
            '"1577836800","01 Jan 2020, 00:00","Björk","","Homogenic","","Jóga","a0000000-0000-4000-8000-000000000002"\n'
            '"1577836800","01 Jan 2020, 00:00","Low","","The Great Destroyer","","""Monkey""",""\n'
            '"60","01 Jan 1970, 00:01","Low","","","","Monkey",""\n'
        ).encode()
    },
    expected={
        "listener": ["me"] * 3,
        "song": ['Low - "Monkey"', "a0000000-0000-4000-8000-000000000002", "Wilco - Jesus, Etc."],
        "time": ["2020-01-01T00:00:00", "2020-01-01T00:00:00", "2020-01-01T00:03:00"],
        "artist": ["Low", "Björk", "Wilco"],
        "title": ['"Monkey"', "Jóga", "Jesus, Etc."],
    },
    dropped={"without a readable time": 1, "before 1990 (clock not set)": 1},
)
