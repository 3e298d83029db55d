"""What test_ranks.py runs in two processes, and in one to compare.

    torchrun --nproc-per-node 2 -m tests.training.ranks_worker FOLDER

Each process saves what it got as FOLDER/<case>-<rank>.safetensors; FOLDER/run is a run that
they began together.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, distributed, nn

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.norms import SyncBatchNorm, plain_norms, synchronise_norms
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.step import Gradient
from tests.conftest import Steps, make_cells
from tests.narrow import narrow


class Case(NamedTuple):
    """A network that is trained for some steps."""

    backbone: str
    #: Of the patches, in pixels.
    side: int
    batch: int
    kind: torch.dtype
    steps: int = 1
    #: In which a step is computed; normalisation is then that of evaluation.
    parts: int = 1
    #: Whether another stage follows, in which the output layer alone learns.
    rests: bool = False
    #: Whether there is a weight that nothing goes through.
    idle: bool = False


NETWORKS = {
    "compact even": Case("compact", 16, 10, torch.float64),
    "compact uneven": Case("compact", 16, 9, torch.float64, 3),
    "compact in parts": Case("compact", 16, 9, torch.float64, 3, parts=2),
    "compact at rest": Case("compact", 16, 9, torch.float64, 2, rests=True),
    "timm idle": Case("timm:test_efficientnet", 32, 9, torch.float64, 3, idle=True),
    "compact single": Case("compact", 16, 30, torch.float32),
    "compact half": Case("compact", 16, 29, torch.bfloat16),
    "resnet": Case("resnet18-small-kernel", 8, 5, torch.float64),
}

#: By which whole runs are trained.
OPTIMISERS = ("sgd", "muon")

#: Name: shape of all images, type, weights, images of the first process.
NORMS: dict[str, tuple[tuple[int, ...], torch.dtype, bool, int]] = {
    "norm 1d": ((9, 7), torch.float64, True, 5),
    "norm 1d not affine": ((8, 7), torch.float64, False, 4),
    "norm 2d": ((9, 6, 5, 4), torch.float64, True, 2),
    "norm 2d all on one": ((5, 6, 3, 3), torch.float64, True, 5),
    "norm 2d single": ((40, 6, 5, 4), torch.float32, True, 13),
    "norm 2d half": ((40, 6, 5, 4), torch.bfloat16, True, 20),
}


def train(ranks: Ranks, name: str) -> dict[str, Tensor]:
    """Train a network for some steps as a stage would; return all there is to compare."""
    case = NETWORKS[name]
    torch.manual_seed(ranks.rank)  # weights differ until they are broadcast
    size = case.side, case.side
    network = Network(NetworkSpec(case.backbone, 3, size, hidden=(24,), norm=True, out_dim=2))
    network.to(memory_format=torch.channels_last)
    if case.idle:
        network.idle = nn.Parameter(torch.ones(3, 2))
    if case.kind == torch.float64:
        network.double()
    ranks.broadcast(network)
    losses = steps(ranks, network, case)
    if case.rests:
        network.requires_grad_(False)
        network.output.requires_grad_(True)
        losses += steps(ranks, network, case)
    found = {f"gradient {n}": p.grad for n, p in network.named_parameters()}
    found = {key: value for key, value in found.items() if value is not None}
    found |= {f"state {n}": value for n, value in network.state_dict().items()}
    # Of large weights, some are enough.
    found = {key: value.flatten()[:: 1 + value.numel() // 9999] for key, value in found.items()}
    return found | {"loss": torch.stack(losses)}


def steps(ranks: Ranks, network: Network, case: Case) -> list[Tensor]:
    """Make some steps; return their losses."""
    if ranks.world > 1:
        synchronise_norms(network)
    network.train(case.parts == 1)
    patches = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (30, 3, *network.spec.size), dtype=np.uint8)
    )
    generator = torch.Generator().manual_seed(3)
    maker = ViewMaker(AugmentConfig(), is_rgb=True, fill=np.full(3, 120.0))
    moving = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(moving, lr=0.02, momentum=0.9)
    gradient = Gradient(network, ranks, parts=case.parts, note=print)
    exact, losses = case.kind == torch.float64, []
    for step in range(case.steps):
        chosen = torch.randperm(len(patches), generator=generator)[: case.batch]

        def produce(part: slice, step: int = step, chosen: Tensor = chosen) -> Tensor:
            lot, mine = torch.Generator().manual_seed(step), patches[chosen[part]]
            pair = [maker(mine, lot, part=part, batch=case.batch) for _ in range(2)]
            views = torch.cat(pair).contiguous(memory_format=torch.channels_last)
            if exact:  # without the network's and the loss's own step down to float32
                return network.output(network.hidden(network.features(views.double())))
            with torch.autocast("cpu", case.kind, enabled=case.kind != torch.float32):
                return network(views)

        optimiser.zero_grad(set_to_none=True)
        criterion = infonce_as_published if exact else cauchy_infonce
        losses.append(gradient.compute(produce, case.batch, criterion))
        optimiser.step()
    plain_norms(network)
    return losses


def infonce_as_published(outputs: Tensor) -> Tensor:
    """Compute the loss of :func:`cauchy_infonce` in the type of the outputs."""
    similarity = 1 / (1 + (outputs[:, None] - outputs[None, :]).square().sum(dim=2))
    partner = similarity.diagonal(len(outputs) // 2).repeat(2)
    return (similarity.sum(dim=1) - 1).div(partner).log().mean()


def normalise(ranks: Ranks, name: str) -> dict[str, Tensor]:
    """Run batch normalisation forwards and backwards."""
    shape, kind, affine, first = NORMS[name]
    generator = torch.Generator().manual_seed(1)
    images = 3 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    wanted = torch.randn(shape, generator=generator, dtype=torch.float64)
    norm: nn.Module = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(
        shape[1], affine=affine, momentum=0.1 if affine else None
    )
    if affine:
        nn.init.normal_(norm.weight, 1, 0.3, generator=generator)
        nn.init.normal_(norm.bias, 0, 0.3, generator=generator)
    if kind == torch.float64:
        norm.double()
    part = slice(0, None)
    if ranks.world > 1:
        norm = synchronise_norms(norm)
        part = (slice(0, first), slice(first, None))[ranks.rank]
    mine = images[part].to(kind)
    if len(shape) == 4:
        mine = mine.contiguous(memory_format=torch.channels_last)
    mine.requires_grad_()
    with torch.no_grad():
        norm(mine)  # a second batch for the running statistics
    output = norm(mine)
    (output * wanted[part].to(kind)).sum().backward()
    if ranks.world > 1:
        for weight in norm.parameters():
            distributed.all_reduce(weight.grad)
    found = {"output": output.detach(), "gradient": mine.grad}
    found |= {f"gradient {n}": p.grad for n, p in norm.named_parameters()}
    found |= {f"state {n}": value for n, value in norm.state_dict().items()}
    return found


def own_rows(ranks: Ranks, rows: Tensor, count: int) -> Tensor:
    """Return a process's part of the rows of two views of a whole batch."""
    return rows.unflatten(0, (2, count))[:, ranks.share(count)].flatten(0, 1)


