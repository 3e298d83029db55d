"""Training a map of images."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from napari_patchmap.cli.arguments import AUGMENT, given_settings
from napari_patchmap.cli.common import open_data, rows_named, train
from napari_patchmap.cli.terminal import is_main_process, say
from napari_patchmap.errors import PatchError, RunError

if TYPE_CHECKING:
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.patches import PatchSet
    from napari_patchmap.runs import Run, RunConfig

#: Its file in the run's folder.
LEFT_OUT = "left-out.csv"


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.methods.catalog import METHODS
    from napari_patchmap.runs import alone_in, check_free
    from napari_patchmap.training.given_features import with_own

    # Before the patches are read: who comes second is told at once. Of those that
    # torchrun started, one holds the folder for all.
    with alone_in(args.out) if is_main_process() else nullcontext():
        if args.resume:
            out, config = _resumed_config(args)
        else:
            out, config = check_free(args.out), _chosen_config(args)
        patches, left = _opened(args, _wanted_columns(config)), None
        config = _for_points(config, args, patches)
        if not METHODS[config.train.method].sees_images:
            patches = with_own(patches, config.train)
        if args.leave_out is not None:
            patches, left = _parted(patches, args.leave_out)
        run = train(patches, config, out, began, resume=args.resume)
        if left is not None and is_main_process():
            _place(run, left)
    return 0


def _for_points(config: RunConfig, args: argparse.Namespace, patches: PatchSet) -> RunConfig:
    """Return settings by which points are mapped where no method was named: by features."""
    if patches.pictured or args.method is not None or args.resume:
        return config
    from dataclasses import replace

    return replace(config, train=config.train.replace(method="features"))


def _wanted_columns(config: RunConfig) -> tuple[str, ...]:
    """Return the columns that patches must have by the settings."""
    from napari_patchmap.methods.catalog import METHODS
    from napari_patchmap.training.balance import in_a_run

    if config.train.even_by and not METHODS[config.train.method].sees_images:
        return (config.train.even_by,)
    column = config.train.balance_by
    if column is None or not METHODS[config.train.method].trains or in_a_run(column):
        return ()
    return (column,)


def _opened(args: argparse.Namespace, columns: tuple[str, ...]) -> PatchSet:
    """Open the patches; what may be a run that is not there is said to be none."""
    from napari_patchmap.training.balance import no_run

    try:
        return open_data(args, columns)
    except PatchError as error:
        missing = next((name for name in columns if f"no column {name};" in str(error)), "")
        if not missing:
            raise
        raise PatchError(f"{error}{no_run(missing)}") from None


def _parted(patches: PatchSet, file: str) -> tuple[PatchSet, PatchSet]:
    """Return the patches that are trained on, and those that a file says are left out."""
    import numpy as np

    everyone = np.arange(len(patches))
    rows = np.unique(rows_named(file, everyone))
    if len(rows) == len(patches):
        raise RunError(f"{file} names all patches, so none would be left to train on.")
    say(f"{len(rows):,} patches are left out; they are placed on the map at the end.")
    return patches.picked(np.setdiff1d(everyone, rows)), patches.picked(rows)


def _place(run: Run, left: PatchSet) -> None:
    """Place what was left out on the map, and write that beside it."""
    from napari_patchmap.runs import save_embedding_csv

    placed = run.place(left)
    table = left.table.assign(unlikeness=placed.unlikeness)
    assert run.folder is not None
    path = save_embedding_csv(run.folder / LEFT_OUT, placed.embedding, table)
    say(f"Left out:   {len(left):,} patches, placed in {path}")


def _chosen_config(args: argparse.Namespace) -> RunConfig:
    """Return the settings that were given; defaults for the others."""
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import RunConfig, TrainConfig
    from napari_patchmap.training.trained_start import check_there

    augment = _changed(AugmentConfig.preset(args.augment or AUGMENT), args)
    train = TrainConfig(**given_settings(args))
    check_there(train)
    return RunConfig(train, augment)


def _changed(augment: AugmentConfig, args: argparse.Namespace) -> AugmentConfig:
    """Return augmentations with what was said of parts of them."""
    augment = augment.jittered(args.jitter) if args.jitter else augment
    return augment.without(*(args.without or ()))


def _resumed_config(args: argparse.Namespace) -> tuple[Path, RunConfig]:
    """Return the folder of an unfinished run and its settings, with those given now."""
    from dataclasses import replace

    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import check_same_settings, read_unfinished
    from napari_patchmap.runs.writable import check_folder

    unfinished = read_unfinished(args.out)
    saved = unfinished.config
    augment = AugmentConfig.preset(args.augment) if args.augment else saved.augment
    augment = _changed(augment, args)
    wanted = replace(saved, train=replace(saved.train, **given_settings(args)), augment=augment)
    check_same_settings(saved, wanted, unfinished.folder)
    return check_folder(unfinished.folder), wanted
