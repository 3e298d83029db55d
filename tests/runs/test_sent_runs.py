"""A run that somebody sent names a network and files; none of these is run or fetched."""

import contextlib
import json
import pickle
import shutil

import numpy as np
import pytest
import torch

from napari_patchmap.errors import PatchmapError, RunError
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.saved_map import read_map
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    run = fit(make_cells(24, 8), RunConfig(TrainConfig(method="pixels", device="cpu")))
    return run.save(tmp_path_factory.mktemp("run") / "sent")


@pytest.fixture
def sent(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "sent")


class Spy:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return type(self.mark).touch, (self.mark,)


@pytest.mark.parametrize(
    "name",
    [
        "hf-hub:some/body", "local-dir:/tmp/x", "timm:hf-hub:some/body", "os.system", "../x", 7,
        "pretrained:hf-hub:some/body", "pretrained:local-dir:/tmp/x",
        "pretrained:resnet18.hf-hub:x", "started:hf-hub:some/body",
    ],
)  # fmt: skip
def test_a_network_is_one_of_a_list_and_never_fetched(sent, name, monkeypatch):
    """timm would fetch what a name with ``hf-hub:`` says, and its config names code."""

    def connect(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", connect)
    known = json.loads((sent / "config.json").read_text())
    known["network"]["backbone"] = name
    (sent / "config.json").write_text(json.dumps(known))
    with pytest.raises(RunError, match=r"sent is damaged \(.*\); restore its files"):
        Run.load(sent)


def test_weights_and_features_are_never_unpickled(sent, tmp_path):
    mark = tmp_path / "was run"
    for name in ("features.npy", "model.safetensors"):
        whole = (sent / name).read_bytes()
        (sent / name).write_bytes(pickle.dumps(Spy(mark)))
        with pytest.raises(RunError, match="sent is damaged"):
            Run.load(sent)
        (sent / name).write_bytes(whole)
    np.save(sent / "features.npy", np.array([Spy(mark)]), allow_pickle=True)
    with pytest.raises(RunError, match="sent is damaged"):
        Run.load(sent)
    assert not mark.exists()


def test_a_file_of_weights_is_never_unpickled(tmp_path):
    from napari_patchmap.networks.weights import weights_from

    mark = tmp_path / "was run"
    torch.save({"x": Spy(mark)}, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps({"x": Spy(mark)}))
    for name in ("a.pth", "b.pth"):
        with pytest.raises(PatchmapError, match="no weights that can be read"):
            weights_from("resnet18", str(tmp_path / name))
    assert not mark.exists()


def test_what_a_run_says_is_taken_or_refused(sent):
    """Each value of config.json replaced by what it cannot be."""
    whole = json.loads((sent / "config.json").read_text())
    for key in whole:
        for odd in (None, [], {}, -1, "x", {"x": {"y": []}}):
            (sent / "config.json").write_text(json.dumps({**whole, key: odd}))
            for read in (Run.load, read_map):
                with contextlib.suppress(RunError):
                    read(sent)


def test_a_network_that_no_memory_holds_is_refused_before_it_is_made(sent):
    spec = json.loads((sent / "config.json").read_text())["network"]
    for change in (
        {"hidden": [10**9]}, {"hidden": [100_000] * 2}, {"out_dim": 10**12},
        {"channels": 10**9}, {"size": [10**6, 10**6]}, {"size": [0, 8]}, {"channels": -1},
    ):  # fmt: skip
        with pytest.raises(PatchmapError, match="network"):
            NetworkSpec.from_dict({**spec, **change})
