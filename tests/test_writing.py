"""Files are whole or not there."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

import napari_patchmap
from napari_patchmap.errors import RunError
from napari_patchmap.writing import (
    check_not_foreign,
    leftovers,
    whole_file,
    write_json,
    write_whole,
)


def test_who_fails_half_way_leaves_the_older_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("older")
    seen: list[str] = []

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"newer, but")
            seen.append(path.read_text())
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        write()
    assert seen == ["older"]
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_rights_and_a_link_stays_a_link(tmp_path):
    path, link = tmp_path / "table.csv", tmp_path / "link.csv"
    path.write_text("older")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, "newer ü")
    assert link.is_symlink()
    assert path.read_text("utf-8") == "newer ü"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_whole(tmp_path / "new", b"")
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "other", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o640  # as the umask says


def test_a_pipe_is_written_to(tmp_path):
    read, write = os.pipe()
    write_whole(f"/dev/fd/{write}", "through")
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "through"


def test_names_as_long_as_a_disk_allows_can_be_written(tmp_path):
    path = tmp_path / ("n" * 251 + ".csv")
    write_whole(path, "x")
    assert path.read_text() == "x"


def test_what_a_killed_process_left_is_known(tmp_path):
    with whole_file(tmp_path / "a.json") as file:
        file.write(b"{}")
        (part,) = leftovers(tmp_path)
    write_json(tmp_path / "b.json", {"path": "\udcff"})
    assert leftovers(tmp_path) == []
    assert not part.exists()


def test_a_table_of_somebody_else_is_not_replaced(tmp_path):
    path = tmp_path / "table.csv"
    check_not_foreign(path, ["map"], RunError)
    path.write_text("map,patches\n")
    check_not_foreign(path, ["map", "patches"], RunError)
    for theirs in ("name,age\n", "", "map\n", "\x00"):
        path.write_text(theirs)
        with pytest.raises(RunError, match="no table of patchmap"):
            check_not_foreign(path, ["map", "patches"], RunError)


def test_nothing_is_written_in_another_way():
    """Each of these writes a file that is half there for a while."""
    ways = re.compile(
        r"\.(write_text|write_bytes|savefig|to_csv|imsave|imwrite|dump)\("
        r"(?!\s*file\b|index=False\))"  # an open file, or text
        r"""|open\([^)]*["'][wax]\+?b?["']"""
    )
    root = Path(napari_patchmap.__file__).parent
    found = [
        (path.relative_to(root).as_posix(), way.group())
        for path in root.rglob("*.py")
        for way in ways.finditer(path.read_text("utf-8"))
    ]
    allowed = {
        "writing.py",
        "runs/drawing/paper.py",  # into memory
        "runs/export/folder_export.py",  # into a folder that gets its name once it is whole
        "cli/tiling.py",  # into memory
    }
    assert [one for one in found if one[0] not in allowed] == []
