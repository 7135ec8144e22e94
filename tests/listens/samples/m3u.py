from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "old.m3u": (  # Windows-1252, Windows paths and line ends
            b"#EXTM3U\r\n# 10.1.2.3 Secret Agent/1.0 XX-COUNTRY\r\n"
            b"#EXTINF:303,Bj\xf6rk - J\xf3ga\r\nMusic\\Bj\xf6rk\\Joga.mp3\r\n"
            b"#EXTINF:-1,Untitled\r\n..\\other\\x.mp3\r\n"
            b"Music\\Low\\Monkey.mp3\r\n"
        ),
        "new.m3u8": (
            "#EXTM3U\n#PLAYLIST:Evening\n"
            '#EXTINF:303.5 tvg-id="a,b",Björk - Jóga - live\nhttps://example.org/joga.ogg\n\n'
            "Music/Low/Monkey.mp3\nnothing\n"
        ).encode(),
    },
    expected={
        "session": ["Evening", "Evening", "old", "old", "old"],
        "listener": ["Evening", "Evening", "old", "old", "old"],
        "song": ["Björk - Jóga - live", "Music/Low/Monkey.mp3", "Björk - Jóga", "../other/x.mp3", "Music/Low/Monkey.mp3"],
        "artist": ["Björk", None, "Björk", None, None],
        "title": ["Jóga - live", None, "Jóga", "Untitled", None],
        "duration_seconds": [303.5, None, 303.0, None, None],
    },
    dropped={"neither a path nor an address": 1},
)
