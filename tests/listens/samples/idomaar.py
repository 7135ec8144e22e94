from tests.listens.samples import Sample

SAMPLE = Sample(
    files={
        "sessions.idomaar": (
            b'event.session\t287144\t1390231051\t{"numtracks":3,"playtime":444,"ip":"10.1.2.3"} {"subjects":[{"type":"user","id":44361}],'
            b'"objects":[{"type":"track","id":4698874,"playstart":0,"playtime":321,"playratio":1.0,"action":"play"},'
            b'{"type":"track","id":838286,"playstart":321,"playtime":-1,"playratio":"","action":"skip"},'
            b'{"type":"track","playstart":400,"playtime":44}]}\n'
            b'event.session\t287145\t1390300000\t{"numtracks":1,"agent":"Secret Agent/1.0"}\t{"subjects":[{"type":"user","id":28}],'
            b'"objects":[{"type":"track","id":838286,"playstart":0,"playtime":123,"country":"XX-COUNTRY"}]}\n'
        )
    },
    expected={
        "listener": [44361, 44361, 28],
        "session": [287144, 287144, 287145],
        "song": [4698874, 838286, 838286],
        "time": ["2014-01-20T15:17:31", "2014-01-20T15:22:52", "2014-01-21T10:26:40"],
        "played_seconds": [321.0, None, 123.0],
    },
    dropped={"without a song": 1},
)
