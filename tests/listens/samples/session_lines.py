from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "train.txt": b"1 2\n3 4\n\n5 5  6 \r\n7\n",  # two lines of one length, a blank line, spaces at ends
        "test.txt": b"2 1",
    },
    expected={
        "listener": [0, 0, 1, 1, 2, 2, 2, 3, 4, 4],
        "session": [0, 0, 1, 1, 2, 2, 2, 3, 4, 4],
        "song": [1, 2, 3, 4, 5, 5, 6, 7, 2, 1],
    },
)
