"""What the network of a run looks at in its patches, as maps and as pictures."""

from __future__ import annotations

import copy

import numpy as np
import torch

from napari_patchmap.errors import RunError
from napari_patchmap.explore.heat import heat_over
from napari_patchmap.networks import Network
from napari_patchmap.networks.attention import Attended, attend
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.fit import same_aspect
from napari_patchmap.runs.network_file import whole_network
from napari_patchmap.runs.placing import prepared_as
from napari_patchmap.runs.run import Run

#: Patches whose mean features stand for the set.
_SOME = 64


class WhatItSees:
    """Says where the network of a run looks; may be asked by one thread at a time.

    Parameters
    ----------
    run : Run
        Its network is copied, and stays as it is.
    patches : PatchSet
        Of the kind that the run was made of.

    Raises
    ------
    RunError
        If the run has no network that looks at images.
    """

    def __init__(self, run: Run, patches: PatchSet) -> None:
        if not run.sees_images:
            raise RunError(
                f"{run.name} was made of features of your own, so there is no network that "
                "looks at its images; train a map of them to see what one looks at."
            )
        self._patches, self._run = patches, run
        self._network: Network | None = None
        self._pixels = PatchPixels(prepared_as(run, patches), run.network.spec.size)
        self._symmetries = run.symmetries
        self._centre: torch.Tensor | None = None

    def attended(self, indices: np.ndarray) -> Attended:
        """Say where the network looks in some patches, (m,), at training size.

        Raises
        ------
        PatchError
            If one of them cannot be read.
        RunError
            If the network cannot be had.
        """
        if self._network is None:
            self._network = copy.deepcopy(whole_network(self._run))
        if self._centre is None:
            spread = self._patches.spread()
            some = spread[np.linspace(0, len(spread) - 1, min(_SOME, len(spread))).astype(int)]
            features, _ = infer(
                self._network,
                self._pixels[torch.from_numpy(some)],
                symmetries=self._symmetries,
            )
            self._centre = torch.from_numpy(features.mean(axis=0))
        wanted = torch.from_numpy(np.asarray(indices, np.int64))
        return attend(self._network, self._pixels[wanted], self._centre, self._symmetries)

    def picture(self, index: int, side: int) -> np.ndarray:
        """Return a patch as a picture with what the network looks at on it.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3), longer side ``side`` pixels
        """
        return self.over(index, side, self.attended(np.array([index])).maps[0])

    def over(self, index: int, side: int, weights: np.ndarray) -> np.ndarray:
        """Lay a map of a patch, at training size, over its picture."""
        patches = self._patches
        shown = patches.thumbnail(index, side)
        own = tuple(patches.images.sizes[index].tolist())
        if not same_aspect(own, weights.shape):
            # The network sees the patch cut or with a border: that is what is shown, then.
            seen = self._pixels[torch.tensor([index])].permute(0, 2, 3, 1).numpy()
            shown = patches.picture(seen)[0]
        return heat_over(shown, weights)
