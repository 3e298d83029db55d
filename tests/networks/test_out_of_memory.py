"""Memory that ends costs no features, and giving it back destroys nothing of Qt's."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
import torch

from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.inference import infer, recalibrate
from napari_patchmap.networks.out_of_memory import free_cached_memory


class Cycle:
    """Only the garbage collector finds it; it says in which thread it went."""

    def __init__(self, gone: list[str]) -> None:
        self.own, self.gone = self, gone

    def __del__(self) -> None:
        self.gone.append(threading.current_thread().name)


@pytest.fixture
def _no_collection_by_itself():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection_by_itself")
def test_cycles_are_looked_for_in_the_main_thread_alone():
    gone: list[str] = []
    Cycle(gone)
    other = threading.Thread(target=free_cached_memory, name="training")
    other.start()
    other.join()
    assert gone == []
    free_cached_memory()
    assert gone == [threading.main_thread().name]


def network_of_norms() -> tuple[Network, list[torch.nn.Module]]:
    torch.manual_seed(0)
    spec = NetworkSpec("resnet18-small-kernel", 3, (12, 12), hidden=(8,), norm=True, out_dim=2)
    network = Network(spec)
    kinds = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    return network, [m for m in network.modules() if isinstance(m, kinds)]


def pixels(count: int) -> torch.Tensor:
    made = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, 12, 12), generator=made, dtype=torch.uint8)


def short_of_memory(network: Network, most: int):
    """Let no more than so many patches through the backbone at once."""

    def refuse(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if len(given[0]) > most:
            raise RuntimeError("could not create a primitive")  # as oneDNN says it

    return network.backbone.register_forward_pre_hook(refuse)


def test_features_and_statistics_are_the_same_where_memory_is_short():
    network, norms = network_of_norms()
    recalibrate(network, pixels(64))
    features, outputs = infer(network, pixels(64))
    means = norms[0].running_mean.clone()
    assert means.abs().max() > 0.01

    short_of_memory(network, 20)
    np.testing.assert_allclose(infer(network, pixels(64))[0], features, rtol=1e-4, atol=1e-5)
    recalibrate(network, pixels(64))
    # The first normalisation sees what is linear in the patches: its mean knows no parts.
    torch.testing.assert_close(norms[0].running_mean, means, rtol=1e-4, atol=1e-5)
    assert all(int(norm.num_batches_tracked) == 4 for norm in norms)
    np.testing.assert_allclose(infer(network, pixels(64))[1], outputs, rtol=0.5, atol=0.5)


def test_too_little_memory_for_any_statistics_is_no_endless_try():
    network, _ = network_of_norms()
    short_of_memory(network, 1)
    with pytest.raises(RuntimeError, match="primitive"):
        recalibrate(network, pixels(16))
