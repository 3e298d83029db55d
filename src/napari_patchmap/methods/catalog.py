"""All methods by name."""

from __future__ import annotations

from napari_patchmap.methods import (
    dino,
    features_tsne,
    pixels_tsne,
    pretrained_tsne,
    simclr,
    tsimcne,
)
from napari_patchmap.methods.method import Method

#: In the order in which they are offered; each has a file of its own.
METHODS: dict[str, Method] = {
    module.METHOD.name: module.METHOD
    for module in (tsimcne, simclr, dino, pixels_tsne, pretrained_tsne, features_tsne)
}
