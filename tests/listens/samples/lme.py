from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "train.txt": b"17430147 17277121 17767569 \n3 2 1 \n0 1 0 \n2 \n1 0 \n",
        "test.txt": b"17430147 17277121 17767569 \n1 0 1 \n2 0 \n",
        "song_hash.txt": b"0 \tMonkey (w\\/ Strings)\tLow\n1 \tJ\xc3\xb3ga\tBj\xc3\xb6rk\n2 \t\tWilco\n3 \tNever played\t10.1.2.3\n",
        "tags.txt": b"1 2\n0\n2\n1\n",
        "tag_hash.txt": b"0, rock\n1, Secret Agent/1.0\n2, XX-COUNTRY\n",
        "README": b"about it\n",
    },
    expected={
        "listener": [0, 0, 0, 1, 2, 2, 3, 3],
        "session": [0, 0, 0, 1, 2, 2, 3, 3],
        "song": [0, 1, 0, 2, 1, 0, 2, 0],
        "title": ["Monkey (w/ Strings)", "Jóga", "Monkey (w/ Strings)", None, "Jóga", "Monkey (w/ Strings)", None, "Monkey (w/ Strings)"],
        "artist": ["Low", "Björk", "Low", "Wilco", "Björk", "Low", "Wilco", "Low"],
    },
)
