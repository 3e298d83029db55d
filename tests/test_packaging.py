"""The manifest is found from a wheel, from an sdist and from an editable install."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent


def build(hook: str, source: Path, out: Path) -> Path:
    """Run a build hook of hatchling in the source tree; return what it made."""
    out.mkdir()
    code = f"import hatchling.build as b; print(b.{hook}({str(out)!r}))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True
    )
    return out / result.stdout.strip().splitlines()[-1]


def unpack(wheel: Path, site: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def validate(site: Path, imports: bool = True) -> str:
    """Validate the manifest of the distribution in a site folder, imports included."""
    code = f"""
import site, sys
site.addsitedir({str(site)!r})
sys.path.insert(0, {str(site)!r})
from npe2 import PluginManifest
manifest = PluginManifest.from_distribution("napari-patchmap")
if {imports}:
    manifest.validate_imports()
import napari_patchmap
print(napari_patchmap.__file__)
for widget in manifest.contributions.widgets:
    print(widget.display_name)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=site, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build("build_wheel", SOURCE, tmp_path_factory.mktemp("built") / "wheel")


def contents(wheel: Path) -> dict[str, int]:
    """Names and checksums of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {file.filename: file.CRC for file in archive.infolist()}


def test_manifest_is_found_in_a_wheel(wheel, tmp_path):
    said = validate(unpack(wheel, tmp_path / "site"))
    assert str(tmp_path / "site") in said
    assert "Workspace" in said


def test_manifest_is_found_in_an_editable_install(tmp_path):
    link = build("build_editable", SOURCE, tmp_path / "wheel")
    said = validate(unpack(link, tmp_path / "site"), imports=False)  # all tests import those
    assert str(SOURCE) in said
    assert "Workspace" in said


def test_an_sdist_makes_the_same_wheel(wheel, tmp_path):
    archive = build("build_sdist", SOURCE, tmp_path / "sdist")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "source", filter="tar")
    source = next((tmp_path / "source").iterdir())
    assert (source / "napari.yaml").is_file()
    assert (source / "tests").is_dir()
    assert contents(build("build_wheel", source, tmp_path / "wheel")) == contents(wheel)


def test_wheel_is_small_and_holds_data_licence_and_manifest(wheel):
    names = contents(wheel)
    assert wheel.stat().st_size < 3_000_000
    assert "napari_patchmap/napari.yaml" in names
    assert any(name.startswith("napari_patchmap/patches/data/") for name in names)
    assert any(name.endswith("LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)
