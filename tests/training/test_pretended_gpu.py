"""The engine on a GPU that is only pretended, so that a computer without one tells of faults.

It has to be there before torch is imported, so its checks run in a process of their own.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = ROOT / "tests" / "pretended_gpu" / "checks.py"
NAMES = [
    part.name
    for part in ast.parse(CHECKS.read_text(encoding="utf-8")).body
    if isinstance(part, ast.FunctionDef) and part.name.startswith("test_")
]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="it is compiled with g++ on Linux alone"
)


@pytest.fixture(scope="module")
def faults(tmp_path_factory) -> dict[str, list[str]]:
    """What went wrong in each check."""
    if shutil.which("g++") is None:
        pytest.fail("A C++ compiler is needed: sudo apt-get install -y g++")
    report = tmp_path_factory.mktemp("gpu") / "report.xml"
    command = [sys.executable, "-m", "pytest", "--noconftest", "-q", f"--junitxml={report}"]
    command += ["-p", "tests.pretended_gpu.pretend", "-p", "no:cacheprovider", str(CHECKS)]
    # The plugins of napari and Qt only take time here.
    result = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    if not report.exists():
        pytest.fail(f"The checks did not run:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    found: dict[str, list[str]] = {}
    for case in xml.parse(report).iter("testcase"):
        name = str(case.get("name")).partition("[")[0]
        trouble = [str(part.text) for part in case if part.tag != "properties"]
        found.setdefault(name, []).extend(trouble)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_on_a_pretended_gpu(name, faults):
    assert name in faults, "the check did not run"
    assert not faults[name], "\n".join(faults[name])
