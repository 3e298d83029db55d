"""What the network looks at, over the pictures of the gallery and on the card."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from qtpy.QtGui import QImage

from napari_patchmap.plugin.map.card import SIDE
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.what_it_sees import WhatItSees
from napari_patchmap.training import fit
from tests.plugin.toy import toy_patches

ONE_WINDOW = True


@pytest.fixture(scope="module")
def run():
    return fit(toy_patches(), RunConfig(TrainConfig(method="pixels")))


def choose(gallery, text):
    """Choose an entry of the menu of a patch; return whether it could be."""
    menu = gallery.menu(3)
    action = next(one for one in menu.actions() if one.text() == text)
    could = action.isEnabled()
    action.trigger()
    return could, action.isChecked()


def shown(viewer, index, side):
    """Return the picture of a patch as the window shows it now."""
    image = MapLayer.of(viewer).thumbnails.get(index, side).toImage()
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)


WORDS = "What the network looks at"


def test_pictures_show_what_the_network_looks_at_and_the_patches_again(
    viewer, gallery, workspace, run, qtbot, tmp_path
):
    assert choose(gallery, WORDS) == (False, False)  # there is no run
    workspace.set_run(run)
    patches = workspace.patches
    assert choose(gallery, WORDS) == (True, True)
    sees = WhatItSees(run, patches)
    for index, side in ((5, gallery.grid.painter.side), (61, SIDE)):
        wanted = sees.picture(index, side).astype(int)
        qtbot.waitUntil(
            lambda i=index, s=side, w=wanted: np.array_equal(shown(viewer, i, s), w),
            timeout=20_000,
        )
    workspace.select(np.array([7]))
    gallery.save.save_sheet(tmp_path / "sheet.png")
    qtbot.waitUntil(lambda: (tmp_path / "sheet.png").exists())
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    assert np.array_equal(sheet[5:69, 5:69], sees.picture(7, 64))
    assert choose(gallery, WORDS) == (True, False)
    assert np.array_equal(shown(viewer, 5, 56), patches.thumbnail(5, 56).astype(int))


def test_other_patches_are_shown_as_they_are(viewer, gallery, workspace, run):
    workspace.set_run(run)
    choose(gallery, WORDS)
    others = toy_patches()
    workspace.set_patches(others)
    assert np.array_equal(shown(viewer, 5, 56), others.thumbnail(5, 56).astype(int))
    assert choose(gallery, WORDS) == (False, False)
