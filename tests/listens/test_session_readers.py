"""Session sets: LME, one session a line, Idomaar, GRU4Rec, RecBole; what the contract battery does not show."""

from __future__ import annotations

import pytest

from song2vec.core.errors import FormatError
from song2vec.listens import read_listens

LME = "17430147 17277121 17767569 \n3 2 1 \n{}"


def _write(folder, **files):
    """Files by name (``__`` stands for a dot); returns the one file, or the folder."""
    folder.mkdir(exist_ok=True)
    paths = [folder / name.replace("__", ".") for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths[0] if len(paths) == 1 else folder


def test_lme_whose_first_line_outgrows_the_head(tmp_path):
    songs = 20_000
    ids = " ".join(str(10_000_000 + song) for song in range(songs))
    path = _write(tmp_path, train__txt=f"{ids} \n{'1 ' * songs}\n0 1 \n19999 0 \n")
    listens = read_listens(path)
    assert listens.report.format == "lme"
    assert listens.table.select("session", "song").rows() == [(0, 0), (0, 1), (1, 19999), (1, 0)]


def test_lme_without_names_beside_it_has_no_artists(tmp_path):
    assert read_listens(_write(tmp_path, train__txt=LME.format("0 1 \n"))).table.columns == ["listener", "song", "session"]


def test_lme_without_spaces_at_line_ends_is_known_by_its_song_hash(tmp_path):
    files = {"train__txt": "11 12 13\n3 2 1\n0 1\n2\n", "song_hash__txt": "0\tMonkey\tLow\n1\tJoga\tBjork\n"}
    listens = read_listens(_write(tmp_path, **files))
    assert listens.report.format == "lme"
    assert listens.table["artist"].to_list() == ["Low", "Bjork", None]
    assert [name.rsplit("/", 1)[-1] for name in listens.report.ignored] == ["song_hash.txt"]


@pytest.mark.parametrize("content", ["1 2\n3 4\n5 6 7\n", "1 2 \n3 4 \n5 6 7 \n", "0 1 2\n1 2 0\n1 0\n"])
def test_sessions_that_begin_like_lme_are_not_taken_for_it(tmp_path, content):
    assert read_listens(_write(tmp_path, train__txt=content)).report.format == "session-lines"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train__txt": "1 2 3 \n1 2 \n0 \n"}, "train.txt, line 2: line 1 has 3 song ids, line 2 2 counts"),
        ({"train__txt": LME.format("0 1 \n0 3 \n")}, "field 'song': names song 3; 0 to 2 are allowed"),
        ({"train__txt": LME.format("0 1 \n0 x \n")}, "train.txt, line 4: holds '0 x '"),
        ({"train__txt": LME.format("0 1 \n"), "song_hash__txt": "0\tA\tB\n\nx\tA\tB\n"}, "song_hash.txt, line 3: holds 'x\\tA\\tB'"),
        ({"train__txt": LME.format("0 1 \n"), "song_hash__txt": "0\tA\n"}, "song_hash.txt, line 1: holds '0\\tA'"),
    ],
)
def test_lme_names_file_and_line(tmp_path, files, message):
    folder = _write(tmp_path, **files)
    with pytest.raises(FormatError) as raised:
        read_listens(folder if folder.is_file() else folder / "train.txt", format="lme")
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["tags.txt", "song_hash.txt", "tag_hash.txt"])
def test_files_beside_lme_playlists_are_no_log(tmp_path, name):
    (tmp_path / name).write_text("1 2\n3\n")
    with pytest.raises(FormatError, match="no format that song2vec knows"):
        read_listens(tmp_path / name)


def test_session_lines_train_comes_before_valid_and_test(tmp_path):
    folder = _write(tmp_path, test__txt="5 6", train__txt="1 2\n", valid__txt="3 4\n")
    table = read_listens(folder).table
    assert table["song"].to_list() == [1, 2, 3, 4, 5, 6]
    assert table["session"].to_list() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("content", ["1\n2\n3\n", "196\t242\t3\n", "1,2\n3,4\n", "1 2\n3 x\n"])
def test_other_numbers_are_not_taken_for_sessions(tmp_path, content):
    with pytest.raises(FormatError, match="no format that song2vec knows"):
        read_listens(_write(tmp_path, train__txt=content))


@pytest.mark.parametrize(("line", "shown"), [("3 x", "'3 x'"), ("1 12345678901234567890", "'1 12345678901234567890'"), ("-1 2", "'-1 2'")])
def test_session_lines_name_file_and_line(tmp_path, line, shown):
    with pytest.raises(FormatError) as raised:
        read_listens(_write(tmp_path, train__txt=f"1 2\n\n{line}\n"), format="session-lines")
    assert f"train.txt, line 3: holds {shown}; whole numbers" in str(raised.value)