def others(ranks: Ranks) -> dict[str, Tensor]:
    """Everything else that ranks do together."""
    assert Ranks.from_environment().world == 2  # joined already
    found = {}
    for count in (4, 5, 1):
        whole = torch.arange(4.0 * count, dtype=torch.float16).view(2 * count, 2)
        mine = own_rows(ranks, whole, count).clone().requires_grad_()
        gathered = ranks.gather(mine, count)
        (gathered * gathered.detach()).sum().backward()
        assert mine.grad is not None
        mine.grad /= 2  # of the losses of two processes
        again = ranks.gather(mine.grad, count)
        found |= {f"gathered {count}": gathered.detach(), f"gradient {count}": again}
    found["agreed"] = torch.tensor(
        [ranks.agree(False), ranks.agree(ranks.rank == 1), ranks.agree(True)]
    )
    number = ranks.broadcast_number(ranks.rank + 0.1)
    found["number"] = torch.tensor([number], dtype=torch.float64)
    found["least"] = torch.tensor([ranks.least(5.0 + ranks.rank), ranks.least(-ranks.rank)])
    for name, made in {
        "layout": torch.full((3, 2), 2.5),
        "nothing": torch.empty(0, 2),
        "flags": torch.tensor([True, False]),
        "one": torch.tensor(7),
    }.items():
        found[f"from main {name}"] = ranks.from_main(made.clone if ranks.is_main else _not_here)
    network = synchronise_norms(nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))).eval()
    assert isinstance(network[0], SyncBatchNorm)  # type: ignore[index]
    if ranks.is_main:  # evaluation needs nobody else
        found["evaluated"] = network(torch.ones(4, 3)).detach()
    return found


def config(optimiser: str = "sgd") -> RunConfig:
    """Settings of a whole run: all weights learn, then the output layer, then all again."""
    train = TrainConfig(
        device="cpu",
        precision="float32",
        backbone="timm:test_resnet",  # narrow, and trained by the published recipe
        preset="paper",
        epochs=(2.0, 1.0, 1.0),
        batch_size=20,
        optimiser=optimiser,
        seed=1,
    )
    return RunConfig(train, AugmentConfig.preset("rotations"))


def begin(folder: Path) -> dict[str, Tensor]:
    """Train a run up to a step inside of its first stage; return its weights."""
    run = fit(make_cells(40, side=8), config(), folder=folder, **Steps(3).given)
    assert run.info["steps"] == [3]
    return run.network.state_dict()


def whole(optimiser: str) -> dict[str, Tensor]:
    """Train a whole run; return what it came to."""
    run = fit(make_cells(40, side=8), config(optimiser))
    assert run.info["steps"] == [4, 2, 2]
    return {"losses": torch.tensor(run.history["loss"]), "map": torch.tensor(run.embedding)}


def _not_here() -> Tensor:
    """Stand for work that only rank 0 may do."""
    raise AssertionError("rank 0 alone makes what is sent to all")


def main(folder: Path) -> None:
    """Run all cases in this process."""
    torch.set_num_threads(1)
    ranks = Ranks.from_environment("cpu")
    assert ranks.world == 2, ranks
    assert ranks.device == "cpu"
    found = {name: train(ranks, name) for name in NETWORKS}
    found |= {name: normalise(ranks, name) for name in NORMS}
    found["others"] = others(ranks)
    found["run"] = begin(folder / "run")
    found |= {optimiser: whole(optimiser) for optimiser in OPTIMISERS}
    ranks.close()
    for name, tensors in found.items():
        tensors = {key: value.clone().contiguous() for key, value in tensors.items()}
        save_file(tensors, folder / f"{name}-{ranks.rank}.safetensors")


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        narrow(patch)
        main(Path(sys.argv[1]))
