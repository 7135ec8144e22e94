"""Every registered next-song model saves all that it has learned, the same bytes for the same seed, and loads nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.core.errors import SavedFolderError
from song2vec.models import NextSongModel
from tests.damage import read_manifest, write_manifest
from tests.models.models import NAMES, fitted, log, make, some_plays

every_model = pytest.mark.parametrize("name", NAMES)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@every_model
def test_same_seed_same_bytes(name, tmp_path):
    train, _ = log()
    assert contents(make(name).fit(train).save(tmp_path / "a")) == contents(fitted(name).save(tmp_path / "b"))
    if "seed" in make(name).settings:
        assert contents(make(name, seed=1).fit(train).save(tmp_path / "c")) != contents(tmp_path / "a")


@every_model
def test_saves_and_loads(name, tmp_path):
    model, (_, test) = fitted(name), log()
    folder = model.save(tmp_path / "model")
    loaded = NextSongModel.load(folder)
    assert type(loaded) is type(model)
    assert loaded.settings == model.settings
    assert loaded.catalogue_ == model.catalogue_
    assert loaded.nbytes == model.nbytes
    np.testing.assert_array_equal(loaded.score(test, some_plays(test)), model.score(test, some_plays(test)))
    assert contents(loaded.save(tmp_path / "again")) == contents(folder)


@every_model
def test_damaged_and_foreign_folders_are_refused(name, tmp_path):
    folder = fitted(name).save(tmp_path / "model")
    for path in folder.iterdir():
        whole = path.read_bytes()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
        for damaged in (whole[:middle], flipped, b""):
            path.write_bytes(damaged)
            with pytest.raises(SavedFolderError):
                NextSongModel.load(folder)
        path.write_bytes(whole)
    manifest = read_manifest(folder)
    main = manifest["parts"]["estimator"]
    for meta in ({"name": "no such"}, {"settings": {"no such": 1}}, {"settings": 5}):
        parts = manifest["parts"] | {"estimator": main | {"meta": main["meta"] | meta}}
        write_manifest(folder, manifest | {"parts": parts})
        with pytest.raises(SavedFolderError):
            NextSongModel.load(folder)
    with pytest.raises(SavedFolderError):
        NextSongModel.load(log()[0].save(tmp_path / "sessions"))
    with pytest.raises(SavedFolderError):
        fitted(name).save(tmp_path / "sessions")
