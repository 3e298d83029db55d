"""What is decided before a run about a network that came trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_patchmap.errors import ConfigError, about
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.learn_on import SHARES
from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.fine_tuned import (
    FINE_TUNED,
    PUBLISHED,
    FineTuned,
    check_start_file,
)
from napari_patchmap.networks.fixed import PRETRAINED
from napari_patchmap.networks.trained import loading
from napari_patchmap.networks.trained.for_patches import find_origins, record_for
from napari_patchmap.networks.trained.known_networks import FOLDER
from napari_patchmap.networks.trained.learned_on import LEARNED
from napari_patchmap.networks.trained.low_rank import layers_to_adapt
from napari_patchmap.networks.trained.network_names import is_path
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from napari_patchmap.networks.weights import check_file
from napari_patchmap.patches import PatchSet
from napari_patchmap.training.budget.speeds import Seconds
from napari_patchmap.training.judge import LOOKS, enough, held_out
from napari_patchmap.training.kept import Kept
from napari_patchmap.training.plan import Plan

#: Share of the time that is given in which it may be asked whether it helps to learn on, and
#: the patches that are held out for that, if there are so many.
_JUDGING, _LEAST_JUDGED = 0.08, 20


def name_of_trained(backbone: str) -> str:
    """Name the network that a backbone is which came trained, "" if it did not."""
    found = (backbone.removeprefix(p) for p in (PRETRAINED, LEARNED) if backbone.startswith(p))
    return next(found, "")


def check_there(train: TrainConfig) -> None:
    """Say, before any image is read, that a network or its weights are not there.

    Of a network at Hugging Face what describes it is downloaded, which is small.

    Raises
    ------
    ConfigError
        See :func:`~napari_patchmap.networks.trained.origin.find_origin`.
    """
    weights = None if train.weights == PUBLISHED else train.weights
    if weights:
        with about("weights"):
            check_file(weights)
    backbone = METHODS[train.method].backbone_of(train.backbone, train.weights, "")
    name = train.backbone if train.learns_on else name_of_trained(backbone)
    if name:
        find_origins(name, weights, train.architecture)


def as_trained(patches: PatchSet, train: TrainConfig, name: str) -> tuple[int, TrainedRecord]:
    """Return up to which side patches are read for a trained network, and its record."""
    longest, record = record_for(
        patches,
        name,
        weights=None if train.weights == PUBLISHED else train.weights,
        architecture=train.architecture,
        longest=train.longest_side,
        side=train.input_side,
        pooling=train.pooling,
        use=train.channel_use,
        said=train.channels_of_network,
    )
    if record.beside and train.learns_on:
        raise ConfigError(
            f"{name} names several networks, and only one can learn from the patches; choose "
            "one, or the method pretrained."
        )
    return longest, _with_adapters(record, train, patches.channels)


def _with_adapters(record: TrainedRecord, train: TrainConfig, channels: int) -> TrainedRecord:
    """Write down the rank of low-rank adapters, if the network is to learn by such.

    Left to the program, they are tried of transformers, of which they are known to do well.
    """
    asked, name = train.learns_on == "adapters", record.name
    if not asked and not (train.learns_on == "auto" and any(record.tokens)):
        return record
    if is_path(name):  # from wherever the run is opened, its weights are to be found again
        name = str(Path(name.removeprefix(FOLDER)).expanduser().absolute())
    adapted = replace(record, rank=train.adapter_rank, name=name)
    if layers_to_adapt(adapted, channels):
        return adapted
    if not asked:
        return record
    error = ConfigError(
        f"{name} has no linear layers or 1 x 1 convolutions in its blocks that adapters of "
        f"rank {adapted.rank} could go beside; choose blocks as how far it learns on, or a "
        "lower rank."
    )
    error.setting = "adapter_rank"
    raise error


def check_weights(spec: NetworkSpec, train: TrainConfig) -> None:
    """Say, before anything is computed, that weights on this computer are of another network.

    Raises
    ------
    ConfigError
    """
    file = None if train.weights == PUBLISHED else train.weights
    with about("weights" if file else "backbone"):
        if spec.trained is not None:
            for record in (spec.trained, *spec.trained.beside):
                loading.check_weights(record, spec.channels, file)
        elif file and spec.backbone.startswith(FINE_TUNED):
            started, name = Network(spec).backbone, spec.backbone.removeprefix(FINE_TUNED)
            assert isinstance(started, FineTuned)
            check_start_file(started, name, spec.channels, file)


def steps_in_time(plan: Plan) -> int:
    """Return in how many of its steps a trained network can learn on in the time given.

    The first one, of the head, is always made.
    """
    times, stages = plan.times, plan.recipe.stages
    judged = [number for number, stage in enumerate(stages) if stage.judged]
    if (
        not judged
        or times.budget is None
        or any(stages[number].judged == "told" for number in judged)
    ):
        return len(judged)
    # What is looked at before the first step is as much as there is time for.
    around = times.around.likely - times.seconds("before").likely
    time = max(0.0, times.budget - around) * sum(stages[number].share for number in judged)
    for count in range(len(judged), 1, -1):
        given = zip(SHARES[count][1:], judged[1:count], strict=True)
        if all(enough(time * share, times.step[number]) for share, number in given):
            return count
    return 1


def patches_held_out(
    recipe: Recipe, train: TrainConfig, patches: int, look: Seconds, kept: Kept | None
) -> int:
    """Return how many patches are held out, to tell whether it helps to learn on.

    A look at a patch takes ``look``. A run that is resumed holds out those that it did.
    """
    judged = sum(bool(stage.judged) for stage in recipe.stages)
    if not judged:
        return 0
    if kept is not None:
        return kept.held_out
    most = held_out(patches)
    if train.minutes is None:
        return most
    share = _JUDGING * 60 * train.minutes / (judged + 1)
    return min(most, max(_LEAST_JUDGED, round(share / (LOOKS * look.likely))))
