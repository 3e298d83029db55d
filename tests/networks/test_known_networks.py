"""Networks that are suggested: each can be made, and what is said of it holds."""

from __future__ import annotations

import pytest
import torch

from napari_patchmap.cli import main
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.trained.cost import costs_of, operations
from napari_patchmap.networks.trained.input_size import channels_of
from napari_patchmap.networks.trained.known_networks import KINDS, NETWORKS, suggested
from napari_patchmap.networks.trained.making import make_net
from napari_patchmap.networks.trained.network_names import check_name
from napari_patchmap.networks.trained.origin import origin_of
from napari_patchmap.networks.trained.trained_features import describe
from napari_patchmap.patches.watch import Watch

MADE = [network for network in NETWORKS if network.architecture]


@pytest.mark.parametrize("network", MADE, ids=lambda network: network.title)
def test_a_network_that_is_suggested_has_the_size_that_is_said(network):
    check_name(network.name)
    origin = origin_of(network)
    record = describe(origin, channels_of(origin.config), (64, 64))
    with torch.device("meta"):
        net = make_net(record, record.takes)
    millions = sum(weight.numel() for weight in net.parameters()) / 1e6
    # The classifier of ImageNet is left out.
    assert network.millions == pytest.approx(millions, rel=0.02, abs=1.4)


def test_every_kind_of_picture_begins_with_one_that_need_not_be_asked_for():
    for kind in KINDS:
        first = suggested(kind)[0]
        assert not first.gated
        assert first.millions < 30


def test_times_go_with_operations_and_only_the_first_transformer_is_tried():
    device = Device(torch.device("cpu"), None, "CPU")
    some = [one for one in MADE if one.title in ("DinoBloom S", "DinoBloom L")]
    small, large = costs_of(some, (28, 28), device).values()
    assert (small.tried, large.tried, small.side) == (True, False, 112)
    records = [describe(origin_of(one), 3, (28, 28)) for one in some]
    ratio = operations(records[1]) / operations(records[0])
    assert large.seconds / small.seconds == pytest.approx(ratio)
    assert 10 < ratio < 16  # 14 times the weights


def test_a_network_is_tried_no_further_when_nobody_waits_for_it():
    asked = iter([False, False])  # before the first network, and before its first pass
    some = [one for one in MADE if one.title == "DinoBloom S"]
    device = Device(torch.device("cpu"), None, "CPU")
    assert costs_of(some, (28, 28), device, Watch(should_stop=lambda: next(asked, True))) == {}


def test_the_command_line_lists_networks_for_a_kind(capsys):
    assert main(["networks", "--for", "tissue", "--no-times"]) == 0
    said = capsys.readouterr().out
    assert "hf-hub:bioptimus/H0-mini" in said
    assert "DinoBloom" not in said
    line = next(line for line in said.splitlines() if "MahmoodLab/UNI " in line + " ")
    assert [word in line for word in ("1,214 MB", "0.5 µm/px", "cc-by-nc-nd-4.0", "yes")] == [
        True
    ] * 4
