"""What else was tried in the recipe for minutes: ideas of papers, one against it at a time.

    python benchmarks/recipe_trials.py rows.jsonl pbc28.npz [--epochs 10] [--seed 0 1]
    python benchmarks/recipe_trials.py rows.jsonl --print

Each trial changes one thing of SimCLR by the preset quick and trains for equal epochs, or,
where steps cost more or less, for as many as cost about the same; so it makes no difference
what else the computer does. The t-SNE of the preset follows. A row is written when it is there;
the same command goes on with those that are missing. Labels are used for the figures alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from blood_cells import machine
from torch import Tensor, nn

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.augment.geometry import Geometry
from napari_patchmap.augment.random_batch import Lot
from napari_patchmap.augment.views import symmetries
from napari_patchmap.methods import losses
from napari_patchmap.methods.coarse import Coarse
from napari_patchmap.methods.objectives import ViewsObjective
from napari_patchmap.methods.recipe import RecipeRequest
from napari_patchmap.networks import Network
from napari_patchmap.networks.first_layer import first_layer_of
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.pixels import spread
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.quality import evaluate
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit, new_network, optimisers, planning, session


class Trial(NamedTuple):
    """One thing that is changed while a network is trained."""

    change: Callable[[], AbstractContextManager[Any]] = nullcontext
    settings: Mapping[str, Any] = MappingProxyType({})
    #: Epochs of each stage in units of those asked for.
    epochs: tuple[float, ...] = (1.0,)


# --- losses of the outputs (2 b, d), the two views of a patch b rows apart


def similarities(outputs: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Cosine similarities over the temperature: of partners (2 b,), of others (2 b, 2 b)."""
    points = nn.functional.normalize(outputs.float(), dim=1)
    views = len(points)
    all_pairs = points @ points.T / temperature
    partners = all_pairs.diagonal(views // 2)
    mine = torch.eye(views, dtype=torch.bool, device=points.device)
    apart = all_pairs.masked_fill(mine | mine.roll(views // 2, dims=1), -torch.inf)
    return torch.cat([partners, partners]), apart


def decoupled(objective: ViewsObjective, outputs: Tensor) -> Tensor:
    """InfoNCE without the partner in the denominator (Yeh et al., ECCV 2022, equation 6)."""
    partner, others = similarities(outputs, objective.temperature)
    return (others.logsumexp(dim=1) - partner).mean()


def hard_negatives(objective: ViewsObjective, outputs: Tensor, beta: float) -> Tensor:
    """Negatives weighted by exp(beta similarity) (Robinson et al., ICLR 2021, equation 4)."""
    partner, others = similarities(outputs, objective.temperature)
    weight = (beta * others * objective.temperature).softmax(dim=1) * (len(others) - 2)
    negatives = torch.logsumexp(others + weight.clamp_min(1e-20).log(), dim=1)
    return (torch.logaddexp(partner, negatives) - partner).mean()


def sigreg(objective: ViewsObjective, outputs: Tensor, share: float) -> Tensor:
    """Alike views and outputs that are normally distributed (LeJEPA, arXiv:2511.08544).

    The Epps-Pulley statistic along 256 random directions, 17 knots from 0 to 3.
    """
    views = torch.stack(outputs.float().chunk(2))
    alike = (views - views.mean(dim=0)).square().mean()
    knots = torch.linspace(0, 3, 17, device=outputs.device)
    step = torch.full_like(knots, 3 / 16)
    step[[0, -1]] /= 2
    normal = torch.exp(-knots.square() / 2)
    directions = nn.functional.normalize(torch.randn(views.shape[2], 256), dim=0)
    angles = (views @ directions.to(outputs.device))[..., None] * knots
    real, imaginary = angles.cos().mean(dim=1), angles.sin().mean(dim=1)
    apart = (real - normal).square() + imaginary.square()
    statistic = (apart * (normal * step)).sum(dim=-1).mean() * views.shape[1]
    return (1 - share) * alike + share * statistic


def hard_on_map(objective: ViewsObjective, outputs: Tensor, beta: float) -> Tensor:
    """The same among places on a map (ParamRepulsor mines those, NeurIPS 2024)."""
    if outputs.shape[1] > 2:
        return losses.nt_xent(outputs, objective.temperature)
    points = outputs.float()
    apart = (points[:, None] - points[None]).square().sum(dim=2).log1p()
    views = len(points)
    partner = -torch.cat(2 * [apart.diagonal(views // 2)])
    mine = torch.eye(views, dtype=torch.bool, device=points.device)
    others = (-apart).masked_fill(mine | mine.roll(views // 2, dims=1), -torch.inf)
    weight = (beta * others.detach()).softmax(dim=1) * (views - 2)
    negatives = torch.logsumexp(others + weight.clamp_min(1e-20).log(), dim=1)
    return (torch.logaddexp(partner, negatives) - partner).mean()


class Annealed:
    """The Cauchy loss of the first d outputs, where d falls to 2 (t-SimCNE 0.4).

    By a cosine all along, or 128 for two thirds of the steps, falling in an eighth, and then 2.
    """

    def __init__(self, steps: int, *, piecewise: bool) -> None:
        self.steps, self.done, self.piecewise = steps, 0, piecewise

    def __call__(self, objective: ViewsObjective, outputs: Tensor) -> Tensor:
        done, self.done = self.done / self.steps, self.done + 1
        if self.piecewise:
            done = min(1.0, max(0.0, (done - 2 / 3) * 8))
        falling = 0.5 * (outputs.shape[1] + 1 - 2) * (1 + np.cos(np.pi * min(1.0, done)))
        return losses.cauchy_infonce(outputs[:, : int(2 + falling)])


def loss(how: Callable[..., Tensor], **named: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Let a stage that compares views use another loss."""

    def of_views(self: ViewsObjective, outputs: Tensor) -> Tensor:
        with torch.autocast(outputs.device.type, enabled=False):
            return how(self, outputs, **named)

    return lambda: patch.object(ViewsObjective, "loss", of_views)


# --- what the network begins as


def begins(alter: Callable[[Network, Tensor], None]) -> Callable[[], AbstractContextManager]:
    """Alter a network before it is trained, knowing some patches."""
    make = session.make_network

    def altered(spec: Any, pixels: Any, *more: Any) -> Any:
        network, weights = make(spec, pixels, *more)
        with torch.no_grad():
            alter(network, spread(pixels, 2048).cpu().float() / 255)
        return network, weights

    return lambda: patch.object(session, "make_network", altered)


def cut(network: Network, images: Tensor, by: float = 3.0) -> None:
    """Divide weights that learn (cut-initialisation of Draganov et al., ICML 2025)."""
    first = first_layer_of(network.backbone)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer is not first:
            layer.weight.div_(by)


def first_layer_learned() -> AbstractContextManager[Any]:
    """Let the first layer be drawn at random and learn, one convolution for all sizes."""
    return patch.object(planning, "usual_first_layer", lambda *_: "learned")


def first_layer_whitened() -> AbstractContextManager[Any]:
    """Let it be whitened whatever the network: those with filters of 3 x 3 pixels are meant."""
    return patch.object(planning, "usual_first_layer", lambda *_: "whitened")


@contextmanager
def first_layer_moves() -> Iterator[None]:
    """Let the whitened first layer go on learning."""
    with patch.object(optimisers, "first_layer_of", lambda _: nn.Identity()):
        yield


@contextmanager
def first_layer_drawn() -> Iterator[None]:
    """Let it look at 3 x 3 pixels as it does, but be drawn at random and learn."""
    with first_layer_moves(), patch.object(new_network, "whiten_first_layer", lambda *_: None):
        yield


# --- views


@contextmanager
def mirrored_pairs() -> Iterator[None]:
    """Let the second view of a patch be flipped where the first is not (after airbench)."""
    made = Geometry.of.__func__  # type: ignore[attr-defined]
    before: list[Geometry] = []

    def of(cls: Any, config: Any, magnitudes: Any, size: Any, lot: Lot) -> Geometry:
        geometry = made(cls, config, magnitudes, size, lot)
        if before and len(before[0].angle) == len(geometry.angle):
            first = before.pop()
            odd = first.flip_horizontal ^ first.flip_vertical
            geometry.flip_horizontal = ~odd ^ geometry.flip_vertical
        else:
            before[:] = [geometry]
        return geometry

    with patch.object(Geometry, "of", classmethod(of)):
        yield


def coarse(share: float, scale: float) -> Callable[[], AbstractContextManager[Any]]:
    """Let other views be small."""
    return lambda: patch.object(RecipeRequest, "coarse", Coarse(share, scale))


TRIALS = {
    "as it is": Trial(),
    "cut-initialisation, c = 3": Trial(begins(cut)),
    "first layer learned, as published": Trial(first_layer_learned),
    "first layer whitened, then learned": Trial(first_layer_moves),
    "first layer of 3 x 3, drawn and learned": Trial(first_layer_drawn),
    "second view mirrored where the first is not": Trial(mirrored_pairs),
    "hard negatives, beta = 0.5": Trial(loss(hard_negatives, beta=0.5)),
    "hard negatives, beta = 1": Trial(loss(hard_negatives, beta=1.0)),
    "partner not in the denominator": Trial(loss(decoupled)),
    "temperature 0.2": Trial(settings={"temperature": 0.2}),
    "temperature 1": Trial(settings={"temperature": 1.0}),
    "batches of 128": Trial(settings={"batch_size": 128}),
    "batches of 512": Trial(settings={"batch_size": 512}),
    "SIGReg, 0.02": Trial(loss(sigreg, share=0.02)),
    "SIGReg, 0.1": Trial(loss(sigreg, share=0.1)),
    "small views for half of the time": Trial(coarse(0.5, 4 / 7), epochs=(0.8,)),
    "small views for nine tenths of it": Trial(coarse(0.9, 4 / 7), epochs=(1.15,)),
}

#: The paper's network, which takes a GPU.
_RESNET = {"backbone": "resnet18-small-kernel", "batch_size": 256}
TRIALS |= {
    "ResNet18 as it is": Trial(settings=_RESNET),
    "ResNet18, first layer whitened": Trial(first_layer_whitened, _RESNET),
}

#: t-SimCNE, whose later stages are laid out anew.
_STAGES = {"settings": {"method": "tsimcne"}, "epochs": (1.0, 0.8, 0.16)}
TRIALS |= {
    "t-SimCNE as it is": Trial(**_STAGES),
    "t-SimCNE, hard negatives on the map, 0.5": Trial(loss(hard_on_map, beta=0.5), **_STAGES),
}

#: One stage, whose outputs fall to the two of the map; of the last the network's map counts.
ANNEALED = {"dimensions annealed by a cosine": False, "dimensions annealed in pieces": True}

#: All but the ResNets.
USUAL = [name for name in (*TRIALS, *ANNEALED) if not name.startswith("ResNet")]


def main() -> None:
    """Try what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="file of the rows that are there")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--epochs", type=float, default=10.0)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--cells", type=int, help="so many, drawn at random; all if not said")
    parser.add_argument("--trials", nargs="+", choices=[*TRIALS, *ANNEALED])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--print", action="store_true", help="the table, and measure nothing")
    args = parser.parse_args()
    lines = args.rows.read_text("utf-8").splitlines() if args.rows.exists() else []
    done = {(one["trial"], one["epochs"], one["seed"]): one for one in map(json.loads, lines)}
    if not args.print:
        patches = open_patches(args.data)
        if args.cells is not None:
            order = np.random.default_rng(0).permutation(len(patches))
            patches = patches.picked(np.sort(order[: args.cells]))
        for seed in args.seed:
            for name in args.trials or USUAL:
                known = (name, args.epochs, seed)
                if known not in done:
                    print(f"{name}, seed {seed}", flush=True)
                    config = {"seed": seed, "device": args.device, "method": "simclr"}
                    found = tried(patches, name, args.epochs, config)
                    row = dict(zip(("trial", "epochs", "seed"), known, strict=True)) | found
                    done[known] = row | {"machine": machine()}
                    with args.rows.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(done[known]) + "\n")
    table(done)


def tried(patches: PatchSet, name: str, epochs: float, config: dict[str, Any]) -> dict:
    """Train by a trial's change; return its figures."""
    trial = TRIALS.get(name, Trial())
    if name in ANNEALED:
        # t-SimCNE's first stage takes 60 % of its time, and this is all of it.
        trial = Trial(epochs=(1 / 0.6,))
        steps = int(epochs * trial.epochs[0] * len(patches) / 256)
        trial = trial._replace(change=loss(Annealed(steps, piecewise=ANNEALED[name])))
    counts = tuple(epochs * share for share in trial.epochs)
    train = TrainConfig(**config | {"epochs": counts} | dict(trial.settings))
    with ExitStack() as changes:
        changes.enter_context(trial.change())
        run = fit(patches, RunConfig(train, AugmentConfig.preset("rotations")))
    found = {
        "features": run.metrics["knn_of_features"]["accuracy"],
        "map": run.metrics["knn"]["accuracy"],
        "silhouette": run.metrics["silhouette"]["mean"],
        "seconds": run.info["seconds"],
    }
    if name in ANNEALED:
        report = evaluate(annealed_map(run, patches), run.labels)
        found |= {"map": report["knn"]["accuracy"], "silhouette": report["silhouette"]["mean"]}
    return found


def annealed_map(run: Run, patches: PatchSet) -> np.ndarray:
    """Return the first two outputs of the network of a run for each patch."""
    pixels = torch.from_numpy(patches.pixels(range(len(patches)), run.network.spec.size))
    turns = symmetries(AugmentConfig.preset("rotations"), run.network.spec.size)
    return infer(run.network, pixels, symmetries=turns)[1][:, :2]


def table(done: dict[Any, dict[str, Any]]) -> None:
    """Print a row for each trial: the mean over its seeds, and how far they lie apart."""
    for about in dict.fromkeys(one["machine"] for one in done.values()):
        print(about)
    print(
        "\n| what is changed | epochs | seeds | 15-NN of features | on the map | silhouette |"
    )
    print("|---|---|---|---|---|---|")
    for name, epochs in dict.fromkeys(key[:2] for key in done):
        rows = [one for key, one in done.items() if key[:2] == (name, epochs)]
        cells = []
        for key, scale, digits in (("features", 100, 1), ("map", 100, 1), ("silhouette", 1, 3)):
            values = [scale * row[key] for row in rows]
            apart = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" * (len(rows) > 1)
            cells.append(f"{np.mean(values):.{digits}f}{apart}")
        print(f"| {name} | {epochs:g} | {len(rows)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
