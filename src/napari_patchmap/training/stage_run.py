"""One stage of a run: from its first step, or one in its middle, to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_patchmap.methods.layout import nearest_neighbours, tsne_layout
from napari_patchmap.networks.norms import plain_norms, synchronise_norms
from napari_patchmap.training.batches import Batches
from napari_patchmap.training.cache import FeatureCache, cache_features
from napari_patchmap.training.checkpoints import read_features
from napari_patchmap.training.estimate import LAYOUT_SECONDS
from napari_patchmap.training.feed import Fed, feed, to_device
from napari_patchmap.training.fused import Forward, fused, wants_fusing
from napari_patchmap.training.optimisers import make_optimiser
from napari_patchmap.training.pace import Pace
from napari_patchmap.training.seeds import CACHE, ORDER, seed_of
from napari_patchmap.training.step import Gradient, SummedGradient
from napari_patchmap.training.teacher import Teacher

if TYPE_CHECKING:
    from napari_patchmap.training.session import Session

#: Of a stage that draws from cached features, so much of the time is kept for its steps:
#: fewer patches are cached and laid out when time is short.
_STEPS_SHARE = 0.35

#: Share of the time of such a stage that is left when its t-SNE ends at the latest.
_AFTER_LAYOUT = 0.25

#: Share of the steps of a stage in which a new projector learns a given layout.
_LAYOUT_SHARE = 0.8


class StageRun:
    """Trains the network of a session through one stage.

    Parameters
    ----------
    session : Session
    number : int
        Stage, from 0.
    pace : Pace
    """

    def __init__(self, session: Session, number: int, pace: Pace) -> None:
        self.session, self.number, self.pace = session, number, pace
        self.stage = session.plan.recipe.stages[number]
        self.cache: FeatureCache | None = None
        self.layout = torch.empty(0)

    # -- before the first step ---------------------------------------------------------

    def prepare(self, inside: dict[str, Any] | None, folder: Path | None) -> bool:
        """Get ready for the first step, or for the one at which a run was interrupted.

        Parameters
        ----------
        inside : dict or None
            What :meth:`state` returned, of a run that is resumed inside of the stage.
        folder : Path or None
            Where that run is.

        Returns
        -------
        bool
            False if the person stopped the run meanwhile.
        """
        session, stage = self.session, self.stage
        if inside is None:
            if stage.neighbours and not self._fill_cache():
                return False
            if stage.dimensions != session.network.spec.out_dim:
                session.start_map(stage)
        elif stage.neighbours:
            assert folder is not None
            self._read_cache(folder)
        self._make_ready()
        if inside is not None:
            self._restore(inside)
        elif self.cache is not None:
            held = {
                "features": self.cache.features,
                "neighbours": self.cache.neighbours,
                "layout": self.layout,
            }
            session.checkpoints.write(session.state(self.state()), held)
        return True

    def _fill_cache(self) -> bool:
        session, pace = self.session, self.pace
        session.generator.manual_seed(self._seed(CACHE))
        whole = pace.seconds_left  # NaN when epochs are followed: then all patches
        lays_out = session.plan.recipe.start == "tsne"
        made, count = [], 0
        for part in cache_features(
            session.network,
            session.pixels,
            session.symmetries,
            session.generator,
            session.device.half,
        ):
            made.append(part)
            count += len(part)
            left = pace.seconds_left - (LAYOUT_SECONDS * count if lays_out else 0.0)
            late = session.ranks.agree(left < _STEPS_SHARE * whole)
            if session.control.asked_to_stop() or late:
                break
        features, target = torch.cat(made), session.device.target
        wanted = self.stage.neighbours
        neighbours = session.ranks.from_main(
            lambda: torch.from_numpy(nearest_neighbours(features.cpu().numpy(), wanted))
        )
        self.cache = FeatureCache(features, neighbours.to(target))
        if lays_out and not session.control.stopped:
            self.layout = session.ranks.from_main(lambda: self._lay_out(features, whole))
            self.layout = self.layout.to(target)
        return not session.control.asked_to_stop()

    def _lay_out(self, features: Tensor, whole: float) -> Tensor:
        """Coordinates of the cached patches by t-SNE."""
        session, pace = self.session, self.pace
        coordinates = tsne_layout(
            features.cpu().numpy(),
            seed=session.config.train.seed,
            jobs=torch.get_num_threads(),
            # Of this process alone: the others wait for the layout.
            should_stop=lambda: (
                session.control.should_stop() or pace.seconds_left < _AFTER_LAYOUT * whole
            ),
        )
        return torch.from_numpy(coordinates)

    def _read_cache(self, folder: Path) -> None:
        held, device = read_features(folder), self.session.device.target
        self.cache = FeatureCache(held["features"].to(device), held["neighbours"].to(device))
        self.layout = held["layout"].to(device)

    def _make_ready(self) -> None:
        session, network = self.session, self.session.network
        self.optimiser = make_optimiser(self.stage, network)
        scales = session.device.scales_loss
        self.scaler = torch.amp.GradScaler(session.device.target.type) if scales else None
        self.teacher = self._make_teacher()
        make = Gradient if self.teacher is None else SummedGradient
        self.gradient = make(
            network,
            session.ranks,
            parts=session.parts,
            note=session.reporter.note,
            scaler=self.scaler,
        )
        count = len(session.pixels) if self.cache is None else len(self.cache)
        self.batches = Batches(count, session.plan.batch_size, self._seed(ORDER))
        if session.ranks.world > 1:
            synchronise_norms(network)
        network.train()
        if self.stage.trains != "all":
            network.backbone.train(self.cache is None)
        self.fused = self._fuse()

    def _make_teacher(self) -> Teacher | None:
        """Make the teacher of a stage that has one, from the network as it is."""
        session, settings = self.session, self.stage.distillation
        if settings is None:
            return None
        maker = session.maker
        return Teacher(
            session.network,
            settings,
            session.config.augment,
            is_rgb=maker.is_rgb,
            fill=maker.fill,
        )

    def _fuse(self) -> Forward | None:
        """Compile the network, if this stage trains all of it and it is worth while."""
        session, stage = self.session, self.stage
        whole = stage.trains == "all" and session.parts == 1 and session.ranks.world == 1
        whole = whole and self.teacher is None
        seconds = session.plan.stage_seconds(self.number)
        wanted = wants_fusing(session.config.train.compile, session.device, seconds)
        if not (whole and wanted):
            return None
        session.reporter.say("trying faster kernels")
        spec, device = session.network.spec, session.device.target
        shape = (2 * self.batches.batch_size, spec.channels, *spec.size)
        views = torch.rand(shape, device=device).contiguous(memory_format=torch.channels_last)
        return fused(session.network, views, session.device)

    # -- interruptions -----------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to go on inside of this stage."""
        return {
            "pace": self.pace.state(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "teacher": None if self.teacher is None else self.teacher.state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.optimiser.load_state_dict(state["optimiser"])
        if self.scaler is not None and state["scaler"] is not None:
            self.scaler.load_state_dict(state["scaler"])
        if self.teacher is not None:
            self.teacher.restore(state["teacher"])
        self.pace.restore(state["pace"])
        self.batches.skip(self.pace.done)

    # -- the steps ---------------------------------------------------------------------

    def train(self) -> None:
        """Make all steps that are left."""
        session, ranks = self.session, self.session.ranks
        with self._stream() as stream:
            while not (ranks.agree(self.pace.finished) or session.control.asked_to_stop()):
                self._step(next(stream))
                if session.snapshots.due:
                    session.take_snapshot()
                if session.checkpoints.due:
                    session.checkpoints.write(session.state(self.state()))
        if session.control.stopped:
            session.checkpoints.write(session.state(self.state()))
        session.reporter.end_stage()
        plain_norms(session.network)
        if self.teacher is not None:  # whose features are steadier than the student's
            session.network.load_state_dict(self.teacher.network.state_dict())
        session.recalibrate()

    def _step(self, fed: Fed) -> None:
        session = self.session
        fraction = session.ranks.broadcast_number(self.pace.fraction)
        lr = self.stage.learning_rate(fraction)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        session.maker.strength = self.stage.augmentation_strength(fraction)
        chosen, pixels = fed
        self.optimiser.zero_grad(set_to_none=True)
        if self.teacher is not None:
            loss = self._learn_from(self.teacher, pixels, fraction)
        elif self.cache is None:
            loss = self._compare_views(pixels)
        else:
            loss = self._compare_cached(chosen, learns_layout=fraction < _LAYOUT_SHARE)
        session.parts = self.gradient.parts
        session.ranks.sum_gradients(session.network.parameters())
        if self.scaler is None:
            self.optimiser.step()
        else:
            self.scaler.step(self.optimiser)
            self.scaler.update()
        if self.teacher is not None:
            self.teacher.after_step(fraction)
        self.pace.advance()
        session.reporter.step(loss, lr, self.pace, self.batches.batch_size)

    def _compare_views(self, pixels: Tensor) -> Tensor:
        """Gradients of the loss of two new views of each patch."""
        session, seed = self.session, self._seed(self.pace.done)

        def produce(part: slice) -> Tensor:
            views = self._views(pixels, part, seed)
            with self._autocast():
                if self.fused is not None and len(views) == 2 * len(pixels):
                    return self.fused(views)
                moves = torch.is_grad_enabled() and self.stage.trains == "all"
                with torch.set_grad_enabled(moves):
                    features = session.network.features(views)
                return session.network.project(features)

        return self.gradient.compute(produce, len(pixels), self.stage.loss)

    def _learn_from(self, teacher: Teacher, pixels: Tensor, fraction: float) -> Tensor:
        """Gradients of the difference between what student and teacher say."""
        session, seed = self.session, self._seed(self.pace.done)

        def produce(part: slice) -> Tensor:
            if part.start == 0:
                teacher.forget_batch()
            session.generator.manual_seed(seed)
            return teacher.loss(pixels, part, session.generator, self._autocast(), fraction)

        loss = self.gradient.compute(produce, len(pixels), self.stage.loss)
        if self.scaler is not None:
            self.scaler.unscale_(self.optimiser)
        epoch = self.pace.done * self.batches.batch_size / len(session.pixels)
        teacher.before_step(self.optimiser, fraction, epoch)
        return loss

    def _views(self, pixels: Tensor, part: slice, seed: int) -> Tensor:
        """Two views of some patches of a batch, the first ones first."""
        session, some, batch = self.session, pixels[part], len(pixels)
        session.generator.manual_seed(seed)
        views = [session.maker(some, session.generator, part=part, batch=batch) for _ in "12"]
        return torch.cat(views).contiguous(memory_format=torch.channels_last)

    def _compare_cached(self, chosen: Tensor, *, learns_layout: bool) -> Tensor:
        """Gradients of the distance to the layout, or of the loss of cached neighbours."""
        assert self.cache is not None
        session = self.session
        chosen = to_device(chosen, session.device.target)
        session.generator.manual_seed(self._seed(self.pace.done))
        pairs = self.cache.pairs(chosen, session.generator)
        targets = self.layout[pairs] if learns_layout and len(self.layout) else None
        first, second = self.cache.features[pairs].chunk(2)

        def produce(part: slice) -> Tensor:
            with self._autocast():
                return session.network.project(torch.cat([first[part], second[part]]))

        def criterion(outputs: Tensor) -> Tensor:
            if targets is None:
                return self.stage.loss(outputs)
            return nn.functional.smooth_l1_loss(outputs, targets)

        return self.gradient.compute(produce, len(chosen), criterion)

    # -- small parts -------------------------------------------------------------------

    def _stream(self) -> AbstractContextManager[Iterator[Fed]]:
        """Batches as they are wanted; of cached features, the indices are enough."""
        session = self.session
        if self.cache is None:
            return feed(self.batches, session.pixels, session.device.target)
        return nullcontext((chosen, chosen) for chosen in iter(self.batches.draw, None))

    def _seed(self, place: int) -> int:
        return seed_of(self.session.config.train.seed, self.number, place)

    def _autocast(self) -> torch.autocast:
        device = self.session.device
        return torch.autocast(
            device.target.type, dtype=device.half, enabled=device.half is not None
        )
