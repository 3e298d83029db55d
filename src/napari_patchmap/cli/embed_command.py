"""Training a map of images."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from napari_patchmap.cli.arguments import AUGMENT, given_settings
from napari_patchmap.cli.common import open_data, train
from napari_patchmap.cli.terminal import is_main_process

if TYPE_CHECKING:
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import RunConfig


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs import alone_in, check_free

    # Before the patches are read: who comes second is told at once. Of those that
    # torchrun started, one holds the folder for all.
    with alone_in(args.out) if is_main_process() else nullcontext():
        if args.resume:
            out, config = _resumed_config(args)
        else:
            out, config = check_free(args.out), _chosen_config(args)
        train(open_data(args), config, out, began, resume=args.resume)
    return 0


def _chosen_config(args: argparse.Namespace) -> RunConfig:
    """Return the settings that were given; defaults for the others."""
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import RunConfig, TrainConfig

    augment = _changed(AugmentConfig.preset(args.augment or AUGMENT), args)
    return RunConfig(TrainConfig(**given_settings(args)), augment)


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
