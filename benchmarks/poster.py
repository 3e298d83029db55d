"""The poster's two experiments with known answers: planted copies, and planted artefacts.

The poster of Nwabufo et al. ("Self-supervised visualisation of medical image datasets")
planted 100 perturbed copies of one blood cell, and artefacts in 50, and saw both as islands.
Here the searches of the tab "Find" look for them::

    python benchmarks/poster.py pbc28.npz --run RUN      # places the changed cells on its map
    python benchmarks/poster.py pbc28.npz --minutes 5    # trains SimCLR on the changed set

The second trains once, on a set with all that is planted; each experiment then looks at its own
changed cells, and all others as they were. ``--seed`` draws the cells, how each is changed, and
the network.
"""

from __future__ import annotations

import argparse
import io
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from napari_patchmap.find.duplicates import DUPLICATES
from napari_patchmap.find.odd import ODD
from napari_patchmap.find.search import INDEX, FindInput, Found
from napari_patchmap.layout.neighbour_search import nearest_of
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.patches.images import ArrayImages
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit

COPIES, ARTEFACTS = 100, 50


@dataclass(frozen=True)
class Strength:
    """How much a copy is changed; each is drawn evenly between minus and plus that.

    One of the eight symmetries comes first, JPEG last.
    """

    shift: float  #: pixels, down and right
    turn: float  #: degrees
    brightness: float  #: share
    contrast: float  #: share
    noise: float  #: standard deviation in grey levels
    quality: int  #: of the JPEG


STRENGTHS = {
    "weak": Strength(1, 5, 0.05, 0.05, 3, 90),
    "middle": Strength(2, 15, 0.15, 0.15, 8, 70),
    "strong": Strength(4, 180, 0.3, 0.3, 16, 40),
}


def copied(cell: np.ndarray, by: Strength, draw: np.random.Generator) -> np.ndarray:
    """Return a changed copy of a cell (height, width, 3) of uint8."""
    symmetry = int(draw.integers(8))
    copy = np.rot90(cell, symmetry % 4)
    copy = (copy[:, ::-1] if symmetry >= 4 else copy).astype(float)
    angle = np.deg2rad(draw.uniform(-by.turn, by.turn))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(cell.shape[:2]) - 1) / 2
    start = middle - turn @ (middle + draw.uniform(-by.shift, by.shift, 2))
    copy = np.stack(
        [
            ndimage.affine_transform(copy[..., k], turn, start, order=3, mode="nearest")
            for k in range(3)
        ],
        axis=-1,
    )
    mean = copy.mean()
    copy = (copy - mean) * (1 + draw.uniform(-by.contrast, by.contrast)) + mean
    copy *= 1 + draw.uniform(-by.brightness, by.brightness)
    copy += draw.normal(0, by.noise, copy.shape)
    file = io.BytesIO()
    Image.fromarray(_bytes(copy)).save(file, "JPEG", quality=by.quality)
    return np.asarray(Image.open(file))


