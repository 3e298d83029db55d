"""What must hold on a GPU; run by ``tests/training/test_pretended_gpu.py``."""

from __future__ import annotations

import gc
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from openTSNE.affinity import PerplexityBasedNN
from sklearn.neighbors import NearestNeighbors

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.augment.both_views import BothViews, pair_of
from napari_patchmap.errors import TrainingError
from napari_patchmap.layout.device_forces import DeviceForces
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.networks.device import has_bfloat16
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, fused, make_plan, muon
from napari_patchmap.training.budget import estimate
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.stage_run import StageRun
from tests.conftest import Steps, make_cells
from tests.narrow import narrow
from tests.pretended_gpu import pretend

EPOCHS = {"tsimcne": (2.0, 1.0, 1.0), "simclr": (2.0,), "dino": (2.0,)}
PRESETS = {"tsimcne": "rotations", "simclr": "histology", "dino": "dino"}


@pytest.fixture(scope="module")
def cells():
    return make_cells(40, side=8)


@pytest.fixture(autouse=True)
def _as_fast_as_this_cpu(monkeypatch):
    """Train narrow networks, and compute Muon's matrices as the CPU behind this GPU can."""
    narrow(monkeypatch)
    cpu = has_bfloat16(torch.device("cpu"))
    monkeypatch.setattr(muon, "has_bfloat16", lambda device: cpu)
    monkeypatch.setattr(estimate, "_HOLDS", np.inf)


@pytest.fixture(scope="module", autouse=True)
def _few_objects_to_sift(cells):
    """Leave what libraries made out of the collections that each training ends with."""
    fit(cells, config())  # which imports what it needs
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _enough_memory():
    yield
    pretend.set_memory()


def config(method="tsimcne", **changes) -> RunConfig:
    train = {
        "method": method,
        "device": "cuda",
        "precision": "float32",
        "backbone": "compact",
        "epochs": EPOCHS[method],
        "batch_size": 20,
        "seed": 1,
        "compile": "off",
        **changes,
    }
    return RunConfig(TrainConfig(**train), AugmentConfig.preset(PRESETS[method]))


def on_the_cpu(settings: RunConfig) -> RunConfig:
    return replace(settings, train=settings.train.replace(device="cpu"))


def test_a_gpu_is_chosen_and_named(cells):
    plan = make_plan(cells, config(device="auto", precision="auto"))
    assert plan.device.target.type == "cuda"
    assert plan.device.reason == "GPU pretended, bfloat16"


@pytest.mark.parametrize("method", EPOCHS)
def test_a_run_learns_what_it_learns_on_the_cpu(cells, method):
    settings = config(method)
    here = fit(cells, on_the_cpu(settings))
    there = fit(cells, settings, snapshot_seconds=0.0)
    assert there.info["device"] == "GPU pretended, float32 (as set)"
    # The same random numbers: what differs is the order in which numbers are added up.
    first = [run.history["loss"].iloc[0] for run in (here, there)]
    assert first[0] == pytest.approx(first[1], rel=2e-3)
    assert np.isfinite(there.embedding).all()
    assert there.network.device.type == "cpu"


@pytest.mark.parametrize("method", EPOCHS)
def test_float16_gives_a_map(cells, method):
    run = fit(cells, config(method, precision="float16"))
    assert np.isfinite(run.embedding).all()
    assert np.isfinite(run.history["loss"]).all()


