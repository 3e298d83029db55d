"""Networks that others trained, suggested by kind of picture, with what they take here."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_patchmap.networks.device import choose_device
from napari_patchmap.networks.trained.cost import Cost, costs_of
from napari_patchmap.networks.trained.known_networks import KINDS, KnownNetwork, suggested
from napari_patchmap.networks.trained.suggestion_lines import duration_of
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.basics import choice, column, label, row

#: Of an item, the name of its network.
_NAME = Qt.ItemDataRole.UserRole

#: So many networks are in view.
_IN_VIEW = 4


class NetworkList(QWidget):
    """A list of networks for a kind of picture; a click takes one.

    What they take for 1,000 patches is tried in another thread while the list is in view.

    Signals
    -------
    chosen(str)
        The name of a network, as the settings have it.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.kind = choice("What your images are of; some networks were trained on such.")
        self.kind.addItems(KINDS)
        self.kind.setCurrentText(KINDS[-1])
        self.list = QListWidget()
        self.list.setToolTip("Click a network to take it; nothing is downloaded before Start.")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(True)
        column(self, row(label("Networks for"), self.kind), self.list, spacing=4)
        self._costs: dict[str, Cost] = {}
        self._patch: tuple[int, int] | None = None
        self._taken = ""
        self._tried = Newest(self, "Trying networks", self._on_tried)
        self.kind.currentTextChanged.connect(lambda _: self._fill())
        self.list.itemClicked.connect(lambda item: self.chosen.emit(item.data(_NAME)))
        self._fill()

    def look(self, patch: tuple[int, int] | None) -> None:
        """Suggest for patches of (height, width) in pixels; None where there are none."""
        if patch != self._patch:
            self._patch, self._costs = patch, {}
            self._fill()

    def show_taken(self, name: str) -> None:
        """Show which of them is the one that is taken, if one is."""
        self._taken = name
        at = next((i for i in range(self.list.count()) if self._named(i) == name), -1)
        self.list.setCurrentRow(at)

    def _named(self, at: int) -> str:
        return str(self.list.item(at).data(_NAME))

    def wait(self) -> None:
        """Try nothing more until asked again: a training needs the computer."""
        self._tried.forget()

    def _fill(self) -> None:
        networks = suggested(self.kind.currentText())
        self.list.clear()
        for network in networks:
            item = QListWidgetItem(_said(network, self._costs, self._patch is not None))
            item.setData(_NAME, network.name)
            item.setToolTip(_tip(network, self._costs.get(network.name)))
            self.list.addItem(item)
        self.show_taken(self._taken)
        lines = 2 * self.list.fontMetrics().lineSpacing() + 6
        self.list.setFixedHeight(lines * min(_IN_VIEW, len(networks)) + 6)
        patch = self._patch
        if patch is not None and any(one.name not in self._costs for one in networks):
            self._tried.ask(lambda watch: costs_of(networks, patch, choose_device(), watch))

    def _on_tried(self, costs: Mapping[str, Cost]) -> None:
        self._costs |= costs
        for index in range(self.list.count()):
            item = self.list.item(index)
            network = next(
                one
                for one in suggested(self.kind.currentText())
                if one.name == item.data(_NAME)
            )
            item.setText(_said(network, self._costs, False))
            item.setToolTip(_tip(network, self._costs.get(network.name)))


def _said(network: KnownNetwork, costs: Mapping[str, Cost], trying: bool) -> str:
    facts = [f"{network.megabytes:,.0f} MB"] if network.millions else []
    facts += [network.licence, *(["ask first"] if network.gated else [])]
    cost = costs.get(network.name)
    time = "time not known"
    if cost is not None:
        time = f"about {duration_of(cost)} for 1,000 patches"
    elif trying and network.architecture:
        time = "trying how long it takes…"
    return f"{network.title}: {', '.join(facts)}\n    {time}"


def _tip(network: KnownNetwork, cost: Cost | None) -> str:
    lines = [network.name, f"{network.line()}."]
    if network.mpp:
        lines.append(f"Trained on images of {network.mpp:.2g} µm per pixel.")
    if cost is not None:
        how = (
            "tried with random weights" if cost.tried else "worked out from one that was tried"
        )
        lines.append(f"The time is an estimate for patches seen at {cost.side} px, {how}.")
    return f"<qt>{'<br>'.join(lines)}</qt>"
