"""The command line run inside the test's own process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from song2vec.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: its exit code and what it wrote."""

    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a command with --json wrote."""
        return json.loads(self.out)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """Run ``song2vec`` with these arguments."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    written = capsys.readouterr()
    return Outcome(stopped.value.code or 0, written.out, written.err)