def test_further_patches_are_placed_on_the_gpu_or_where_there_is_room(cells):
    run = fit(cells, config(precision="bfloat16"))
    weights = sum(value.nbytes for value in run.network.state_dict().values())
    pretend.most_used()
    placed = run.transform(cells)
    assert pretend.most_used() > weights
    # The network that was trained there has another order in memory, which rounds otherwise.
    assert np.allclose(placed, run.embedding, atol=0.1 * np.ptp(run.embedding))
    assert run.network.device.type == "cpu"
    pretend.set_memory(weights // 2)
    assert np.allclose(run.transform(cells), run.embedding, atol=0.1 * np.ptp(run.embedding))
    pretend.set_memory()
    pretend.most_used()
    replace(run, config=on_the_cpu(run.config)).transform(cells)
    assert pretend.most_used() == 0


@pytest.mark.parametrize(
    "changes",
    [
        *({"method": method, "precision": "bfloat16"} for method in EPOCHS),
        {"method": "simclr", "precision": "float16", "optimiser": "sgd"},
        *(
            {"method": "simclr", "precision": "bfloat16", "optimiser": name}
            for name in ("adamw", "lars", "lamb")
        ),
        {"method": "simclr", "precision": "bfloat16", "pixels": "stream"},
        {"method": "simclr", "precision": "float32", "compile": "on"},
    ],
    ids=lambda changes: "-".join(changes.values()),
)
def test_no_step_waits_for_the_gpu_and_there_is_a_map(cells, changes, monkeypatch):
    monkeypatch.setattr(fused, "_GAIN", np.inf)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    waits: dict[str, int] = {}

    def watched(work):
        def watching(*args):
            with pretend.watched() as places:
                done = work(*args)
            for place, count in places.items():
                waits[place] = waits.get(place, 0) + count
            return done

        return watching

    steps = StageRun.steps

    def watched_steps(self):  # their patches are fetched in between
        made = steps(self)
        following = watched(lambda: next(made, None))
        with closing(made):
            yield from iter(following, None)

    monkeypatch.setattr(StageRun, "steps", watched_steps)
    monkeypatch.setattr(Reporter, "step", watched(Reporter.step))
    run = fit(cells, config(**changes))
    # The loss of an epoch is fetched at its end, and a colour is sent once.
    assert waits.pop("views.colour_on: copy to the GPU", 0) <= 3
    assert waits == {"reporter._end_epoch: value": len(run.history)}
    assert np.isfinite(run.embedding).all()
    assert np.isfinite(run.history["loss"]).all()


def test_views_that_are_compiled_for_a_gpu_are_the_plain_ones():
    patches = torch.randint(256, (9, 3, 12, 16), dtype=torch.uint8).cuda()
    maker = ViewMaker(AugmentConfig.preset("histology"), is_rgb=True, fill=[9, 90, 200])
    both, lot = BothViews(maker), torch.Generator("cuda")
    for seed in range(3):
        maker.strength = 1 - seed / 10
        wanted = pair_of(maker, patches, lot.manual_seed(seed))
        with pretend.watched() as places:
            found = both(patches, lot.manual_seed(seed))
        torch.testing.assert_close(found.cpu(), wanted.cpu(), atol=5e-5, rtol=0)
        # The order of colour changes is a table that is sent once.
        assert dict(places) == ({} if seed else {"both_views.__call__: copy to the GPU": 1})


def test_pixels_are_read_while_the_gpu_computes(cells):
    kept, streamed = (fit(cells, config(pixels=where)) for where in ("memory", "stream"))
    assert np.array_equal(kept.embedding, streamed.embedding)


def train(cells, settings, folder, *, until: int, resume: bool = False):
    """Train up to a step of the first stage and leave a checkpoint."""
    stop = Steps(until - (4 if resume else 0))
    run = fit(cells, settings, folder=folder, resume=resume, **stop.given)
    assert run.info["steps"] == [until]
    return run.network.state_dict()


# Muon's products of half precision take minutes here; test_optimisers.py tells of it.
@pytest.mark.parametrize("optimiser", ["sgd", "adamw", "lars", "lamb"])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(cells, tmp_path, optimiser):
    settings = config(epochs=(6.0, 1.0, 1.0), optimiser=optimiser)
    whole = train(cells, settings, tmp_path / "whole", until=8)
    train(cells, settings, tmp_path / "run", until=4)
    resumed = train(cells, settings, tmp_path / "run", until=8, resume=True)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("devices", [("cpu", "cuda"), ("cuda", "cpu")], ids="-".join)
@pytest.mark.parametrize(
    ("optimiser", "precision"),
    [("sgd", "float16"), ("adamw", "float16"), ("lamb", "float32")],
)
def test_a_run_goes_on_on_the_other_device(cells, tmp_path, devices, optimiser, precision):
    first, second = (
        config(epochs=(6.0, 1.0, 1.0), optimiser=optimiser, precision=precision, device=name)
        for name in devices
    )
    train(cells, first, tmp_path, until=4)
    weights = train(cells, second, tmp_path, until=8, resume=True)
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.parametrize(
    ("kind", "given"), [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.AdamW, {})]
)
def test_fused_kernels_refuse_another_order_in_memory(kind, given):
    """Otherwise nothing here says that a checkpoint can be resumed on a GPU."""
    weight = torch.nn.Parameter(torch.randn(4, 3, 2, 2, device="cuda"))
    optimiser = kind([weight], lr=0.1, fused=True, **given)
    weight.grad = torch.ones_like(weight)
    optimiser.step()
    for name, value in optimiser.state[weight].items():
        if value.dim():
            value = value.contiguous(memory_format=torch.channels_last)
            optimiser.state[weight][name] = value
    with pytest.raises(RuntimeError, match="same dtype, device, and layout"):
        optimiser.step()


