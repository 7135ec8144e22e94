"""What users see of the package is typed: a script with every public name passes ``mypy --strict``, and mistakes are found."""

from __future__ import annotations

import re
from pathlib import Path

from mypy import api

import song2vec

SCRIPT = Path(__file__).with_name("user_script.py")


def test_the_script_has_every_public_name():
    assert set(song2vec.__all__) == set(re.findall(r"\bs2v\.(\w+)", SCRIPT.read_text()))


def test_a_users_script_passes_strict_mypy_and_mistakes_do_not(tmp_path, monkeypatch):
    monkeypatch.chdir(Path(song2vec.__file__).parents[1])
    mistakes = tmp_path / "mistakes.py"
    mistakes.write_text("import song2vec as s2v\n" + "\n".join(line for line, _ in MISTAKES))
    found, problems, _ = api.run([str(SCRIPT), str(mistakes)])  # strictly, by pyproject.toml; and with the cache of `make lint`
    assert problems == ""
    lines = {int(line): what for line, what in re.findall(r"mistakes\.py:(\d+): error: (.*)", found)}
    assert [line for line in found.splitlines() if "mistakes.py" not in line and " error: " in line] == []
    for number, (line, message) in enumerate(MISTAKES, 2):
        assert message in lines.get(number, ""), line


MISTAKES = [
    ('s2v.Engine.load("e").playlist("mykonos", lenght=5)', 'did you mean "length"?'),
    ('s2v.Engine.load("e").radio("mykonos", window="long")', 'expected "int | None"'),
    ("s2v.GRU4Rec(hiden=64)", 'did you mean "hidden"?'),
    ("s2v.GRU4Rec(64)", "Too many positional arguments"),
    ('s2v.Engine.load("e").map().sve("map.html")', 'maybe "save"?'),
    ("s2v.GRU4rec()", 'Module has no attribute "GRU4rec"'),
    ('s2v.split_by_time(s2v.Sessions.load("s"), test_days="week")', 'expected "float"'),
    ('s2v.GRU4Rec().fit([["a", "b"]])', 'expected "Sessions"'),
]
