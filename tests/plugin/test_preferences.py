"""What is set in napari's Preferences has its effect, in the window that is open as well."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from npe2 import PluginManifest

import napari_patchmap
from napari_patchmap.networks.trained.networks_folder import prefer_networks_in
from napari_patchmap.patches.cache import cache_folder as cache
from napari_patchmap.plugin.panels.load.cache_line import CacheLine
from napari_patchmap.plugin.panels.train.train_map import TrainMap
from napari_patchmap.plugin.preferences import PREFERENCES, Preferences

settings = pytest.importorskip("napari.settings")
if not hasattr(settings, "get_plugin_settings"):
    pytest.skip("napari before 0.9 has no preferences of plugins", allow_module_level=True)

NAME = "napari-patchmap"


@pytest.fixture
def preferred(npe2pm, make_napari_viewer, monkeypatch):
    """The preferences of our plugin as napari keeps them, and a viewer."""
    for name in (cache.VARIABLE, cache.MOST, "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    manifest = PluginManifest.from_file(Path(napari_patchmap.__file__).parent / "napari.yaml")
    with npe2pm.tmp_plugin(manifest=manifest):
        viewer = make_napari_viewer(show=True)
        PREFERENCES.take_up()
        page = settings.get_plugin_settings(NAME).computer
        yield page, viewer
        for name, value in asdict(Preferences()).items():
            setattr(page, name, value)


def threads_of_others() -> int:
    found = []
    other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    return found[0]


def test_the_manifest_and_the_defaults_say_the_same(preferred):
    page, _ = preferred
    values = {name: getattr(page, name) for name in asdict(Preferences())}
    assert values == asdict(Preferences())
    assert set(type(page).model_fields) == set(values)


def test_the_form_of_a_training_begins_with_what_is_preferred(preferred):
    page, viewer = preferred
    page.minutes, page.device = 12.5, "cpu"
    panel = TrainMap(viewer)
    viewer.window.add_dock_widget(panel)
    assert (panel.form.config.minutes, panel.form.config.device) == (12.5, "cpu")
    page.minutes = 3.0
    assert panel.form.config.minutes == 3.0
    # What somebody chose in the form is not taken back.
    panel.form.set_config(type(panel.form.config)(minutes=40.0, device="cpu"))
    page.minutes = 5.0
    assert panel.form.config.minutes == 40.0


def test_decoded_images_are_kept_where_it_says(preferred, tmp_path, qtbot, monkeypatch):
    page, _ = preferred
    line = CacheLine()
    qtbot.addWidget(line)
    usual = cache.cache_folder()
    page.cache_folder = str(tmp_path / "here")
    assert cache.cache_folder() == tmp_path / "here"
    assert str(tmp_path / "here") in line.text.toolTip()
    page.cache_gigabytes = 2.0
    assert cache.cache_limit() == 2e9
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "told"))
    monkeypatch.setenv(cache.MOST, "3")
    assert (cache.cache_folder(), cache.cache_limit()) == (tmp_path / "told", 3e9)
    monkeypatch.delenv(cache.VARIABLE)
    for no_folder in ("", "here", "~nobody at all/x", __file__, f"{__file__}/x"):
        page.cache_folder = no_folder
        assert cache.cache_folder() == usual
        assert line.trouble.isHidden() == (not no_folder)
        assert no_folder in line.trouble.text()
    qtbot.waitUntil(lambda: not line.busy)


def test_networks_are_kept_where_it_says(preferred, tmp_path):
    from huggingface_hub import constants

    page, _ = preferred
    before = constants.HF_HUB_CACHE, torch.hub.get_dir()
    page.networks_folder = str(tmp_path)
    assert str(tmp_path) == constants.HF_HUB_CACHE
    assert torch.hub.get_dir() == str(tmp_path / "torch")
    page.networks_folder = ""
    assert (constants.HF_HUB_CACHE, torch.hub.get_dir()) == before


def test_what_the_environment_says_goes_before(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(
        "napari_patchmap.networks.trained.networks_folder._SAID", {"HF_HOME", "TORCH_HOME"}
    )
    before = constants.HF_HUB_CACHE, torch.hub.get_dir()
    prefer_networks_in(tmp_path)
    assert (constants.HF_HUB_CACHE, torch.hub.get_dir()) == before


def test_threads_to_come_compute_with_so_many_cores(preferred):
    page, _ = preferred
    before = threads_of_others()
    page.threads = 1
    assert threads_of_others() == 1
    page.threads = 0
    assert threads_of_others() == before
