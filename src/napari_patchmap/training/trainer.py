"""Training a map: stages, progress, stopping, resuming; no display needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from napari_patchmap.errors import TrainingError
from napari_patchmap.lock import alone_in
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.networks.device import choose_device
from napari_patchmap.networks.out_of_memory import free_cached_memory, is_out_of_memory
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.checkpoint import (
    check_ours,
    check_same_settings,
    read_state,
    state_file,
)
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.budget.pace import Clock
from napari_patchmap.training.budget.speeds import remember, saving_of
from napari_patchmap.training.checkpoints import Checkpoints
from napari_patchmap.training.control import Control, ends_training
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.given_features import check_seen
from napari_patchmap.training.kept import Kept
from napari_patchmap.training.malloc import keep_freed_memory
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.planning import make_plan
from napari_patchmap.training.progress import ProgressCallback, StopCallback
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.run_setup import RunSetup
from napari_patchmap.training.session import Session
from napari_patchmap.training.snapshots import Snapshots

#: The longest saving, in seconds, that later budgets leave room for.
_LONGEST_SAVING = 10.0


def fit(
    patches: PatchSet,
    config: RunConfig | None = None,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    progress: ProgressCallback | None = None,
    should_stop: StopCallback | None = None,
    should_pause: StopCallback | None = None,
    should_leave: StopCallback | None = None,
    plan: Plan | None = None,
    planned: Callable[[Plan], None] | None = None,
    snapshot_seconds: float | None = None,
    spent: float = 0.0,
) -> Run:
    """Train a map of the patches.

    Parameters
    ----------
    patches : PatchSet
    config : RunConfig, optional
        All settings; defaults decide by themselves. A run that is resumed keeps
        those it was started with.
    folder : path, optional
        Folder of the run. Checkpoints are written there now and then, for
        ``resume``; the run itself is written by :meth:`Run.save`.
    resume : bool
        Go on from the last checkpoint in ``folder``, with the network, batch and
        schedule that were planned, also on another device or with less memory. When
        epochs are followed, the result on a CPU is that of an uninterrupted run, bit
        for bit.
    progress : callable, optional
        Called with a :class:`Progress` about twice a second, in this thread.
    should_stop : callable, optional
        Asked before every step; True ends training and returns what was learned. Asked as
        well while the run is planned, when there is nothing to return.
    should_pause : callable, optional
        Asked before every step; training waits as long as it says True.
    should_leave : callable, optional
        Asked before every step, while the run is planned, and while a map is being made of
        what was learned; True writes a checkpoint, if steps were being made, and ends
        without a map.
    plan : Plan, optional
        Of these patches by these settings, made before; it is followed while it holds.
    planned : callable, optional
        Called with the plan that is followed.
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
        If these patches cannot be mapped, the device failed (out of memory
        included), or a run is resumed with other images. Always one sentence that
        says what to do.
    TrainingStopped
        If ``should_leave`` said so, or ``should_stop`` before the run was planned.
    RunError
        If there is nothing to resume in ``folder``, or with other settings, or
        another process trains the run in ``folder`` just now, or checkpoints there are
        another program's.

    Examples
    --------
    >>> from napari_patchmap.patches import bundled_cells
    >>> from napari_patchmap.runs import RunConfig, TrainConfig
    >>> from napari_patchmap.training import fit
    >>> run = fit(bundled_cells(), RunConfig(TrainConfig(method="pixels", seed=1)))
    >>> run.embedding.shape, run.complete, run.metrics["knn"]["accuracy"] > 0.5
    ((2000, 2), True, True)
    >>> run.save("pixels").name
    'pixels'
    """
    folder = Path(folder).expanduser().resolve() if folder is not None else None
    if folder is not None:
        check_ours(folder)
    saved = None
    if resume:
        if folder is None:
            raise TrainingError("To resume a run, name its folder.")
        saved = read_state(state_file(folder))
        before = RunConfig.from_dict(saved["config"])
        if config is not None:
            check_same_settings(before, config, folder)
        config = config or before
        spent += saved["seconds"]
    config = config or RunConfig()
    check_seen(patches, METHODS[config.train.method])
    clock = Clock(spent)
    ranks = Ranks.from_environment(config.train.device)
    kept = None if saved is None else Kept.of(saved)
    device = choose_device(ranks.device if ranks.world > 1 else config.train.device)
    cores = Cores(device.is_cpu and ranks.world == 1)
    control = Control(should_stop, should_pause, should_leave, clock, ranks)
    with ends_training(), cores.chosen(control.planning):
        fresh = ranks.world == 1 and kept is None
        if plan is None or not (fresh and plan.holds(patches, config)):
            plan = make_plan(patches, config, ranks, kept, control.planning)
        if planned is not None:
            planned(plan)
        if plan.device.is_cpu:
            keep_freed_memory()
        reporter = Reporter(progress if ranks.is_main else None, clock, plan)
        cores.tell(reporter.note)
        checkpoints = Checkpoints(
            folder if ranks.is_main else None, config.train.checkpoint_every, reporter.note
        )
        alone = alone_in(folder) if folder is not None and ranks.is_main else nullcontext()
        with alone, _sentences(plan, patches), _own_randomness(config.train.seed):
            setup = RunSetup(
                patches=patches,
                plan=plan,
                folder=folder,
                reporter=reporter,
                clock=clock,
                control=control,
                checkpoints=checkpoints,
                snapshots=Snapshots(snapshot_seconds),
                ranks=ranks,
                cores=cores,
            )
            try:
                return Session(setup, saved).run()
            finally:
                ranks.close()


def save_run(run: Run, folder: str | Path) -> Path:
    """Save a run by :meth:`Run.save`; the next plan knows how long that takes here."""
    began = time.monotonic()
    saved = run.save(folder)
    # A drive that stalled once must not eat the budgets to come.
    remember({saving_of(len(run)): min(time.monotonic() - began, _LONGEST_SAVING)})
    return saved


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Seed torch's global generator for a run, and give the caller's state back."""
    gpus = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(gpus):
        torch.manual_seed(seed)
        yield


@contextmanager
def _sentences(plan: Plan, patches: PatchSet) -> Iterator[None]:
    """Turn what a device can fail with into a sentence, and give its memory back."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        where = plan.device.reason
        if is_out_of_memory(error):
            raise TrainingError(
                f"There is not enough memory for {len(patches):,} patches at {plan.size[1]} x "
                f"{plan.size[0]} px ({where}); close other programs, choose a smaller longest "
                "side or batch size, or let pixels be streamed under More."
            ) from None
        text = str(error).strip()
        reason = text.splitlines()[0] if text else "no reason given"
        raise TrainingError(f"Training failed on {where}: {reason}") from error
    finally:
        free_cached_memory()
