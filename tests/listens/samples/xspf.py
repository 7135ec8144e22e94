from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "mix.xspf": (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<playlist version="1" xmlns="http://xspf.org/ns/0/">\n'
            "<title>Morning &amp; noon</title><info>http://10.1.2.3/</info><annotation>XX-COUNTRY</annotation>\n"
            "<trackList>\n"
            "<track><identifier> </identifier><identifier>mbid:1</identifier><title>Jóga</title><creator>Björk</creator>"
            "<duration>303500</duration><meta rel='agent'>Secret Agent/1.0</meta></track>\n"
            "<track><location>file:///music/a.mp3</location><title>Monkey</title><creator>Low</creator><duration>0</duration></track>\n"
            "<track><location>file:///music/b.mp3</location><title>Untitled</title></track>\n"
            "<track><title>Nowhere</title></track>\n"
            "</trackList></playlist>\n"
        ).encode()
    },
    expected={
        "session": ["Morning & noon"] * 3,
        "listener": ["Morning & noon"] * 3,
        "song": ["mbid:1", "Low - Monkey", "file:///music/b.mp3"],
        "artist": ["Björk", "Low", None],
        "title": ["Jóga", "Monkey", "Untitled"],
        "duration_seconds": [303.5, None, None],
    },
    dropped={"without a song": 1},
)
