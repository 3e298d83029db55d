"""Decoded patches take no more room than somebody allows."""

import pytest

from napari_patchmap.patches.cache import building
from napari_patchmap.patches.cache.cache_folder import META, MOST, PIXELS, VARIABLE


def make_store(name, size, age):
    import os

    folder = building.store_folder(name)
    folder.mkdir(parents=True)
    (folder / META).write_text('{"dtype": "u1", "channels": 1, "bytes": 0}')
    (folder / PIXELS).write_bytes(bytes(size))
    os.utime(folder, (1e9 - age, 1e9 - age))
    return folder


def test_those_used_longest_ago_go_first(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    old, middle, new = (
        make_store(name, 1_000_000, age) for name, age in (("a", 300), ("b", 200), ("c", 100))
    )
    monkeypatch.setenv(MOST, "0.0035")
    building.make_room(300_000)
    assert old.exists()  # 3.3 of 3.5 MB
    building.make_room(1_200_000)
    assert [one.exists() for one in (old, middle, new)] == [False, True, True]
    with pytest.raises(OSError, match=r"it may take 0\.0 GB"):
        building.make_room(4_000_000)
    assert middle.exists()
    assert new.exists()
