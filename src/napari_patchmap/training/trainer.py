"""Training a map: stages, progress, stopping; no display needed."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_patchmap.augment.views import ViewMaker, symmetries
from napari_patchmap.errors import TrainingError
from napari_patchmap.methods.layout import MOST_LANDMARKS, tsne_layout
from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.methods.stage import Stage
from napari_patchmap.methods.tsimcne import FEATURE_DIMENSIONS, start_map
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.inference import infer, recalibrate
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality import evaluate
from napari_patchmap.runs.config import RunConfig
from napari_patchmap.runs.run import ImageKind, Run
from napari_patchmap.training.batches import Batches
from napari_patchmap.training.cache import FeatureCache
from napari_patchmap.training.memory import keep_freed_memory
from napari_patchmap.training.optimisers import make_optimiser
from napari_patchmap.training.pace import Pace
from napari_patchmap.training.plan import Plan, make_plan
from napari_patchmap.training.progress import ProgressCallback, StopCallback
from napari_patchmap.training.reporter import Reporter

#: Patches from which the main axes of a first map are taken.
_AXES_SAMPLE = 4096

#: Of a stage that draws from cached features, so much of the time is kept for its steps.
_STEPS_SHARE = 0.6

#: Share of the steps of a stage in which a new projector learns a given layout.
_LAYOUT_SHARE = 0.8

#: Snapshots of the map may take up to this share of the training time.
_SNAPSHOT_SHARE = 0.05


def fit(
    patches: PatchSet,
    config: RunConfig | None = None,
    *,
    progress: ProgressCallback | None = None,
    should_stop: StopCallback | None = None,
    snapshot_seconds: float | None = None,
    spent: float = 0.0,
) -> Run:
    """Train a map of the patches.

    Parameters
    ----------
    patches : PatchSet
    config : RunConfig, optional
        All settings; defaults decide by themselves.
    progress : callable, optional
        Called with a :class:`Progress` about twice a second, in this thread.
    should_stop : callable, optional
        Asked before every step; True ends training and returns what was learned.
    snapshot_seconds : float, optional
        Put the map as it is now into a report about this often. It changes
        nothing in the training.
    spent : float
        Seconds of the time budget that were used before (loading images).

    Returns
    -------
    Run
        ``complete`` is False if it was stopped; its map is valid all the same.

    Raises
    ------
    TrainingError
        If these patches cannot be mapped, or the device failed (out of memory
        included). Always one sentence that says what to do.
    """
    config = config or RunConfig()
    began = time.monotonic() - spent
    plan = make_plan(patches, config)
    if plan.device.is_cpu:
        keep_freed_memory()
    try:
        with _own_randomness(config.train.seed):
            trainer = _Trainer(patches, config, plan, Reporter(progress, began), should_stop)
            return trainer.run(snapshot_seconds)
    except torch.OutOfMemoryError:
        raise TrainingError(
            f"The GPU ran out of memory with {plan.batch_size} patches in a step; close other "
            "programs that use it, or choose a smaller batch size, the compact backbone or the "
            "CPU under More."
        ) from None
    except MemoryError:
        raise TrainingError(
            f"This computer ran out of memory with {len(patches):,} patches at "
            f"{plan.size[1]} x {plan.size[0]} px; choose a smaller longest side under More."
        ) from None
    except RuntimeError as error:
        first_line = (
            str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        )
        raise TrainingError(f"Training failed on {plan.device.reason}: {first_line}") from error
    finally:
        gc.collect()
        if plan.device.target.type == "cuda":
            torch.cuda.empty_cache()


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Seed torch's global generator for a run, and give the caller's state back."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


class _Trainer:
    """One run, from patches to a :class:`Run`."""

    def __init__(
        self,
        patches: PatchSet,
        config: RunConfig,
        plan: Plan,
        reporter: Reporter,
        should_stop: StopCallback | None,
    ) -> None:
        self.patches, self.config, self.plan, self.reporter = patches, config, plan, reporter
        self.should_stop = should_stop or (lambda: False)
        self.stopped = False
        device = plan.device.target
        spec = NetworkSpec(
            backbone=plan.backbone,
            channels=patches.channels,
            size=plan.size,
            hidden=plan.recipe.hidden,
            norm=plan.recipe.norm,
            out_dim=FEATURE_DIMENSIONS,
        )
        self.network = Network(spec).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generator = torch.Generator(device).manual_seed(config.train.seed)
        self.symmetries = (
            symmetries(config.augment, plan.size)
            if plan.recipe.average_symmetries
            else [(0, False)]
        )
        self.steps_made: list[int] = []

    def run(self, snapshot_seconds: float | None) -> Run:
        """Train all stages and put the run together."""
        plan, reporter = self.plan, self.reporter
        reporter.say("reading patches")
        self.pixels = torch.from_numpy(self.patches.pixels(range(len(self.patches)), plan.size))
        fill = self.patches.border_colour(plan.size)
        self.pixels = self.pixels.to(plan.device.target)
        maker = ViewMaker(self.config.augment, is_rgb=self.patches.is_rgb, fill=fill)
        batches = Batches(len(self.patches), plan.batch_size, self.generator)
        self.snapshots = _Snapshots(snapshot_seconds)

        end = (
            None
            if plan.minutes is None
            else reporter.began + 60 * plan.minutes - self._reserve()
        )
        for number, stage in enumerate(plan.recipe.stages):
            pace = self._pace(number, end)
            reporter.begin_stage(number, plan, end)
            self._train(stage, pace, batches, maker)
            self.steps_made.append(pace.done)
            if self.stopped:
                break
        return self._finish()

    def _pace(self, number: int, end: float | None) -> Pace:
        if end is None:
            return Pace(steps=self.plan.steps(number))
        now = time.monotonic()
        later = [stage.share for stage in self.plan.recipe.stages[number:]]
        return Pace(deadline=now + max(0.0, end - now) * later[0] / sum(later))

    def _reserve(self) -> float:
        """Seconds that embedding, evaluating and saving will take after training."""
        sample = self.pixels[:256]
        infer(self.network, sample, half=self.plan.device.half)  # the first call is slow
        began = time.perf_counter()
        infer(self.network, sample, half=self.plan.device.half)
        per_patch = (time.perf_counter() - began) / len(sample)
        count = len(self.patches)
        # The silhouette compares all pairs; map.png and the table take about 2 s.
        return per_patch * count * len(self.symmetries) + 2e-8 * count**2 + 2.0

    def _train(self, stage: Stage, pace: Pace, batches: Batches, maker: ViewMaker) -> None:
        network, plan, reporter = self.network, self.plan, self.reporter
        cache = self._cache(stage, maker, pace)
        if self.stopped:
            return  # the map of the stage before is worth more than a new one without steps
        if stage.dimensions == 2 and network.spec.out_dim != 2:
            self._start_map(stage)
        optimiser = make_optimiser(stage, network)
        if cache is not None:
            batches = Batches(len(cache), plan.batch_size, self.generator)
        network.train()
        if stage.trains != "all":
            network.backbone.train(cache is None)
        layout = torch.empty(0) if cache is None else self._layout(cache, pace)

        def learns_layout() -> bool:
            return len(layout) > 0 and pace.fraction < _LAYOUT_SHARE

        while not (pace.finished or self._asked_to_stop()):
            lr = stage.learning_rate(pace.fraction)
            for group in optimiser.param_groups:
                group["lr"] = lr
            chosen = batches.draw()
            with torch.autocast(**self._autocast):
                if cache is None:
                    maker.strength = stage.augmentation_strength(pace.fraction)
                    features = self._features(stage, self.pixels[chosen], maker)
                else:
                    chosen = chosen % len(layout) if learns_layout() else chosen
                    features = cache.draw(chosen)
                outputs = network.project(features)
            if learns_layout():
                loss = nn.functional.smooth_l1_loss(outputs, layout[chosen].repeat(2, 1))
            else:
                loss = cauchy_infonce(outputs)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            pace.advance()
            reporter.step(loss.detach(), lr, pace, batches.batch_size)
            if self.snapshots.due:
                reporter.snapshot(self._snapshot())
        reporter.end_stage(pace)
        if plan.recipe.recalibrate:
            recalibrate(network, self.pixels, half=plan.device.half)

    def _features(self, stage: Stage, patches: Tensor, maker: ViewMaker) -> Tensor:
        """Features of two new views of each patch, shape (2 b, d)."""
        views = torch.cat([maker(patches, self.generator), maker(patches, self.generator)])
        views = views.contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(stage.trains == "all"):
            return self.network.features(views)

    def _cache(self, stage: Stage, maker: ViewMaker, pace: Pace) -> FeatureCache | None:
        """Compute the features of some views of the patches, if the stage draws from those."""
        if not stage.cached_views:
            return None
        plan = self.plan
        maker.strength = stage.augmentation_strength(0.0)
        self.network.eval()
        cache = FeatureCache(
            self.network, self.pixels, stage.cached_views, self.generator, plan.device.half
        )
        whole = pace.seconds_left  # NaN when epochs are followed: then all patches
        for _ in cache.fill(maker):
            if self._asked_to_stop() or pace.seconds_left < _STEPS_SHARE * whole:
                break
        cache.seal()
        return cache

    def _layout(self, cache: FeatureCache, pace: Pace) -> Tensor:
        """Coordinates of the first cached patches by t-SNE; none if maps start otherwise."""
        if self.plan.recipe.start != "tsne":
            return torch.empty(0)
        whole = pace.seconds_left
        features = cache.features[:, :MOST_LANDMARKS].mean(dim=0).cpu().numpy()
        coordinates = tsne_layout(
            features,
            seed=self.config.train.seed,
            jobs=torch.get_num_threads(),
            should_stop=lambda: self._asked_to_stop() or pace.seconds_left < 0.4 * whole,
        )
        return torch.from_numpy(coordinates).to(self.plan.device.target)

    def _asked_to_stop(self) -> bool:
        self.stopped = self.stopped or self.should_stop()
        return self.stopped

    @property
    def _autocast(self) -> dict[str, Any]:
        half = self.plan.device.half
        return {
            "device_type": self.plan.device.target.type,
            "dtype": half,
            "enabled": half is not None,
        }

    @torch.no_grad()
    def _start_map(self, stage: Stage) -> None:
        """Put the two-dimensional output in."""
        if stage.trains == "projector":
            self.network.renew_projector()
            return
        count = len(self.pixels)
        chosen = torch.randperm(count, generator=self.generator, device=self.generator.device)
        features, _ = self._infer(self.pixels[chosen[:_AXES_SAMPLE]])
        features_on = torch.from_numpy(features).to(self.plan.device.target)
        start = self.plan.recipe.start
        start_map(self.network, features_on, "random" if start == "random" else "pca")

    def _infer(self, pixels: Tensor, *, final: bool = False) -> tuple[np.ndarray, np.ndarray]:
        return infer(
            self.network,
            pixels,
            symmetries=self.symmetries if final else [(0, False)],
            half=self.plan.device.half,
        )

    def _snapshot(self) -> np.ndarray:
        """Return the map as it is now; before it is 2-D, the two main axes of the outputs."""
        with self.snapshots.timed():
            _, outputs = self._infer(self.pixels)
            return self.snapshots.lay_flat(outputs)

    def _finish(self) -> Run:
        if self.network.spec.out_dim != 2:
            features, _ = self._infer(self.pixels[:_AXES_SAMPLE])
            start_map(
                self.network, torch.from_numpy(features).to(self.plan.device.target), "pca"
            )
        self.reporter.say("placing all patches")
        features, embedding = self._infer(self.pixels, final=True)
        if not np.isfinite(embedding).all():
            raise TrainingError(
                "Training became unstable and the map holds no numbers; choose another seed or "
                "a larger batch size under More."
            )
        self.reporter.say("measuring quality")
        metrics = evaluate(embedding, self.patches.labels)
        seconds = time.monotonic() - self.reporter.began
        return Run(
            config=self.config,
            network=self.network.cpu().eval(),
            embedding=embedding,
            features=features,
            table=self.patches.table,
            images=ImageKind.of(self.patches),
            name=self.patches.name,
            origin=self.patches.origin,
            skipped=tuple(self.patches.skipped),
            symmetries=list(self.symmetries),
            metrics=metrics,
            history=self.reporter.history(),
            complete=not self.stopped,
            info={
                "device": self.plan.device.reason,
                "half": str(self.plan.device.half).removeprefix("torch.")
                if self.plan.device.half
                else None,
                "batch_size": self.plan.batch_size,
                "stages": [stage.to_dict() for stage in self.plan.recipe.stages],
                "steps": self.steps_made,
                "epochs": [
                    n * self.plan.batch_size / len(self.patches) for n in self.steps_made
                ],
                "seconds": round(seconds, 2),
            },
        )


class _Snapshots:
    """When the map is looked at during training, and how it is turned to stay put."""

    def __init__(self, seconds: float | None) -> None:
        self._every = seconds
        self._next = time.monotonic()
        self._last: np.ndarray | None = None

    @property
    def due(self) -> bool:
        return self._every is not None and time.monotonic() >= self._next

    @contextmanager
    def timed(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        now = time.monotonic()
        self._next = now + max(self._every or 0.0, (now - began) / _SNAPSHOT_SHARE)

    def lay_flat(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs in 2-D; main axes keep their sign from one look to the next."""
        if outputs.shape[1] == 2:
            return outputs
        centred = outputs - outputs.mean(axis=0)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        flat = centred @ vectors[:, [-1, -2]]
        if self._last is not None:
            flat *= np.where((flat * self._last).sum(axis=0) < 0, -1, 1)
        self._last = flat
        return flat.astype(np.float32)
