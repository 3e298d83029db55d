"""What cannot be used names its file and one remedy, and keeps nothing of the file."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.folder.folder_decoder import try_decode


def test_a_tiff_that_holds_no_pixels_is_named(tmp_path):
    path = tmp_path / "waves.tif"
    tifffile.imwrite(path, np.zeros((4, 9, 9), np.complex64), photometric="minisblack")
    said = f"{path} holds values of type complex64, not pixels; save"
    with pytest.raises(PatchError, match=re.escape(said)):
        open_patches(path)


def test_axes_that_fit_no_image_of_a_folder_are_one_remedy(tmp_path):
    for i in range(3):
        tifffile.imwrite(tmp_path / f"{i}.tif", np.zeros((9, 9), np.uint8))
    with pytest.raises(PatchError, match=r"0\.tif has 2 axes, but 'CYX' name 3") as caught:
        open_patches(tmp_path, axes="CYX")
    said = str(caught.value)
    assert "name each by one letter" in said
    assert "intact" not in said


def test_a_damaged_file_is_not_kept_in_memory_by_its_error(tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    error = try_decode(str(tmp_path / "cut.png"), "auto")
    assert isinstance(error, UnusableError)
    assert error.__traceback__ is None
    assert error.__context__ is None
