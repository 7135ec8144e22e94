from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "music.train.inter": (
            b"session_id:token\tuser_id:token\titem_id:token\ttimestamp:float\tip:token\n"
            b"1\tann\ts1\t1397982525.0\t10.1.2.3\n"
            b"1\tann\ts2\t1.397983236E9\tSecret Agent/1.0\n"
        ),
        "music.test.inter": (
            b"session_id:token\tuser_id:token\titem_id:token\ttimestamp:float\tip:token\n"
            b"2\tbob\ts1\t1397984000\tXX-COUNTRY\n"
            b"2\tbob\ts3\t-1\tXX-COUNTRY\n"
        ),
        "music.item": b"item_id:token\tname:token_seq\ns1\tMonkey\n",
    },
    expected={
        "listener": ["ann", "ann", "bob"],
        "session": [1, 1, 2],
        "song": ["s1", "s2", "s1"],
        "time": ["2014-04-20T08:28:45", "2014-04-20T08:40:36", "2014-04-20T08:53:20"],
    },
    dropped={"before 1990 (clock not set)": 1},
)
