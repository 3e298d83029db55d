"""A display for the tests of the dock widgets, and small patch sets for all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.patchset import box_table
from napari_patchmap.training import estimate
from tests.narrow import narrow, widen

_PACKAGES = (
    "xvfb xauth libegl1 libgl1 libgl1-mesa-dri libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 "
    "libxcb-shape0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1"
)
_INSTALL = f"sudo apt-get install -y --no-install-recommends {_PACKAGES}"
_server: subprocess.Popen[bytes] | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Bring up a virtual display where there is none, and check that Qt can use it.

    Tests that run at the same time have a display for each process, since on one
    they would take the keyboard from each other.
    """
    if getattr(config.option, "numprocesses", None):
        return  # the tests run in other processes
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        _start_display()
    probe = "from qtpy.QtWidgets import QApplication; QApplication([])"
    result = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=600
    )
    if result.returncode != 0:
        _stop_display()
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[0]
        pytest.exit(
            f"Qt cannot open a window here ({reason}).\n"
            f"On Debian or Ubuntu install:\n  {_INSTALL}",
            returncode=3,
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the virtual display down."""
    _stop_display()


def _start_display() -> None:
    global _server
    if shutil.which("Xvfb") is None:
        pytest.exit(
            "The tests of the dock widgets need a display, and Xvfb, which makes one, is not "
            f"installed.\nOn Debian or Ubuntu install:\n  {_INSTALL}",
            returncode=3,
        )
    read, write = os.pipe()
    # Xvfb chooses a free display number and writes it once it is ready.
    _server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    if not number:
        pytest.exit("Xvfb did not start; run it by hand to see why.", returncode=3)
    os.environ["DISPLAY"] = f":{number}"


def _stop_display() -> None:
    global _server
    if _server is not None:
        _server.terminate()
        _server.wait(timeout=10)
        _server = None


def make_cells(count: int = 60, side: int = 16, seed: int = 0) -> PatchSet:
    """Draw cells of three kinds that a tiny network can tell apart: spot, ring, bar."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    kinds = np.arange(count) % 3
    images = np.empty((count, side, side, 3), np.uint8)
    for image, kind in zip(images, kinds, strict=True):
        radius = np.hypot(y, x) + rng.normal(0, 0.05, y.shape)
        shape = (radius < 0.5, np.abs(radius - 0.6) < 0.15, np.abs(x) < 0.25)[kind]
        colour = np.array([(200, 60, 60), (60, 160, 70), (70, 80, 190)][kind])
        image[:] = np.where(shape[..., None], colour, (235, 230, 220))
        image[:] = np.clip(image + rng.normal(0, 6, image.shape), 0, 255)
    table = box_table("drawn", np.arange(count), np.full((count, 2), side))
    table["label"] = np.array(["spot", "ring", "bar"], dtype=object)[kinds]
    return PatchSet(images, table, ("red", "green", "blue"), name="drawn cells")


@pytest.fixture
def cells() -> PatchSet:
    """Sixty drawn cells of three kinds, 16 px, with labels."""
    return make_cells()


@pytest.fixture(scope="session", autouse=True)
def _narrow_network() -> Iterator[None]:
    """Train narrow networks, for what is around a network does not depend on its size."""
    with pytest.MonkeyPatch.context() as patch:
        narrow(patch)
        yield


@pytest.fixture
def whole_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train the compact network as people do."""
    widen(monkeypatch)


@pytest.fixture(autouse=True)
def _one_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the speed of each network once, and not again for each test."""
    monkeypatch.setattr(estimate, "_HOLDS", np.inf)


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep runs that tests save out of the user's own data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield
