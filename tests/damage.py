"""Damage to saved folders whose checksums fit all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from song2vec.core.folders import MANIFEST, _manifest_digest


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a saved folder says of itself."""
    return json.loads((folder / MANIFEST).read_text())


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Another manifest in place of a folder's, with the checksum that fits it."""
    (folder / MANIFEST).write_text(sealed(manifest))


def sealed(manifest: dict[str, Any]) -> str:
    """A manifest as text, with the checksum that fits it."""
    return json.dumps(manifest | {"sha256": _manifest_digest(manifest)})
