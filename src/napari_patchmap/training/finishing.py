"""The end of a run: the map, its quality, and all that is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.errors import TrainingError, TrainingStopped
from napari_patchmap.layout.tsne import LAST
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.networks.whitening import MOST_WHITENED
from napari_patchmap.patches import LoadCancelled
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality import add_training, measure
from napari_patchmap.quality.figure import AT_FIRST, FigureInput
from napari_patchmap.runs.evening import Evening
from napari_patchmap.runs.identity import identify, places_of
from napari_patchmap.runs.image_kind import ImageKind
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_parts import metric_of
from napari_patchmap.training.budget.amount import skipped_stages, too_little
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.given_features import evened, own_record
from napari_patchmap.training.new_network import features_of_some, note_probe, start_map
from napari_patchmap.training.run_setup import RunSetup


def finish(
    setup: RunSetup,
    network: Network,
    pixels: Pixels,
    symmetries: Sequence[Symmetry],
    made: dict[str, Any],
) -> Run:
    """Place all patches, measure the map, and put the run together.

    Features are averaged over ``symmetries``; ``made`` is what is to be noted of the
    training: id, parts, weights, and the steps of each stage.
    """
    patches, plan, reporter = setup.patches, setup.plan, setup.reporter
    reporter.finishing("features", "placing all patches")
    features, embedding, evening = _place(setup, network, pixels, symmetries)
    if not np.isfinite(embedding).all():
        raise TrainingError(
            "Training became unstable and the map holds no numbers; choose another seed or "
            "a larger batch size under More."
        )
    reporter.finishing("measuring", "measuring quality")
    setup.control.check_leaving()
    metric = metric_of(plan.config, plan.method.layout)
    found = measure(
        FigureInput(
            embedding,
            patches.labels,
            features,
            metric=metric,
            most=AT_FIRST,
            watch=replace(setup.control.finishing, keeps=True),
        )
    )
    setup.control.check_leaving()
    metrics = found.report
    steps, wanted = made["steps"], plan.trained_stages
    epochs = [n * plan.batch_size / len(patches) for n in steps]
    short = too_little(wanted, steps, epochs)
    if short:
        reporter.note(short)
    metrics["label_from"] = patches.label_from
    training = {"steps": steps, "epochs": epochs, "warning": short}
    if "learned_on" in made:
        training["learned_on"] = made["learned_on"]
    add_training(metrics, training)
    reporter.forecast.begin("identifying")
    known = _known(setup)
    reporter.forecast.finish()
    network.cpu().eval()
    if plan.recipe.stages:
        note_probe(network)
    if not setup.control.stopped and setup.ranks.world == 1:
        plan.times.keep(reporter.forecast.seen)
    return Run(
        config=setup.plan.config,
        network=network,
        embedding=embedding,
        features=features,
        table=patches.table,
        images=ImageKind.of(patches),
        name=patches.name,
        origin=patches.origin,
        label_from=patches.label_from,
        skipped=tuple(patches.skipped),
        known=known,
        symmetries=list(symmetries),
        metrics=metrics,
        columns=found.columns,
        evened=evening,
        history=reporter.history(),
        looks=reporter.looks if len(reporter.looks) else None,
        layout=plan.method.layout,
        complete=not (setup.control.stopped or skipped_stages(wanted, steps)),
        info={
            **made,
            "device": plan.device.reason,
            "half": plan.device.half_name,
            "batch_size": plan.batch_size,
            "processes": setup.ranks.world,
            "plan": plan.to_dict(),
            "stages": [stage.to_dict() for stage in plan.recipe.stages],
            "epochs": epochs,
            "seconds": round(setup.clock(), 2),
            "notes": list(reporter.notes),
            **({} if plan.own is None else {"own": own_record(plan.own, plan.config.train)}),
        },
    )


def _place(
    setup: RunSetup, network: Network, pixels: Pixels, symmetries: Sequence[Symmetry]
) -> tuple[np.ndarray, np.ndarray, Evening | None]:
    """Features and places of all patches, and how features were evened out."""
    plan, half = setup.plan, setup.plan.device.half
    dimensions, layout = plan.config.train.dimensions, plan.method.layout

    def watch(done: int, total: int) -> None:
        """Choose threads, report features of a network that is not trained, let people stop."""
        setup.cores.look()
        setup.control.check_leaving()
        if plan.recipe.stages:
            return
        setup.reporter.finishing(
            "features", f"computing features: {done:,} of {total:,} patches", done / total
        )
        if setup.control.asked_to_stop():
            raise TrainingStopped("Stopped before there was a map, so nothing was saved.")

    if layout == "network" and network.spec.out_dim != dimensions:
        start_map(network, features_of_some(network, pixels, half), "pca", dimensions)
    features, outputs = infer(
        network, pixels, symmetries=symmetries, half=half, watch=Watch(watch)
    )
    power = plan.config.train.whitens
    if power and features.shape[1] > MOST_WHITENED:
        setup.reporter.note(
            f"There are {features.shape[1]:,} features, too many to be whitened (at most "
            f"{MOST_WHITENED:,})."
        )
    elif power:
        features = network.whiten(features, power)
    if layout == "network":
        return features, outputs, None
    stops = setup.control.finishing
    features, evening = evened(features, setup.patches, plan.config.train, stops)
    return features, _lay_out(setup, features), evening


def _lay_out(setup: RunSetup, features: np.ndarray) -> np.ndarray:
    """Make the map by t-SNE of the features; end early if time is up."""
    reporter, control = setup.reporter, setup.control
    clock, late, snapshots = setup.clock, setup.plan.times.map_due, setup.snapshots
    tsne = setup.plan.config.train.tsne()
    total, device = tsne.steps, setup.plan.device.target
    timed = LayoutTime(tsne, len(features), clock, device=device, watch=control.finishing)

    def hurry(done: int) -> bool:
        if clock() + timed.last() < late:
            return False
        reporter.note(
            f"Time was short: {done} iterations of t-SNE were made before the last "
            f"{LAST}, not {total - LAST}."
        )
        return True

    def watch(done: int, embedding: np.ndarray) -> bool:
        timed.note(done)
        due = snapshots.due
        with snapshots.timed() if due else nullcontext():
            reporter.finishing(
                "layout",
                f"laying out the map: {done} of {total} iterations",
                timed.share(done),
                embedding if due else None,
            )
        if control.leaves:
            return True
        if clock() > late and done < total:
            reporter.note(
                f"Time was up after {done} of {total} iterations of t-SNE; the map would "
                "still have moved."
            )
            return True
        # Of this process alone: the others wait for the layout.
        alone = setup.ranks.world == 1
        return control.asked_to_stop() if alone else control.should_stop()

    def make() -> Tensor:
        jobs = torch.get_num_threads()
        layout = tsne.lay_out(features, jobs=jobs, device=device, watch=watch, hurry=hurry)
        timed.keep()
        return torch.from_numpy(layout)

    reporter.finishing("layout", "laying out the map")
    embedding = setup.ranks.from_main(make).cpu().numpy()
    control.asked_to_stop()
    control.check_leaving()
    return embedding


def _known(setup: RunSetup) -> pd.DataFrame:
    """Note which patch each row is; if pixels cannot be read again, by its name alone."""
    patches, control = setup.patches, setup.control
    try:
        return identify(patches, control.finishing, hurry=control.stopped)
    except LoadCancelled:  # the person leaves
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the map is worth more
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        setup.reporter.note(
            "What the pixels of the patches are could not be noted "
            f"({reason}); the run finds its images again by their names alone."
        )
        return places_of(patches.table)
