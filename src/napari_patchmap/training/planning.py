"""Deciding what a run is going to do, before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from napari_patchmap.errors import TrainingError, about
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.learn_on import SHARES, SOONER
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.recipe import Recipe, kind_of
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device, choose_device, free_memory
from napari_patchmap.networks.first_layer import usual_first_layer
from napari_patchmap.networks.fixed import OWN, PIXELS
from napari_patchmap.networks.out_of_memory import free_cached_memory, is_out_of_memory
from napari_patchmap.networks.trained.learned_on import LEARNED
from napari_patchmap.networks.trained.network_blocks import count_blocks
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.source import check_columns
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.balance import balance_groups
from napari_patchmap.training.budget.amount import epochs_in_budget, few_patches, too_short
from napari_patchmap.training.budget.expected import measure, timetable
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.given_features import check_seen, check_varied, with_own
from napari_patchmap.training.kept import Kept
from napari_patchmap.training.learners import learner_of
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.recipes import recipe_of, usual_backbone
from napari_patchmap.training.trained_start import (
    as_trained,
    check_weights,
    name_of_trained,
    patches_held_out,
    steps_in_time,
)

#: Fewer patches than this make no map.
_MIN_PATCHES = 10

#: Features are averaged over symmetries if all but the steps then takes up to this share of
#: the time that is given, and if the network still sees each patch about so often: what it
#: learns from them at first is worth more.
MOST_AROUND, TURNED_EPOCHS = 0.75, 2.0

#: Pixels are kept on the device if they take up to this share of its free memory.
_PIXEL_SHARE = 0.4


def make_plan(
    patches: PatchSet,
    config: RunConfig,
    ranks: Ranks | None = None,
    kept: Kept | None = None,
    watch: Watch = UNWATCHED,
) -> Plan:
    """Decide device, network, batch and stages of a run.

    Parameters
    ----------
    patches : PatchSet
    config : RunConfig
    ranks : Ranks, optional
        The processes that share each batch.
    kept : Kept, optional
        What a run that is resumed had decided before.
    watch : Watch, optional
        May end it between two passes of the network that is measured.

    Raises
    ------
    TrainingError
        If these patches cannot be mapped, or the device is not there.
    LoadCancelled
        If ``watch`` wants to stop; nothing of what was measured is remembered.
    """
    count = len(patches)
    if count < _MIN_PATCHES:
        have = "there is only one" if count == 1 else f"there are {count}"
        raise TrainingError(
            f"A map needs at least {_MIN_PATCHES} patches, and {have} in {patches.name}; "
            "load more images."
        )
    train, method = config.train, METHODS[config.train.method]
    check_seen(patches, method)
    own = None
    if not method.sees_images:
        with about("features"):
            own = with_own(patches, train, watch).own
            assert own is not None
            check_varied(own, patches.name, train.dimensions)
        wanted = [train.even_by] if train.even_by else []
        with about("even_by"):
            check_columns(wanted, map(str, patches.table.columns), patches.name)
    elif patches.all_identical(watch):
        raise TrainingError(
            f"All {count:,} patches of {patches.name} are identical, so there is nothing to "
            "map; check that the right images were loaded."
        )
    ranks = ranks or Ranks()
    device = choose_device(ranks.device if ranks.world > 1 else train.device, train.precision)
    if kept is None and train.learns_on:
        backbone = f"{LEARNED}{train.backbone}"
    elif kept is None:
        backbone = method.backbone_of(
            train.backbone, train.weights, usual_backbone(train, device)
        )
    else:
        backbone = kept.backbone
    if backbone in (PIXELS, OWN):
        device = replace(device, half=None)  # nothing is computed with them
    kind = kind_of(backbone, train.preset) if kept is None else kept.kind
    published, sentence = method.published(config.augment, kind)
    changes = {name: value for name, value in published.items() if getattr(train, name) is None}
    train = train.replace(**changes)
    notes = [few_patches(count), sentence if changes else ""]
    batch_size = min(train.batch_size or method.usual_batch(kind), count)
    batch_size = batch_size if kept is None else kept.batch_size
    if train.balance_by and method.trains:
        with about("balance_by"):
            groups = int(balance_groups(patches, train.balance_by, batch_size).max()) + 1
        notes.append(
            f"Each batch has as many patches of each of {groups:,} values of "
            f"{train.balance_by}."
        )
    longest, trained = train.longest_side, None if kept is None else kept.trained
    if kept is not None and trained is not None:
        longest = longest or max(kept.size)
    elif kept is None and (name := name_of_trained(backbone)):
        longest, trained = as_trained(patches, train, name)
    epochs = train.epochs or method.preset_epochs(train.preset, kind, count)
    if train.learns_on and not train.epochs:
        epochs = (epochs[0] / SOONER, *epochs[1:])
    blocks = rank = 0
    if train.learns_on and trained is not None:
        blocks, rank = count_blocks(trained, patches.channels), trained.rank
    most = len(SHARES) if kept is None else kept.judged
    recipe = recipe_of(method, train, kind, epochs, batch_size, blocks, most, rank)
    if train.balance_by and any(learner_of(one).caches_features for one in recipe.stages):
        notes.append(
            "Only stages that learn from images are balanced: those that learn from features "
            "lay out the map, on which frequent kinds take more room than rare ones."
        )
    _check_ranks(method, recipe, ranks)
    spec = NetworkSpec(
        backbone=backbone,
        channels=patches.channels if own is None else own.values.shape[1],
        size=patches.training_size(longest) if own is None else (1, 1),
        hidden=recipe.hidden,
        norm=recipe.norm,
        out_dim=recipe.stages[0].dimensions if recipe.stages else 0,
        head=method.head,
        first_layer=usual_first_layer(backbone, patches.channels)
        if recipe.whitened_start
        else "learned",
        trained=trained,
    )
    if kept is None:
        check_weights(spec, train)
    share = ranks.largest_share(batch_size)
    with _trying(device):
        measured = measure(recipe, spec, device, batch_size, share, watch)
    # Processes have a GPU each, but share the memory of their computer.
    free = free_memory(device.target) // (ranks.here if device.is_cpu else 1)
    parts = -int(ranks.least(-_parts(measured.memory, share, free)))
    parts = parts if kept is None else max(parts, kept.parts)
    pixels = count * spec.channels * spec.size[0] * spec.size[1]
    large = train.pixels == "auto" and pixels > _PIXEL_SHARE * free
    plan = Plan(
        config=config,
        name=patches.name,
        patches=count,
        labelled=patches.labels is not None,
        method=method,
        device=device,
        recipe=recipe,
        batch_size=batch_size,
        spec=spec,
        streamed=large or train.pixels == "stream",
        parts=parts,
        longest_side=longest,
        kind=kind,
        held_out=patches_held_out(recipe, train, count, measured.look, kept),
        own=own,
    )
    plan = replace(plan, times=timetable(plan, measured, watch))
    judged = sum(bool(stage.judged) for stage in recipe.stages)
    if kept is None and (most := steps_in_time(plan)) < judged:
        recipe = recipe_of(method, train, kind, epochs, batch_size, blocks, most, rank)
        held = patches_held_out(recipe, train, count, measured.look, None)
        plan = replace(plan, recipe=recipe, held_out=held)
        with _trying(device):
            measured = measure(recipe, spec, device, batch_size, share, watch)
        plan = replace(plan, times=timetable(plan, measured, watch))
        notes.append(
            "In this time the network does not learn as a whole, for there would be hardly a "
            "step for that; give it more minutes or a GPU."
        )
    turned = len(plan.symmetries)
    if turned > 1 and _as_they_lie(plan, ranks, kept):
        plan = replace(plan, recipe=replace(recipe, average_symmetries=False))
        plan = replace(plan, times=timetable(plan, measured, watch))
        notes.append(
            "So that time is left to learn, each patch is looked at as it lies, not in its "
            f"{turned} orientations."
        )
    if large:
        notes.append(
            f"The pixels take {pixels / 1e9:.1f} GB, too much for the {free / 1e9:.1f} GB of "
            "free memory; they are read from disk while training."
        )
    if parts > 1:
        notes.append(
            f"Each step is computed in {parts} parts to fit in memory; every patch is still "
            "compared with the whole batch."
        )
    notes.append(too_short(plan))
    return replace(plan, notes=tuple(note for note in notes if note))


def _as_they_lie(plan: Plan, ranks: Ranks, kept: Kept | None) -> bool:
    """Whether looking at each patch in all its orientations would leave no time to learn."""
    if kept is not None and kept.averaged is not None:
        return not kept.averaged
    times = plan.times
    if times.budget is None:
        return False
    learns = not plan.recipe.stages or epochs_in_budget(plan) >= TURNED_EPOCHS
    return ranks.agree(not (learns and times.around.low <= MOST_AROUND * times.budget))


def _check_ranks(method: Method, recipe: Recipe, ranks: Ranks) -> None:
    """Refuse several processes where a stage would not learn what one process does."""
    further = " a network further" if any(s.judged for s in recipe.stages) else ""
    if ranks.world > 1 and not all(learner_of(s).shares_batches for s in recipe.stages):
        raise TrainingError(
            f"{method.title} trains{further} in one process only; start patchmap without "
            f"torchrun, or choose another {'method' if not further else 'backbone'}."
        )


@contextmanager
def _trying(device: Device) -> Iterator[None]:
    """Say what is to be done if a network does not fit; give back what trying it took."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"There is not enough free memory for this network ({device.reason}); close other "
            "programs that use it, or choose a smaller backbone or another device under More."
        ) from None
    finally:
        if not device.is_cpu:
            free_cached_memory()


def _parts(patch_bytes: int, batch_size: int, free: int) -> int:
    """Parts in which a step fits in half of the free memory."""
    parts = 1
    while batch_size * patch_bytes / parts > free / 2 and batch_size // (2 * parts) >= 8:
        parts *= 2
    return parts


def plan_alone(patches: PatchSet, config: RunConfig, watch: Watch = UNWATCHED) -> Plan:
    """Make the plan of a run before it is started, with as many threads as it will take.

    ``watch`` may end it, see :func:`make_plan`.
    """
    with Cores(choose_device(config.train.device).is_cpu).chosen(watch):
        return make_plan(patches, config, watch=watch)


def describe_plan(patches: PatchSet, config: RunConfig) -> str:
    """Say in a few lines what a run of these patches would do."""
    return "\n".join(plan_alone(patches, config).lines())