def bubble(cell: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A pale disc with a dark rim."""
    side = len(cell)
    y, x = np.mgrid[:side, :side]
    down, right = draw.uniform(0.25, 0.75, 2) * side
    radius = draw.uniform(0.2, 0.35) * side
    away = np.hypot(y - down, x - right)
    inside = 0.65 * np.clip(radius - away, 0, 1)[..., None]
    rim = 0.85 * np.clip(1.2 - np.abs(away - radius), 0, 1)[..., None]
    cell = cell * (1 - inside) + np.array([235, 238, 240]) * inside
    return cell * (1 - rim) + np.array([60, 60, 65]) * rim


def scratch(cell: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A bright line of one or two pixels."""
    side = len(cell)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    angle, away = draw.uniform(0, np.pi), draw.uniform(-0.25, 0.25) * side
    across = np.abs(y * np.cos(angle) + x * np.sin(angle) - away)
    line = 0.9 * np.clip(draw.uniform(0.7, 1.3) + 0.5 - across, 0, 1)[..., None]
    return cell * (1 - line) + 250 * line


def blur(cell: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Out of focus by 2 to 3 pixels."""
    width = draw.uniform(2, 3)
    return np.asarray(ndimage.gaussian_filter(cell.astype(float), (width, width, 0)))


def ink(cell: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Blue, green or black blots on 15 to 40 % of the pixels."""
    side = len(cell)
    field = ndimage.gaussian_filter(draw.normal(size=(side, side)), side / 8)
    edge = np.quantile(field, 1 - draw.uniform(0.15, 0.4))
    blot = 0.85 * np.clip((field - edge) / field.std() * 4, 0, 1)[..., None]
    colour = np.array([[20, 60, 160], [20, 120, 60], [15, 15, 20]])[draw.integers(3)]
    return cell * (1 - blot) + colour * blot


def saturated_border(cell: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """White along one side, a fifth to a third of the cell wide."""
    side = len(cell)
    wide = int(draw.integers(side // 5, side // 3))
    cell = np.rot90(cell, int(draw.integers(4)))
    kept = np.clip(np.arange(side)[None, :, None] - wide, 0, 3) / 3
    return cell * kept + 255 * (1 - kept)


KINDS = (bubble, scratch, blur, ink, saturated_border)


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def changed_set(
    whole: PatchSet, pixels: np.ndarray, rows: np.ndarray, cells: np.ndarray
) -> PatchSet:
    """Return the set with other pixels in some rows."""
    pixels = pixels.copy()
    pixels[rows] = cells
    return replace(whole, images=ArrayImages(pixels))


def looked_at(patches: PatchSet, rows: np.ndarray, run: Run) -> FindInput:
    """Return what the network of a run makes of a set of which some rows were changed."""
    features = run.features.copy()
    there = replace(
        patches,
        images=ArrayImages(patches.take(rows)),
        table=patches.table.iloc[rows].reset_index(drop=True),
    )
    features[rows] = run.place(there).features
    metric = run.metric
    return FindInput(run.embedding, features, patches.table, patches, metric)


@dataclass(frozen=True, eq=False)
class Planted:
    """Cells that were changed, and the one that they are copies of, if they are."""

    rows: np.ndarray
    cells: np.ndarray
    of: int | None = None


def plantings(pixels: np.ndarray, seed: int) -> dict[str, Planted]:
    """Draw what is planted for each experiment, all in different cells."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(pixels))
    made, used = {}, 0
    for name, by in STRENGTHS.items():
        cell, rows = int(order[used]), order[used + 1 : used + 1 + COPIES]
        used += COPIES + 1
        cells = np.stack([copied(pixels[cell], by, draw) for _ in rows])
        made[name] = Planted(rows, cells, cell)
    rows = order[used : used + ARTEFACTS]
    cells = [
        _bytes(KINDS[kind](pixels[row], draw)) for row, kind in zip(rows, _kinds(), strict=True)
    ]
    return made | {"artefacts": Planted(rows, np.stack(cells))}


def _kinds() -> np.ndarray:
    return np.repeat(np.arange(len(KINDS)), ARTEFACTS // len(KINDS))


def trained_on(
    whole: PatchSet, pixels: np.ndarray, planted: dict[str, Planted], args: argparse.Namespace
) -> Run:
    """Train on a set with all that is planted, and say which of it are islands on the map.

    Near to a copy or an artefact are as many patches as it has companions; what is said is how
    many of those they are.
    """
    rows = np.concatenate([one.rows for one in planted.values()])
    cells = np.concatenate([one.cells for one in planted.values()])
    patches = changed_set(whole, pixels, rows, cells)
    budget = {"epochs": (args.epochs,)} if args.epochs else {"minutes": args.minutes}
    run = fit(patches, RunConfig(TrainConfig(method="simclr", seed=args.seed, **budget)))
    for name, one in planted.items():
        own = one.rows if one.of is None else np.append(one.rows, one.of)
        near = nearest_of(run.embedding[own], run.embedding, len(own) - 1, without=own)[0]
        share = np.isin(near, own).mean()
        print(f"{name}: {share:.0%} of those around one on the map are of its kind", flush=True)
    epochs = run.history["epoch"].max()
    print(f"SimCLR of {epochs:g} epochs, seed {args.seed}\n", flush=True)
    return run


def copies(
    whole: PatchSet,
    pixels: np.ndarray,
    strength: str,
    plant: Planted,
    again: np.ndarray,
    run: Run,
) -> str:
    """Plant copies of one cell in the place of others; return a row of the table."""
    cell, rows = plant.of, plant.rows
    patches = changed_set(whole, pixels, rows, plant.cells)
    given = looked_at(patches, np.union1d(rows, again), run)
    began = time.perf_counter()
    found = DUPLICATES.find(given, DUPLICATES.config(), _on)
    took = time.perf_counter() - began
    planted = np.isin(np.arange(len(whole)), [cell, *rows])
    names = found.columns["duplicates"]
    group = _most(names[planted])
    inside = (names == group) & (group != "")
    precision = (inside & planted).sum() / max(1, inside.sum())
    groups = {name for name in names[planted] if name}
    return (
        f"| {COPIES} copies, {strength} | {precision:.3f} "
        f"| {(inside & planted).sum() / planted.sum():.3f} "
        f"| {(names[planted] != '').mean():.3f} in {len(groups)} groups "
        f"| {_others(found, planted)} | {took:.0f} s |"
    )


def _most(names: np.ndarray) -> str:
    known, counts = np.unique(names[names != ""].astype(str), return_counts=True)
    return str(known[counts.argmax()]) if len(known) else ""


def _others(found: Found, planted: np.ndarray) -> str:
    """Say which pairs without a planted cell were found."""
    listed = found.listed
    real = listed[~planted[listed[INDEX]] & ~planted[listed["beside"]]]
    same = int((real["reason"] == "same pixels").sum())
    return f"{len(real)} real pairs, {same} of the same pixels"


def artefacts(
    whole: PatchSet, pixels: np.ndarray, plant: Planted, again: np.ndarray, run: Run
) -> list[str]:
    """Draw artefacts into some cells; return rows of the table."""
    rows, kinds = plant.rows, _kinds()
    patches = changed_set(whole, pixels, rows, plant.cells)
    given = looked_at(patches, np.union1d(rows, again), run)
    lines = []
    for name, looked in (
        ("features and pixels", given),
        ("features alone", replace(given, patches=None)),
        ("pixels alone", replace(given, features=None)),
    ):
        began = time.perf_counter()
        found = ODD.find(looked, ODD.config(), _on)
        took = time.perf_counter() - began
        first = np.argsort(-found.columns["oddness"], kind="stable")[:100]
        each = ", ".join(
            f"{kind.__name__.replace('_', ' ')} {np.isin(rows[kinds == k], first).sum()}"
            for k, kind in enumerate(KINDS)
        )
        hits = np.isin(rows, first).sum()
        lines.append(
            f"| {ARTEFACTS} artefacts, {name} | {hits / 100:.2f} | {hits / ARTEFACTS:.2f} "
            f"| {each} (of 10 each) | | {took:.0f} s |"
        )
    return lines


def _on(found: Found | None, done: int, total: int) -> bool:
    return False


def main() -> None:
    """Plant, look, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path, help="place changed cells on the map of this run")
    parser.add_argument("--minutes", type=float, default=3, help="of training without --run")
    parser.add_argument("--epochs", type=float, help="of that training, in place of minutes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    whole = open_patches(args.data)
    pixels = whole.stack()
    planted, again = plantings(pixels, args.seed), np.empty(0, np.intp)
    if args.run is None:
        run = trained_on(whole, pixels, planted, args)
        # What was planted for the other experiments is put back.
        again = np.concatenate([one.rows for one in planted.values()])
    else:
        run = Run.load(args.run)
    print(
        "| planted | precision | recall | found | besides | search |\n|---|---|---|---|---|---|"
    )
    for strength in STRENGTHS:
        print(copies(whole, pixels, strength, planted[strength], again, run), flush=True)
    print("\n".join(artefacts(whole, pixels, planted["artefacts"], again, run)))


if __name__ == "__main__":
    main()
