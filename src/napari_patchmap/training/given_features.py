"""Features of people's own in place of a network: read, brought to a scale, said."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.errors import ConfigError, TrainingError
from napari_patchmap.few_names import some_of
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.fixed import OwnFeatures
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.own_features.joined_features import with_features
from napari_patchmap.patches.own_rows import OwnRows
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.batch_check import batches_of
from napari_patchmap.runs.evening import Evening, EveningConfig


def check_seen(patches: PatchSet, method: Method) -> None:
    """Raise a TrainingError where a method sees images and there are none."""
    lost = len(patches.missing)
    if not method.sees_images or not lost:
        return
    if not patches.pictured:
        raise TrainingError(
            f"{patches.name} holds points without pictures, of which only the method features "
            "makes a map; choose that, or open images."
        )
    raise TrainingError(
        f"{lost:,} of the {len(patches):,} images of {patches.name} are missing, and "
        "pictures of nothing are not trained on; locate them, or load the images again."
    )


def with_own(patches: PatchSet, train: TrainConfig, watch: Watch = UNWATCHED) -> PatchSet:
    """Return patches with the features that settings name, or those that the patches are.

    Raises
    ------
    ConfigError
        If neither is there.
    PatchError
        See :func:`with_features`.
    """
    if patches.own is not None:
        return patches
    path = train.features or (None if patches.pictured else patches.origin.get("path"))
    if not path:
        raise ConfigError(
            "The method features needs a file of features (--features); choose one with a row "
            "for each patch."
        )
    return with_features(patches, path, train.feature_columns, train.feature_gaps, watch)


def is_scaled(own: OwnRows, train: TrainConfig) -> bool:
    """Whether each feature is brought to the mean 0 and the deviation 1."""
    if train.feature_scaling == "auto":
        return not own.one_unit
    return train.feature_scaling == "standard"


def own_network(spec: NetworkSpec, own: OwnRows, train: TrainConfig) -> tuple[Network, str]:
    """Make what stands for a network, and say which features tell nothing, if any do."""
    network = Network(spec)
    backbone = network.backbone
    assert isinstance(backbone, OwnFeatures)
    flat = backbone.fit(own.values) if is_scaled(own, train) else np.empty(0, np.intp)
    if not len(flat):
        return network, ""
    names = own.names or [f"number {i + 1}" for i in range(own.values.shape[1])]
    return network, (
        f"{len(flat):,} features are the same for all patches and count nothing: "
        f"{some_of([names[i] for i in flat])}."
    )


def check_varied(own: OwnRows, name: str, dimensions: int) -> None:
    """Raise a TrainingError where all patches have the same features, or too few of them."""
    if own.values.shape[1] < dimensions:
        raise TrainingError(
            f"{own.file} has {own.values.shape[1]:,} features, too few for a map of "
            f"{dimensions:,} dimensions; choose a file or columns with more."
        )
    if not (own.values != own.values[0]).any():
        raise TrainingError(
            f"The features of all {len(own):,} patches of {name} are the same, so there is "
            f"nothing to map; check {own.file}."
        )


def own_lines(own: OwnRows, train: TrainConfig) -> list[str]:
    """Say in short lines what the features are, and what is done with them."""
    part = f" ({own.part})" if own.part else ""
    scaled = "brought to mean 0 and deviation 1" if is_scaled(own, train) else "as they are"
    even = f", evened out by {train.even_by}" if train.even_by else ""
    first = f"features: {own.values.shape[1]:,} of {own.file}{part}, {scaled}{even}"
    return [first, *(note.rstrip(".") for note in own.notes)]


def own_record(own: OwnRows, train: TrainConfig) -> dict[str, Any]:
    """Return what is kept of them with a run, for ``config.json``."""
    return {
        "file": own.file,
        "part": own.part,
        "names": list(own.names),
        "scaled": is_scaled(own, train),
    }


def evened(
    features: np.ndarray, patches: PatchSet, train: TrainConfig, watch: Watch
) -> tuple[np.ndarray, Evening | None]:
    """Even features out between the values of a column, if settings say so.

    Raises
    ------
    QualityError, BatchError
        If the column is not there, or its values cannot be evened out.
    """
    if train.even_by is None:
        return features, None
    batches = batches_of(patches.table, train.even_by)
    evening = Evening.fit(features, batches, train.even_by, watch=watch)
    if len(evening.axes) < train.dimensions:  # batches differ more than all else does
        all_of_it = EveningConfig(variance=1.0)
        evening = Evening.fit(features, batches, train.even_by, all_of_it, watch)
    return evening.apply(features, batches, watch), evening
