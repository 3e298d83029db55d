"""A check of the map in the window: settings, the button, the answer, and where on the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.ask_box import AskBox
from napari_patchmap.plugin.qt.basics import button, column, row
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.asked import AskedCheck
from napari_patchmap.quality.columns import column_of
from napari_patchmap.quality.label_changes import other_label

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class AskedBox(AskBox[Evaluation]):
    """Has a check answered, and keeps the answer in the run's metrics."""

    def __init__(self, viewer: Viewer, check: AskedCheck, work: WorkBar | None = None) -> None:
        self.check = check
        about = f"{check.help} In the background. ({check.reference})"
        super().__init__(viewer, check.question, about, check.config(), work=work)
        self.where = button("Show where", "link", "Colour the map by what was found.")
        self.where.setVisible(self.can_show)
        self.where.clicked.connect(lambda: self.show_where())
        self.parts.addLayout(row(self.where, 1))

    @property
    def can_show(self) -> bool:
        """Whether the map can be coloured by the answer."""
        return bool(self.check.name)

    @property
    def entry(self) -> dict[str, Any]:
        """The answer that is shown, empty where there is none."""
        return {} if self.found is None else self.found.report[self.check.key]

    def take_up(self, run: Run | None, patches: PatchSet | None) -> str | None:
        """Offer what there is; None where the map lacks what is needed."""
        from napari_patchmap.training.asked_run import asked_run

        if run is None or patches is None:
            return None
        columns = look_at_first(patches).columns
        asked = asked_run(run, patches.table, lambda: patches, columns)
        offers = self.check.offers(asked)
        for name, values in offers.items():
            if not values:
                return None
            self.form.offer(name, values)
        return None if self.check.lacks(asked) else self.check.refusal(asked)

    def found_in(self, run: Run) -> Evaluation | None:
        """Return what is known of a run's map."""
        entry = self.check.known(run.metrics)
        return None if entry is None else Evaluation({self.check.key: entry}, {})

    def lines_of(self, found: Evaluation) -> Sequence[str]:
        """Say an answer in short lines."""
        return self.check.lines(found.report[self.check.key])

    def stale(self, found: Evaluation) -> str:
        """Say so if it is of another label than the patches have."""
        return other_label(found.report[self.check.key], self.label_from)

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[Watch], Evaluation | None]:
        """Read the settings; return what finds it out."""
        from napari_patchmap.training.asked_run import asked_run

        check, config = self.check, self.form.config
        asked = asked_run(run, self.workspace.table, lambda: patches)

        def answer(watch: Watch) -> Evaluation | None:
            found = check.ask(asked, config, watch)
            return found if found.report else None

        return answer

    def take(self, found: Evaluation) -> None:
        """Show what was found, and keep it in the run's folder."""
        run = self.workspace.run
        assert run is not None
        self.workspace.take_measured(found)
        self.show_found(found)
        columns = dict(run.columns) if found.columns else run.columns  # those lie there
        if trouble := run.keep(Evaluation(run.metrics, columns)):
            self.workspace.say(trouble)

    def show_where(self) -> None:
        """Colour the map by what was found."""
        owner = MapLayer.of(self.viewer)
        owner.show_map()
        owner.colour_by(column_of(self.check))


class AskedTogether(QWidget):
    """Checks below one heading, of which one is answered at a time.

    Attributes
    ----------
    boxes : dict of str to AskedBox
        By the keys of the checks.
    """

    def __init__(self, viewer: Viewer, title: str, checks: Sequence[AskedCheck]) -> None:
        super().__init__()
        self.work = WorkBar()
        self.boxes = {check.key: AskedBox(viewer, check, self.work) for check in checks}
        self.fold = Fold(title, "question")
        self.fold.button.setToolTip("Show or hide how this is found out, and what was found.")
        bar = self.work.with_button("Stop; what is known so far stays.")
        column(self.fold.body, *self.boxes.values(), bar)
        column(self, self.fold)
        for box in self.boxes.values():
            box.taken_up.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        boxes = self.boxes.values()
        self.setVisible(any(not box.isHidden() for box in boxes))
        if any(box.found is not None for box in boxes):
            self.fold.open(True)


class BaselinesBox(AskedBox):
    """Has the figures of other maps computed; they are shown beside those of the map.

    Signals
    -------
    shown(object)
        See :func:`napari_patchmap.quality.baselines.measure_baselines`; empty where it is not
        known.
    """

    shown = Signal(object)  # Qt sorts a dict

    def __init__(self, viewer: Viewer, check: AskedCheck) -> None:
        work = WorkBar()
        super().__init__(viewer, check, work)
        self.layout().addLayout(work.with_button("Stop; nothing is changed."))

    def lines_of(self, found: Evaluation) -> Sequence[str]:
        """Say nothing here."""
        return ()

    def show_found(self, found: Evaluation | None) -> None:
        """Tell what was found."""
        super().show_found(found)
        self.answer.hide()
        self.shown.emit(self.entry)
