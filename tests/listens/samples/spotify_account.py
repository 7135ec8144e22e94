from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "StreamingHistory_music_0.json": """[
  {"endTime" : "2020-01-01 00:03", "artistName" : "Fleet Foxes", "trackName" : "Mykonos", "msPlayed" : 185000},
  {"endTime" : "2020-01-01 00:04", "artistName" : "Björk", "trackName" : "Jóga", "msPlayed" : 12500},
  {"endTime" : "2020-01-01 00:04", "artistName" : "Wilco", "trackName" : "Jesus, Etc.", "msPlayed" : 40000},
  {"endTime" : "2020-01-03 18:24", "artistName" : "Fleet Foxes", "trackName" : "Mykonos", "msPlayed" : 0}
]""".encode()
    },
    expected={
        "listener": ["me"] * 4,
        "song": ["Fleet Foxes - Mykonos", "Björk - Jóga", "Wilco - Jesus, Etc.", "Fleet Foxes - Mykonos"],
        # the third ended within the minute of the second, so it cannot have begun before it
        "time": ["2019-12-31T23:59:55", "2020-01-01T00:03:47.500", "2020-01-01T00:03:47.500", "2020-01-03T18:24:00"],
        "played_seconds": [185.0, 12.5, 40.0, 0.0],
        "artist": ["Fleet Foxes", "Björk", "Wilco", "Fleet Foxes"],
        "title": ["Mykonos", "Jóga", "Jesus, Etc.", "Mykonos"],
    },
)
