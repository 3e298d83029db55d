"""From the settings of a person to how trained networks see the patches of a set."""

from __future__ import annotations

from dataclasses import replace

from napari_patchmap.errors import ConfigError, about
from napari_patchmap.networks.trained.input_size import native_side
from napari_patchmap.networks.trained.network_names import split_names
from napari_patchmap.networks.trained.origin import Origin, find_origin
from napari_patchmap.networks.trained.resolution import with_resolution
from napari_patchmap.networks.trained.trained_features import describe
from napari_patchmap.networks.trained.trained_record import ChannelUse, Pooling, TrainedRecord
from napari_patchmap.patches import PatchSet


def find_origins(
    name: str, weights: str | None = None, architecture: str | None = None
) -> list[Origin]:
    """Find what makes each of the networks of a name; see :func:`record_for`.

    No weights are downloaded, and no images are needed.
    """
    names = split_names(name)
    if len(names) > 1 and (weights or architecture):
        raise ConfigError(
            f"Weights and architecture are those of one network, and {name} names "
            f"{len(names)}; put each file into a folder with its config.json and name the "
            "folders."
        )
    with about("backbone"):
        return [find_origin(one, weights, architecture) for one in names]


def record_for(
    patches: PatchSet,
    name: str,
    *,
    weights: str | None = None,
    architecture: str | None = None,
    longest: int | None = None,
    side: int | None = None,
    pooling: Pooling | None = None,
    use: ChannelUse | None = None,
    said: str | None = None,
) -> tuple[int, TrainedRecord]:
    """Return up to which side patches are read for trained networks, and their record.

    Parameters
    ----------
    patches : PatchSet
    name : str
        Of a network, or of several with ``+`` between: their features are set side by side.
    weights, architecture : str, optional
        See :func:`~napari_patchmap.networks.trained.origin.find_origin`.
    longest : int, optional
        Longer side to which patches are brought; by default they are not made smaller than
        what a network was trained on.
    side, pooling, use, said : optional
        See :func:`~napari_patchmap.networks.trained.trained_features.describe`.

    Raises
    ------
    ConfigError
        If a network cannot be found, or cannot do so.
    """
    origins = find_origins(name, weights, architecture)
    native = max(native_side(one.config) for one in origins)
    longest = longest or max(native, side or 0)
    size = patches.training_size(longest)
    records = []
    for origin in origins:
        record = describe(
            origin,
            patches.channels,
            size,
            side=side,
            pooling=pooling,
            use=use,
            names=patches.channel_names,
            said=said,
        )
        records.append(
            with_resolution(record, origin.mpp, patches.resolution, patches.common_size)
        )
    first, *beside = records
    return longest, replace(first, beside=tuple(beside))
