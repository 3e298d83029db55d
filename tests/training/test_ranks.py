"""Two real processes, started by torchrun, give what one process gives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from napari_patchmap.errors import TrainingError
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.norms import SyncBatchNorm, plain_norms, synchronise_norms
from napari_patchmap.runs.checkpoint import read_state, state_file
from napari_patchmap.training import fit
from napari_patchmap.training.distributed.ranks import Ranks
from tests.conftest import make_cells
from tests.training import ranks_worker

ROOT = Path(__file__).parents[2]
Found = dict[str, Tensor]

#: Rounding, after it has gone through all layers and back.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3, torch.bfloat16: 0.1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes leave what they got."""
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def two(folder: Path) -> dict[str, tuple[Found, Found]]:
    """What each of two processes got, by case."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", ranks_worker.__name__, str(folder)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=900)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        pytest.fail(f"the processes wait for each other:\n{said}")
    assert process.returncode == 0, said
    names = [*ranks_worker.NETWORKS, *ranks_worker.NORMS, "others", "run"]
    names += ranks_worker.OPTIMISERS
    return {
        name: tuple(load_file(folder / f"{name}-{rank}.safetensors") for rank in (0, 1))
        for name in names
    }


def assert_close(found: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Compare by norm, since single entries of a gradient may be zero but for rounding."""
    assert found.dtype == expected.dtype, what
    assert found.shape == expected.shape, what
    scale = float(expected.double().norm()) + 1e-3
    apart = float((found.double() - expected.double()).norm())
    assert apart <= tolerance * scale, f"{what}: {apart:.3g} of {scale:.3g}"


@pytest.mark.parametrize("name", ranks_worker.NETWORKS)
def test_loss_gradients_and_statistics_are_those_of_one_process(two, name):
    """Views, negatives of all ranks, batch normalisation: the same step."""
    kind = ranks_worker.NETWORKS[name].kind
    expected = ranks_worker.train(Ranks(), name)
    for found in two[name]:
        assert found.keys() == expected.keys()
        for key, value in gradients_as_one(expected, kind).items():
            assert_close(gradients_as_one(found, kind)[key], value, TOLERANCE[kind], key)
    for key in expected:  # all ranks go on with the same weights, to the last bit
        assert torch.equal(two[name][0][key], two[name][1][key]), key


@pytest.mark.parametrize("optimiser", ranks_worker.OPTIMISERS)
def test_a_whole_run_learns_what_one_process_learns(two, optimiser):
    """Through stages in which other weights move, to the map."""
    expected = ranks_worker.whole(optimiser)
    first, second = two[optimiser]
    # Rounding grows from step to step, most of all with normalisation of so few patches.
    assert_close(first["losses"][:2], expected["losses"][:2], 1e-3, "losses")
    assert_close(first["losses"], expected["losses"], 0.05, "losses")
    assert_close(first["map"], expected["map"], 0.05, "map")
    assert torch.equal(first["map"], second["map"])


def test_a_run_that_two_processes_began_is_resumed_by_one(two, folder, tmp_path):
    run = Path(shutil.copytree(folder / "run", tmp_path / "run"))
    saved = read_state(state_file(run))
    assert saved["network"].keys() == two["run"][0].keys()
    for name, value in two["run"][0].items():
        assert torch.equal(value, two["run"][1][name]), name
    resumed = fit(make_cells(40, side=8), ranks_worker.config(), folder=run, resume=True)
    assert resumed.complete
    assert resumed.info["steps"] == [4, 2, 2]
    expected = ranks_worker.whole("sgd")["losses"]
    losses = torch.tensor(resumed.history["loss"])
    assert_close(losses[:2], expected[:2], 1e-3, "losses")
    assert_close(losses, expected, 0.05, "losses")


def gradients_as_one(found: Found, kind: torch.dtype) -> Found:
    """Join gradients where those of some layers are no larger than their rounding."""
    if kind == torch.float64:
        return found
    gradients = [found[key] for key in sorted(found) if "gradient" in key]
    rest = {key: value for key, value in found.items() if "gradient" not in key}
    return {**rest, "gradient": torch.cat(gradients)}


@pytest.mark.parametrize("name", ranks_worker.NORMS)
def test_batch_norm_is_that_of_all_images(two, name):
    expected = ranks_worker.normalise(Ranks(), name)
    allowed = 0.1 * TOLERANCE[ranks_worker.NORMS[name][1]]
    first, second = two[name]
    for key, value in expected.items():
        if key in ("output", "gradient"):
            assert_close(torch.cat([first[key], second[key]]), value, allowed, key)
        else:
            assert_close(first[key], value, allowed, key)
            assert torch.equal(first[key], second[key])


