"""The first step, offered as one button: what is open in napari, or the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget

from napari_patchmap.patches import Kind
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.basics import column, label, set_look
from napari_patchmap.plugin.source.slider_link import PICTURES

#: A stack with fewer planes is rather channels or a small volume than patches.
_FEW = 16

#: Objects of Labels layers with more pixels are not counted, in the interest of the disk.
_COUNTED = 2**28

#: Letters of a layer's name that a button has room for.
_NAME = 22


@dataclass(frozen=True)
class Proposal:
    """What could be loaded by one click."""

    kind: Kind
    image: str = ""  # name of the Image layer, "" for the sample
    objects: str = ""  # name of the Labels layer, "" for none
    count: int | None = None  # how many patches that would be, as far as is known

    @property
    def sentence(self) -> str:
        """What the button says."""
        many = "" if self.count is None else f"{self.count:,} "
        if self.kind is Kind.OBJECTS:
            return (
                f"Use the {many}objects of Labels '{_short(self.objects)}'\n"
                f"on Image '{_short(self.image)}'"
            )
        if self.kind is Kind.LAYER:
            return f"Use the {many}planes\nof Image '{_short(self.image)}'"
        return "Try it with 2,000 blood cells"

    @property
    def tip(self) -> str:
        """What a click would do."""
        if self.kind is Kind.OBJECTS:
            return "<qt>Cut out one patch around each object and load them.</qt>"
        if self.kind is Kind.LAYER:
            return "<qt>Take every plane of this stack as a patch.</qt>"
        return "<qt>Load the sample: real blood cells of 8 kinds that come with Patchmap.</qt>"


def propose(layers: Sequence[Layer]) -> Proposal | None:
    """Say which open layers patches could come from, the topmost first; None if none."""
    images = [ly for ly in reversed(layers) if _is_theirs(ly, Image)]
    for objects in (ly for ly in reversed(layers) if _is_theirs(ly, Labels)):
        fitting = [image for image in images if _plane(image) == _plane(objects)]
        if fitting:
            return Proposal(Kind.OBJECTS, fitting[0].name, objects.name)
    for image in images:
        if image.ndim > 2 and not image.multiscale and image.data.shape[0] >= _FEW:
            return Proposal(Kind.LAYER, image.name, count=int(image.data.shape[0]))
    return None


def count_objects(data: Any, watch: Watch = UNWATCHED) -> int | None:
    """Count the objects of a label image, plane by plane; None where that would take long."""
    if np.prod(data.shape, dtype=float) > _COUNTED:
        return None
    found = 0
    for place in np.ndindex(*data.shape[:-2]):
        if watch.stops:
            return None
        found += int(np.count_nonzero(np.unique(np.asarray(data[place]))))
    return found


class Offer(QWidget):
    """One large button that loads what lies nearest.

    Signals
    -------
    proposed(Proposal or None)
        What is offered now.
    taken(Proposal)
        The person wants it.
    """

    proposed = Signal(object)
    taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.proposal: Proposal | None = None
        self.button = QPushButton()
        self.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button.setMinimumHeight(52)
        self.hint = label("or choose images of your own:", "hint")
        column(self, self.button, self.hint)
        self._seen: Proposal | None = None
        self._otherwise: Proposal | None = None
        self._counter = Newest(self, "Counting objects", self._on_counted)
        self.button.clicked.connect(self._on_clicked)

    def look(self, layers: Sequence[Layer], used: tuple[str, str], *, empty: bool) -> None:
        """See what could be loaded, but of the Image and the Labels layer that are ``used``.

        The sample is only offered while there are no patches, ``empty``.
        """
        seen = _unused(propose(layers), used)
        sample = Proposal(Kind.SAMPLE) if empty else None
        self._seen = seen
        if seen is None or seen.kind is not Kind.OBJECTS:
            self._counter.forget()
            self._show(seen or sample)
            return
        images = [layer for layer in layers if not isinstance(layer, Labels)]
        self._otherwise = _unused(propose(images), used) or sample
        objects: Any = next(layer for layer in layers if layer.name == seen.objects)
        data = objects.data[0] if objects.multiscale else objects.data
        self._counter.ask(lambda watch: (seen, count_objects(data, watch)))
        if self.proposal is None:
            self._show(self._otherwise)  # until it is known whether there are any

    @property
    def waits_for_objects(self) -> bool:
        """Whether there is a Labels layer in which nothing was painted yet."""
        return self._seen is not None and self._seen.kind is Kind.OBJECTS and (
            self.proposal is None or self.proposal.kind is not Kind.OBJECTS
        )  # fmt: skip

    def _on_counted(self, found: tuple[Proposal, int | None]) -> None:
        seen, count = found
        if seen is self._seen:
            self._show(self._otherwise if count == 0 else replace(seen, count=count))

    def _show(self, proposal: Proposal | None) -> None:
        self.proposal = proposal
        self.setVisible(proposal is not None)
        if proposal is not None:
            self.button.setText(proposal.sentence)
            self.button.setToolTip(proposal.tip)
        self.proposed.emit(proposal)

    def set_primary(self, primary: bool) -> None:
        """Make it the one coloured button of the panel, or not."""
        set_look(self.button, "role", "primary" if primary else "")

    def _on_clicked(self) -> None:
        if self.proposal is not None:
            self.taken.emit(self.proposal)


def _unused(seen: Proposal | None, used: tuple[str, str]) -> Proposal | None:
    """Leave out what is loaded already."""
    return None if seen is not None and (seen.image, seen.objects) == used else seen


def _is_theirs(layer: Layer, kind: type[Layer]) -> bool:
    """Whether a layer is of a kind and not one that we have added."""
    ours = layer.metadata.get(OVERLAY) or layer.metadata.get(PICTURES)
    return isinstance(layer, kind) and not ours


def _plane(layer: Any) -> tuple[int, ...]:
    """Height and width of a layer's planes in pixels."""
    data = layer.data[0] if layer.multiscale else layer.data
    shape = data.shape[:-1] if getattr(layer, "rgb", False) else data.shape
    return tuple(int(side) for side in shape[-2:])


def _short(name: str) -> str:
    """Shorten a name in its middle."""
    half = _NAME // 2
    return name if len(name) <= _NAME else f"{name[:half]}…{name[-half + 1 :]}"
