"""The progress bar: where a person watches, nowhere else."""

from __future__ import annotations

import io
import sys

import pytest

from song2vec.core.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(show, steps=3):
    with progress_bar("learning", steps, show) as advance:
        for step in range(steps):
            advance(f"loss {step}.5")


def test_nothing_is_written_when_nobody_watches(capsys):
    run(show=None)
    run(show=False)
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "")


def test_shown_on_request_on_stderr_only(capsys):
    run(show=True)
    written = capsys.readouterr()
    assert written.out == ""
    for shown in ("learning", "3/3", "loss 2.5"):
        assert shown in written.err


def test_shown_on_a_terminal_unless_refused(monkeypatch):
    for show, shown in ((None, True), (False, False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        run(show)
        assert bool(terminal.getvalue()) == shown


def test_without_a_stderr_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    run(show=None)


@pytest.mark.parametrize("show", [True, False])
def test_an_error_inside_comes_out(show):
    with pytest.raises(KeyError), progress_bar("learning", 2, show):
        raise KeyError("inside")
