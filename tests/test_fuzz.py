"""Whatever became of a file, it opens or is refused in one sentence, and nothing else."""

import gc
import shutil
import signal
import sys
import traceback

import numpy as np
import pytest

from napari_patchmap.errors import PatchmapError
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit

from .conftest import Steps, make_cells
from .fuzz import Kind, kinds, mutate

#: Damaged copies of each kind. The seed is fixed, so that all see the same ones; what other
#: seeds found became tests of their own.
_COPIES, _SEED = 12, 14

#: Seconds after which a file is taken to be read for ever, and bytes that no small file needs.
_ENDLESS, _MUCH = 60, 10**9


class Endless(BaseException):
    """Nobody but the test catches it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> list[Kind]:
    """One small valid file or folder of every kind."""
    root = tmp_path_factory.mktemp("fuzz")
    config = RunConfig(TrainConfig(method="simclr", epochs=(2,), device="cpu"))
    run = fit(make_cells(24, 8), config, folder=root / "half", **Steps(2).given)
    run.save(root / "half")
    run.save(root / "run")
    (root / "kinds").mkdir()
    return list(kinds(root / "kinds", root / "run", root / "half"))


def test_all_kinds_are_valid(made, monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path))
    for kind in made:
        kind.open(kind.folder)


def test_damaged_files_of_every_kind(made, monkeypatch, tmp_path, request):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path / "cache"))
    rng, found, before = np.random.default_rng(_SEED), [], _most_memory()
    gc.freeze()  # what other tests left would take a second of each collection
    request.addfinalizer(gc.unfreeze)
    for kind in made:
        for number in range(_COPIES):
            copy = tmp_path / "copy"
            shutil.copytree(kind.folder, copy)
            file = kind.files[rng.integers(len(kind.files))].relative_to(kind.folder)
            way = mutate(copy / file, rng)
            if wrong := _opened(kind, copy):
                found.append(f"{kind.name} {number}, {file}, {way}: {wrong}")
            gc.collect()  # files that are still open
            shutil.rmtree(copy)
    assert not found, "\n".join(found)
    assert _most_memory() - before < _MUCH


def _opened(kind: Kind, copy) -> str:
    """Open something damaged; return what came of it that should not."""

    def end(*_):
        raise Endless

    alarm = getattr(signal, "SIGALRM", None)  # not on Windows
    if alarm is not None:
        signal.signal(alarm, end)
        signal.alarm(_ENDLESS)
    try:
        kind.open(copy)
    except PatchmapError as error:
        return repr(str(error)) if "\n" in str(error) else ""
    except (Exception, Endless):  # noqa: BLE001 - it is what is looked for
        return traceback.format_exc()
    finally:
        if alarm is not None:
            signal.alarm(0)
    return ""


def _most_memory() -> int:
    """Most bytes that this process ever took."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
