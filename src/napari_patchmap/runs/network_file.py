"""The network of a run in its folder: whole, or what it learned beside published weights."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from safetensors.torch import load_file, save
from torch import Tensor

from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.networks import Network
from napari_patchmap.networks.fine_tuned import PUBLISHED
from napari_patchmap.networks.trained.learned_on import LearnedOn
from napari_patchmap.networks.trained.loading import load_again
from napari_patchmap.runs.run_parts import RunParts
from napari_patchmap.writing import write_whole

#: In front of the names of weights that came with a trained network.
_CAME = "backbone.net."

#: One thread at a time gets what is missing.
_getting = Lock()


def write_network(network: Network, path: Path) -> None:
    """Write the weights of a network, those apart that are published and never moved."""
    rests = isinstance(network.backbone, LearnedOn) and network.backbone.rests
    weights = {
        name: value.contiguous()
        for name, value in network.state_dict().items()
        if not (rests and name.startswith(_CAME))
    }
    write_whole(path, save(weights))


def read_network(network: Network, path: Path) -> None:
    """Read what :func:`write_network` wrote; published weights wait until they are wanted.

    What a damaged file raises is left to the caller.
    """
    weights, backbone = load_file(path), network.backbone
    if isinstance(backbone, LearnedOn) and len(backbone.low_rank):
        came = _weights_that_came(network)
        if weights.keys() & came.keys():
            backbone.low_rank.call_merged()
        else:
            weights |= came
            backbone.rests = backbone.lacks_weights = True
    network.load_state_dict(weights)


def _weights_that_came(network: Network) -> dict[str, Tensor]:
    return {k: v for k, v in network.state_dict().items() if k.startswith(_CAME)}


def whole_network(run: RunParts) -> Network:
    """Return the network of a run; published weights that its folder leaves out are got first.

    Raises
    ------
    RunError
        If they cannot be had, or are others than those on which it learned.
    """
    network, given = run.network, run.config.train.weights
    backbone = network.backbone
    # The place of a file of weights is noted whole.
    file = None if given in (None, PUBLISHED) else str(run.info.get("weights") or given)
    with _getting:
        if isinstance(backbone, LearnedOn) and backbone.lacks_weights:
            try:
                load_again(backbone, file)
            except ConfigError as error:
                raise RunError(
                    f"{run.name} keeps what was learned beside {backbone.record.name}, not "
                    f"that network itself, which cannot be had: {error}"
                ) from None
            backbone.finish(rests=True)
            backbone.lacks_weights = False
    return network