def _session(links, start="1390231051"):
    return f'event.session\t1\t{start}\t{{"numtracks":1}} {links}\n'


GOOD = _session('{"subjects":[{"id":"u1"}],"objects":[{"id":5,"playstart":1.6,"playtime":10}]}')


def test_idomaar_ids_may_be_texts(tmp_path):
    more = _session('{"subjects":[{"id":7}],"objects":[{"id":6,"playstart":2,"playtime":null}]}')
    table = read_listens(_write(tmp_path, sessions__idomaar=GOOD + "\n" + more)).table
    assert table["listener"].to_list() == ["u1", "7"]
    assert table["song"].to_list() == [5, 6]
    assert table["time"].dt.epoch("s").to_list() == [1390231053, 1390231053]


def test_idomaar_rows_without_a_time_or_listener_are_dropped_with_a_count(tmp_path):
    bad = '{"subjects":[{"id":1}],"objects":[{"id":5,"playstart":null}]}'
    unknown = '{"subjects":[],"objects":[{"id":5,"playstart":0}]}'
    text = GOOD + _session(bad) + _session(unknown) + _session(bad.replace("null", "0"), start="-1")
    dropped = read_listens(_write(tmp_path, sessions__idomaar=text)).report.dropped
    assert dropped == {"without a listener": 1, "without a readable time": 1, "before 1990 (clock not set)": 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("event.play\t1\t2\t{} {}", "begins with 'event.play'; 'event.session' is expected"),
        (_session("", start="soon"), "line 2, field 'time': has 'soon'"),
        (_session(""), "two JSON objects are expected"),
        (_session("{"), "line 2: not valid JSON"),
        (_session('{"subjects":[]}'), "line 2, field 'objects': the session has none; an array is needed"),
        (_session('{"subjects":[],"objects":[5]}'), "line 2, field 'objects': has 5"),
    ],
)
def test_idomaar_names_file_and_line(tmp_path, line, message):
    with pytest.raises(FormatError) as raised:
        read_listens(_write(tmp_path, sessions__idomaar=GOOD + line))
    assert "sessions.idomaar, line 2" in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("SessionId\tItemId\tTime", "1\t2\t1397982525"),
        ("session_id,item_id,timestamp", "1,2,1397982525000"),
        ("SESSIONID;ITEMID;TIME", "1;2;2014-04-20T08:28:45Z"),
        ("SessionId\tItemId\tTime", "1\t2\t1397982525.0"),
    ],
)
def test_gru4rec_headers_and_times(tmp_path, header, row):
    listens = read_listens(_write(tmp_path, train__txt=f"{header}\n{row}\n"))
    assert listens.report.format == "gru4rec-tsv"
    assert listens.table.select("listener", "session", "song").row(0) == (1, 1, 2)
    assert listens.table["time"].dt.epoch("s").to_list() == [1397982525]


def test_gru4rec_without_sessions_is_refused_by_name(tmp_path):
    with pytest.raises(FormatError, match=r"line 1: columns are user, song, time; SessionId, ItemId and Time are expected"):
        read_listens(_write(tmp_path, a__tsv="user\tsong\ttime\n1\t2\t3\n"), format="gru4rec-tsv")


def test_recbole_without_sessions(tmp_path):
    path = _write(tmp_path, ml__inter="user_id:token\titem_id:token\trating:float\ttimestamp:float\n07\t2\t5\t1397982525\n")
    listens = read_listens(path)
    assert listens.report.format == "recbole"
    assert listens.table.columns == ["listener", "song", "time"]
    assert listens.table.row(0)[:2] == ("07", 2)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a__inter": "user_id\titem_id\n1\t2\n"}, "a typed header such as user_id:token"),
        ({"a__inter": "user_id:token\titem_id:token\n1\t2\n"}, "none is a time or a session"),
        ({"a__inter": "session_id:token\titem_id_list:token_seq\titem_id:token\n1\t2 3\t4\n"}, "line 1, field 'item_id_list:token_seq'"),
        (
            {"a__inter": "session_id:token\titem_id:token\n1\t2\n", "b__inter": "session_id:token\tsong_id:token\n1\t2\n"},
            "b.inter, line 1: columns are session_id:token, song_id:token; the other files have",
        ),
    ],
)
def test_recbole_names_file_and_column(tmp_path, files, message):
    with pytest.raises(FormatError) as raised:
        read_listens(_write(tmp_path, **files), format="recbole")
    assert message in str(raised.value)
