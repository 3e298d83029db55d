"""What a run is going to do, decided before it starts and told to the person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from napari_patchmap.augment.views import symmetries
from napari_patchmap.errors import TrainingError
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.rates import with_optimiser
from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.methods.stage import Stage
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device, choose_device, free_memory
from napari_patchmap.networks.fine_tuned import FINE_TUNED
from napari_patchmap.networks.fixed import PIXELS
from napari_patchmap.networks.out_of_memory import free_cached_memory, is_out_of_memory
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.budget.amount import LEAST_EPOCHS, LEAST_STEPS, few_patches
from napari_patchmap.training.budget.estimate import measure_speed, update_seconds
from napari_patchmap.training.budget.expected import Expected
from napari_patchmap.training.budget.speeds import recall
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.kept import Kept
from napari_patchmap.training.learners import learner_of
from napari_patchmap.training.progress import say_time

#: Fewer patches than this make no map.
MIN_PATCHES = 10

#: Features are averaged over symmetries if all but the steps then takes up to this share of
#: the time that is given.
MOST_AROUND = 0.75

#: Pixels are kept on the device if they take up to this share of its free memory.
_PIXEL_SHARE = 0.4


@dataclass(frozen=True)
class Plan:
    """Everything that "decide for me" was replaced by.

    Parameters
    ----------
    method : Method
    device : Device
    recipe : Recipe
    batch_size : int
        Patches in a step, never more than there are.
    minutes : float or None
        Time budget for everything; None when epochs are followed.
    patches : int
    spec : NetworkSpec
        The network as it begins.
    streamed : bool
        Whether pixels are read from disk when they are wanted, since they would
        not fit in the device's memory.
    parts : int
        Parts in which a step is computed, so that it fits in memory.
    expected : Expected
        Seconds, as measured with a few steps.
    notes : tuple of str
        Why something was decided, where people may wonder.
    """

    method: Method
    device: Device
    recipe: Recipe
    batch_size: int
    minutes: float | None
    patches: int
    spec: NetworkSpec
    streamed: bool
    parts: int
    expected: Expected
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the training size, in pixels."""
        return self.spec.size

    @property
    def seconds(self) -> float:
        """Time that the whole run is expected to take."""
        if self.minutes is not None:
            return 60 * self.minutes
        stages = range(len(self.recipe.stages))
        steps = sum(self.stage_seconds(i) for i in stages)
        return steps + self.expected.around

    def stage_seconds(self, stage: int) -> float:
        """Time that the steps of a stage (from 0) are expected to take."""
        if self.minutes is not None:
            return 60 * self.minutes * self.recipe.stages[stage].share
        return self.steps(stage) * self.expected.step[stage]

    @property
    def trained_stages(self) -> tuple[Stage, ...]:
        """The stages in which steps are to be made."""
        stages = self.recipe.stages
        if self.minutes is not None:
            return stages
        return tuple(s for i, s in enumerate(stages) if self.steps(i) > 0)

    def _about(self) -> str:
        """Say how long the run takes; where that is in doubt, between what and what."""
        low, high = (factor * self.seconds for factor in self.expected.doubt)
        if self.minutes is not None or say_time(low) == say_time(high):
            return f"about {say_time(self.seconds)}"
        return f"{say_time(low)} to {say_time(high)}, as busy as this computer is,"

    def steps(self, stage: int) -> int:
        """Steps of a stage (from 0) by epochs; at least one, unless it has no epochs."""
        epochs = self.recipe.stages[stage].epochs
        return max(1, round(epochs * self.patches / self.batch_size)) if epochs > 0 else 0

    def lines(self) -> list[str]:
        """Say the plan in short lines."""
        stages = self.recipe.stages
        if self.minutes is not None:
            parts = ", ".join(
                f"{s.name} {say_time(60 * self.minutes * s.share)}" for s in stages
            )
            length = f"{say_time(60 * self.minutes)} in all: {parts}"
        else:
            parts = ", ".join(f"{s.name} {s.epochs:.4g}" for s in stages)
            total = sum(self.steps(i) for i in range(len(stages)))
            epochs = f"{sum(s.epochs for s in stages):.4g} epochs ({total:,} steps)"
            length = f"{self._about()} for {epochs}: {parts}"
        height, width = self.size
        patches = f"{self.patches:,} patches at {width} x {height} px"
        backbone = self.spec.backbone.removeprefix(FINE_TUNED)
        if backbone != self.spec.backbone:
            backbone += " that begins with given weights"
        if not stages:
            layout = say_time(self.expected.layout)
            return [
                f"{self._about()}, of them {layout} for t-SNE; nothing is trained",
                f"{patches}, features: {self.spec.backbone.replace(':', ' ')}",
                self.device.reason,
                *self.notes,
            ]
        learns = next((s for s in stages if s.trains == "all"), stages[0])
        network = f"network {backbone}, optimiser {learns.optimiser} at a rate of "
        network += f"{learns.lr:.2g}"
        return [
            length,
            f"{patches}, {network}",
            f"{self.batch_size} patches in a step; {self.device.reason}",
            *self.notes,
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: what was planned, to be kept with the run."""
        return {
            "lines": self.lines(),
            "seconds": round(self.seconds, 1),
            "stages": [stage.to_dict() for stage in self.recipe.stages],
            "steps": None
            if self.minutes is not None
            else [self.steps(i) for i in range(len(self.recipe.stages))],
            "averaged": self.recipe.average_symmetries,
            "streamed": self.streamed,
            "parts": self.parts,
        }


def make_plan(
    patches: PatchSet,
    config: RunConfig,
    ranks: Ranks | None = None,
    kept: Kept | None = None,
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

    Raises
    ------
    TrainingError
        If these patches cannot be mapped, or the device is not there.
    """
    count = len(patches)
    if count < MIN_PATCHES:
        have = "there is only one" if count == 1 else f"there are {count}"
        raise TrainingError(
            f"A map needs at least {MIN_PATCHES} patches, and {have} in {patches.name}; "
            "load more images."
        )
    if patches.all_identical():
        raise TrainingError(
            f"All {count:,} patches of {patches.name} are identical, so there is nothing to "
            "map; check that the right images were loaded."
        )
    train = config.train
    ranks = ranks or Ranks()
    device = choose_device(ranks.device if ranks.world > 1 else train.device, train.precision)
    method = METHODS[train.method]
    if kept is None:
        backbone = method.backbone_of(train.backbone, train.weights, _usual(train, device))
    else:
        backbone = kept.backbone
    if backbone == PIXELS:
        device = replace(device, half=None)  # nothing is computed with them
    published, noted = method.published(config.augment, backbone)
    changes = {name: value for name, value in published.items() if getattr(train, name) is None}
    train = train.replace(**changes)
    notes = (noted,) if changes else ()
    batch_size = min(train.batch_size or method.usual_batch(backbone), count)
    if kept is not None:
        batch_size = kept.batch_size
    epochs = train.epochs or method.preset_epochs(train.preset, backbone, count)
    recipe = _recipe(method, train, backbone, epochs, batch_size)
    _check_ranks(method, recipe, ranks)
    spec = NetworkSpec(
        backbone=backbone,
        channels=patches.channels,
        size=patches.training_size(train.longest_side),
        hidden=recipe.hidden,
        norm=recipe.norm,
        out_dim=recipe.stages[0].dimensions if recipe.stages else 0,
        head=method.head,
    )
    with _trying(device):
        speed = measure_speed(spec, device, batch_size, trains=bool(recipe.stages))
        updates = [update_seconds(stage, spec, device) for stage in recipe.stages]
    free = free_memory(device.target)
    turned = len(symmetries(config.augment, spec.size)) if recipe.average_symmetries else 1
    share = ranks.largest_share(batch_size)
    tsne = train.tsne().length if method.layout == "tsne" else 0.0
    known = [recall(stage, spec, device, batch_size) for stage in recipe.stages]

    def expect(orientations: int) -> Expected:
        return Expected.of(
            recipe,
            speed,
            updates,
            patches=count,
            share=share,
            turned=orientations,
            tsne=tsne,
            known=known,
        )

    expected = expect(turned)
    if turned > 1 and _as_they_lie(expected, train.minutes, ranks, kept):
        recipe, expected = replace(recipe, average_symmetries=False), expect(1)
        sentence = (
            "So that time is left to learn, each patch is looked at as it lies, not in its "
            f"{turned} orientations."
        )
        notes = (*notes, sentence)
    parts = -int(ranks.least(-_parts(speed.memory, share, free)))
    parts = parts if kept is None else max(parts, kept.parts)
    streamed, why = _streamed(train.pixels, count, spec, free)
    notes = (*notes, *why)
    if parts > 1:
        sentence = (
            f"Each step is computed in {parts} parts to fit in memory; every patch is still "
            "compared with the whole batch."
        )
        notes = (*notes, sentence)
    plan = Plan(
        method=method,
        device=device,
        recipe=recipe,
        batch_size=batch_size,
        minutes=train.minutes,
        patches=count,
        spec=spec,
        streamed=streamed,
        parts=parts,
        expected=expected,
        notes=notes,
    )
    few = few_patches(count)
    return replace(plan, notes=(*([few] if few else []), *notes, *_too_short(plan)))


def _as_they_lie(
    expected: Expected, minutes: float | None, ranks: Ranks, kept: Kept | None
) -> bool:
    """Whether looking at each patch in all its orientations would leave no time to learn."""
    if kept is not None and kept.averaged is not None:
        return not kept.averaged
    if minutes is None:
        return False
    fastest = expected.doubt[0] * expected.around
    fits = fastest <= MOST_AROUND * 60 * minutes
    return not ranks.least(int(fits))


def _too_short(plan: Plan) -> tuple[str, ...]:
    """Say so when a time budget ends before the network can have learned much."""
    if plan.minutes is None or not plan.recipe.stages:
        return ()

    def made(factor: float) -> float:
        """Steps of the whole network, if all takes so many times as long."""
        training = max(0.0, plan.seconds - factor * plan.expected.around)
        stages = zip(plan.recipe.stages, plan.expected.step, strict=True)
        return sum(training * s.share / (factor * t) for s, t in stages if s.trains == "all")

    steps = [made(factor) for factor in plan.expected.doubt]
    seen = [count * plan.batch_size / plan.patches for count in steps]
    if steps[0] >= LEAST_STEPS and seen[0] >= LEAST_EPOCHS:
        return ()
    if seen[0] < LEAST_EPOCHS:
        what = f"sees {_about(*(f'{share:.0%}' for share in seen))} of the patches"
    else:
        what = f"makes {_about(*(f'{count:.0f}' for count in steps))} steps"
    other = "" if plan.spec.backbone == "compact" else ", or take the compact network"
    sentence = (
        f"In this time the network {what}, too few to learn much; give it more minutes or a "
        f"GPU{other}."
    )
    return (sentence,)


def _about(high: str, low: str) -> str:
    return f"about {high}" if low == high else f"{low} to {high}"


def _check_ranks(method: Method, recipe: Recipe, ranks: Ranks) -> None:
    """Refuse several processes where a stage would not learn what one process does."""
    if ranks.world > 1 and not all(learner_of(s).shares_batches for s in recipe.stages):
        raise TrainingError(
            f"{method.title} trains in one process only; start patchmap without torchrun, or "
            "choose another method."
        )


def _recipe(
    method: Method,
    train: TrainConfig,
    backbone: str,
    epochs: tuple[float, ...],
    batch_size: int,
) -> Recipe:
    """Return the backbone's recipe, with the optimiser that the user chose."""
    usual = method.make_recipe(
        backbone, epochs, batch_size, train.dimensions, train.temperature
    )
    stages = with_optimiser(
        usual.stages, train.optimiser, train.learning_rate, train.weight_decay
    )
    return replace(usual, stages=stages)


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


def _streamed(
    wanted: str, patches: int, spec: NetworkSpec, free: int
) -> tuple[bool, tuple[str, ...]]:
    """Decide whether pixels are read when they are wanted, and say so."""
    whole = patches * spec.channels * spec.size[0] * spec.size[1]
    if wanted != "auto":
        return wanted == "stream", ()
    if whole <= _PIXEL_SHARE * free:
        return False, ()
    sentence = (
        f"The pixels take {whole / 1e9:.1f} GB, too much for the {free / 1e9:.1f} GB of free "
        "memory; they are read from disk while training."
    )
    return True, (sentence,)


def _usual(train: TrainConfig, device: Device) -> str:
    """Name the network that is trained where none is chosen."""
    quick = train.preset == "quick" and device.is_cpu
    return "compact" if quick else "resnet18-small-kernel"


def describe_plan(patches: PatchSet, config: RunConfig) -> str:
    """Say in a few lines what a run of these patches would do."""
    with Cores(choose_device(config.train.device).is_cpu).chosen():
        return "\n".join(make_plan(patches, config).lines())