def test_gathered_outputs_are_in_the_order_of_the_batch(two):
    for found in two["others"][0], two["others"][1]:
        for count in (4, 5, 1):
            whole = torch.arange(4.0 * count).view(2 * count, 2)
            assert found[f"gathered {count}"].dtype == torch.float32
            assert torch.equal(found[f"gathered {count}"], whole)
            # The gradient of sum x^2 / 2, each row once.
            assert torch.equal(found[f"gradient {count}"], whole)


def test_decisions_are_taken_together(two):
    first, second = two["others"]
    for found in (first, second):
        assert found["agreed"].tolist() == [False, True, True]
        assert found["number"].tolist() == [0.1]
        assert found["least"].tolist() == [5, -1]
        assert torch.equal(found["from main layout"], torch.full((3, 2), 2.5))
        assert found["from main nothing"].shape == (0, 2)
        assert found["from main flags"].tolist() == [True, False]
        assert found["from main one"].item() == 7
    assert first["evaluated"].shape == (4, 2)


def test_a_process_alone_needs_no_others(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    ranks = Ranks.from_environment("auto")
    assert (ranks.rank, ranks.world, ranks.is_main, ranks.device) == (0, 1, True, "auto")
    assert not torch.distributed.is_initialized()
    outputs = torch.rand(8, 2)
    assert ranks.gather(outputs, 4) is outputs
    assert ranks.share(9) == slice(0, 9)
    assert ranks.agree(True)
    assert not ranks.agree(False)
    assert ranks.broadcast_number(1.5) == 1.5
    assert ranks.least(1.5) == 1.5
    assert ranks.from_main(lambda: outputs) is outputs
    ranks.broadcast(nn.Linear(2, 2))
    ranks.close()


@pytest.mark.parametrize(("count", "world"), [(1024, 4), (1023, 4), (7, 3), (2, 3), (10, 1)])
def test_shares_cover_the_batch_evenly(count, world):
    shares = [Ranks(rank, world).share(count) for rank in range(world)]
    covered = [i for share in shares for i in range(count)[share]]
    assert covered == list(range(count))
    sizes = [share.stop - share.start for share in shares]
    assert max(sizes) - min(sizes) <= 1
    assert Ranks(0, world).largest_share(count) == max(sizes)


def test_an_apple_gpu_and_several_processes_are_refused(monkeypatch):
    values = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "x", "MASTER_PORT": "1"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match="device cpu"):
        Ranks.from_environment("mps")


def test_synchronised_network_is_saved_and_restored_as_an_ordinary_one():
    network = Network(NetworkSpec("compact", 3, (16, 16), hidden=(24,), norm=True, out_dim=2))
    before = {name: type(part) for name, part in network.named_modules()}
    keys = list(network.state_dict())
    weights = list(network.parameters())
    images = torch.rand(6, 3, 16, 16)
    expected = network.eval()(images)
    synchronise_norms(synchronise_norms(network))
    assert any(isinstance(part, SyncBatchNorm) for part in network.modules())
    assert list(network.state_dict()) == keys
    assert all(a is b for a, b in zip(network.parameters(), weights, strict=True))
    assert torch.equal(network(images), expected)
    ordinary = Network(network.spec)
    ordinary.load_state_dict(network.state_dict())
    assert torch.equal(ordinary.eval()(images), expected)
    network.double().float()  # buffers become other tensors
    network.train()(images)
    trained = {name: value.clone() for name, value in network.state_dict().items()}
    plain_norms(network)
    assert {name: type(part) for name, part in network.named_modules()} == before
    assert network.training
    assert network.hidden[0].training
    for name, value in network.state_dict().items():
        assert torch.equal(value, trained[name]), name
    assert not torch.equal(network.eval()(images), expected)  # it learned statistics


class ActNorm(nn.BatchNorm2d):
    """Runs modules of its own afterwards, as timm's BatchNormAct2d."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        return self.act(self.drop(super().forward(images)))


def test_what_a_normalisation_does_besides_is_kept():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), ActNorm(4))
    images = torch.rand(5, 3, 6, 6)
    expected = network(images)
    assert torch.equal(synchronise_norms(network)(images), expected)
    assert float(expected.detach().min()) == 0
    assert isinstance(plain_norms(network)[1], ActNorm)