def test_memory_that_others_take_makes_parts_and_not_an_error():
    cells = make_cells(40)  # large enough that views take most of the memory
    settings = config("simclr", batch_size=40, epochs=(12.0,))  # the last ones of whole views
    pretend.most_used()
    alone, most, notes = fit(cells, settings), pretend.most_used(), []

    def watch(progress):
        notes.append(progress.note)
        if progress.epoch >= 1 and len(notes) < 5:
            pretend.set_memory(int(0.8 * most))

    run = fit(cells, settings, progress=watch)
    assert run.complete
    assert alone.info["parts"] == 1
    assert run.info["parts"] == 2
    assert any(note and "in 2 parts" in note for note in notes)
    assert run.history["loss"].iloc[-1] == pytest.approx(
        alone.history["loss"].iloc[-1], rel=0.1
    )


def test_too_little_memory_is_one_sentence(cells):
    pretend.set_memory(4 << 20)
    with pytest.raises(TrainingError, match=r"not enough free memory .*GPU pretended") as error:
        fit(cells, config("simclr", backbone="resnet18"))
    assert "smaller backbone" in str(error.value)


@pytest.mark.parametrize("method", EPOCHS)
def test_memory_is_given_back_however_a_run_ends(cells, method):
    def stop(progress):
        raise KeyboardInterrupt

    make_plan(cells, config(method))
    gc.collect()
    before = pretend.used()
    fit(cells, config(method))
    gc.collect()
    assert pretend.used() == before
    with pytest.raises(KeyboardInterrupt):
        fit(cells, config(method), progress=lambda p: p.epoch >= 1 and stop(p))
    gc.collect()
    assert pretend.used() == before


def test_kernels_that_cannot_be_fused_are_left_alone(cells):
    # There is no compiler for this GPU.
    assert fit(cells, config("simclr", compile="on")).complete


def test_tensors_of_two_devices_are_refused():
    """Otherwise nothing here says anything about a GPU."""
    with pytest.raises(RuntimeError, match="devi"):
        torch.ones(3, device="cuda") + torch.ones(3)
    with pretend.watched() as places:
        assert float(torch.ones((), device="cuda")) == 1
    assert sum(places.values()) == 1


def test_a_tsne_is_laid_out_there_as_on_the_cpu():
    features = 5 * np.eye(6)[np.repeat(np.arange(4), 60)]
    features += np.random.default_rng(0).normal(size=features.shape)
    tsne, gpu = Tsne(metric="cosine", iterations=100), torch.device("cuda")
    here, there = tsne.lay_out(features), tsne.lay_out(features, device=gpu)
    near = [
        NearestNeighbors(n_neighbors=10).fit(m).kneighbors()[1] // 60 for m in (here, there)
    ]
    own = np.arange(len(features))[:, None] // 60
    assert abs((near[0] == own).mean() - (near[1] == own).mean()) < 0.01
    np.testing.assert_array_equal(there, tsne.lay_out(features, device=gpu))
    on_grid = DeviceForces(gpu, paired=0)
    similar = PerplexityBasedNN(features, perplexity=20, random_state=0).P
    by_pairs = DeviceForces(torch.device("cpu"))
    for places in (here, 0.01 * here):
        forces = [f(places.astype(float), similar)[1] for f in (on_grid, by_pairs)]
        assert np.abs(forces[0] - forces[1]).max() < 0.01 * np.abs(forces[1]).max()
