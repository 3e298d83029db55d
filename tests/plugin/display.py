"""A display for the tests of the dock widgets, where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

_PACKAGES = (
    "xvfb xauth libegl1 libgl1 libgl1-mesa-dri libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 "
    "libxcb-shape0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1"
)
_INSTALL = f"sudo apt-get install -y --no-install-recommends {_PACKAGES}"
_server: subprocess.Popen[bytes] | None = None


def open_display() -> None:
    """Bring up a virtual display where there is none, and check that Qt can use it.

    Tests that run at the same time have a display for each process, since on one
    they would take the keyboard from each other.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        _start_display()
    probe = "from qtpy.QtWidgets import QApplication; QApplication([])"
    result = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=600
    )
    if result.returncode != 0:
        close_display()
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[0]
        pytest.fail(
            f"Qt cannot open a window here ({reason}).\n"
            f"On Debian or Ubuntu install:\n  {_INSTALL}",
            pytrace=False,
        )


def _start_display() -> None:
    global _server
    if shutil.which("Xvfb") is None:
        pytest.fail(
            "The tests of the dock widgets need a display, and Xvfb, which makes one, is not "
            f"installed.\nOn Debian or Ubuntu install:\n  {_INSTALL}",
            pytrace=False,
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
        pytest.fail("Xvfb did not start; run it by hand to see why.", pytrace=False)
    os.environ["DISPLAY"] = f":{number}"


def close_display() -> None:
    """Take the virtual display down."""
    global _server
    if _server is not None:
        _server.terminate()
        _server.wait(timeout=10)
        _server = None
