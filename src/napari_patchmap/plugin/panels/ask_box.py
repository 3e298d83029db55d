"""A question that somebody asks of a map, answered in the background as it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLayout, QWidget

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.settings import Config

if TYPE_CHECKING:
    from napari_patchmap.runs import Run

A = TypeVar("A")


@dataclass(eq=False)
class _Asked(Generic[A]):
    """One time that it was asked; what an abandoned thread still finds goes nowhere else."""

    run: Run
    so_far: A | None = None
    shown: A | None = None
    trouble: str = ""

    def know(self, found: A) -> None:
        """Take what is known by now."""
        self.so_far = found


class AskBox(QWidget, Generic[A]):
    """Settings, the button that has them answered, and the answer, which the run keeps.

    It grows while one waits, and stays when somebody has enough. A box of one kind says what
    is known (:meth:`found_in`), how it is found out (:meth:`prepare`), how it is kept
    (:meth:`take`) and what it says (:meth:`lines_of`). It adds what it needs besides to
    ``parts`` in :meth:`add_parts`, and shows it in :meth:`show_found`.

    Parameters
    ----------
    viewer : Viewer
    title, about : str
        The question, and how it is answered, for tooltips.
    config : Config
        Its settings as they are at first.
    begin : str
        What the button says.
    question : str
        The question in a sentence, where the title is none.
    work : WorkBar, optional
        One that it shares with others, of which one is answered at a time; it is then no
        heading that unfolds, but a line among them.

    Signals
    -------
    taken_up()
        The question is there for another map, or hidden.

    Attributes
    ----------
    found : object or None
        The answer that is shown.
    further : QVBoxLayout
        Below the settings, for what is asked there besides.
    parts : QVBoxLayout
        Of all that is below the button while there is an answer.
    """

    taken_up = Signal()

    def __init__(
        self,
        viewer: Viewer,
        title: str,
        about: str,
        config: Config,
        *,
        begin: str = "Find out",
        question: str = "",
        work: WorkBar | None = None,
    ) -> None:
        super().__init__()
        self.viewer, self.workspace, self.title = viewer, workspace_of(viewer), title
        self.found: A | None = None
        self._asked: _Asked[A] | None = None
        self.form: ConfigForm[Any] = ConfigForm(config)
        self.form.setVisible(bool(config.settings()))
        self.begin = button(begin, "", f"<qt>{about}</qt>")
        self.begin.setAccessibleName(f"{begin}: {title}")
        self.said = Sentence("")
        self.lines = Sentence()
        self.answer = QWidget()
        self.parts = column(self.answer, self.lines)
        more = QWidget()
        self.further = column(more)
        self.fold = Fold(title, "question")
        self.fold.button.setToolTip(f"<qt>{about}</qt>")
        self.work = work or WorkBar()
        if work is not None:
            name = label(title, "group", wrap=True, tip=f"<qt>{about}</qt>")
            head = row(name, self.begin)
            head.setStretch(0, 1)
            self.fold.hide()
            column(self, head, self.form, more, self.said, self.answer, spacing=2)
        else:
            begins = row(self.begin, *self.beside(), 1)
            asked: list[QWidget | QLayout] = [self.form, more, begins]
            if question:
                asked.insert(0, label(question, "hint", wrap=True))
            bar = self.work.with_button("Stop; what is known so far stays.")
            column(self.fold.body, *asked, bar, self.said, self.answer)
            column(self, self.fold)
        self.begin.clicked.connect(lambda: self.start())
        self.form.refused.connect(lambda _: self._offer())
        self.work.began.connect(self._offer)
        self.work.valueChanged.connect(self._on_progress)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._on_ended)
        self.add_parts()
        more.setVisible(self.further.count() > 0)
        subscribe(self, self.workspace.run_changed, self._on_run)
        subscribe(self, self.workspace.patches_changed, self._on_run)
        subscribe(self, self.workspace.label_changed, self._on_run)
        self._on_run()

    # -- what a box of one kind says -------------------------------------------------------

    def found_in(self, run: Run) -> A | None:
        """Return what is known of a run's map."""
        raise NotImplementedError

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[Watch], A | None]:
        """Read what was chosen; return the work, which runs in another thread."""
        raise NotImplementedError

    def take(self, found: A) -> None:
        """Show an answer, give it to all panels, and keep it in the run's folder."""
        raise NotImplementedError

    def lines_of(self, found: A) -> Sequence[str]:
        """Say an answer in short sentences, the most important first."""
        raise NotImplementedError

    @property
    def label_from(self) -> str:
        """What the label of the run is called now."""
        return "" if self.workspace.run is None else self.workspace.run.label_from

    def stale(self, found: A) -> str:
        """Say why an answer is not one of the map as it is now, "" if it is."""
        return ""

    def beside(self) -> Sequence[QWidget]:
        """Return what stands beside the button; nothing by itself."""
        return ()

    def add_parts(self) -> None:
        """Add to ``parts`` what the answer needs besides; nothing by itself."""

    def take_up(self, run: Run | None, patches: PatchSet | None) -> str | None:
        """Offer what there is to choose of a map.

        Returns
        -------
        str or None
            Why this cannot be found out of it, "" if it can; None hides the question.
        """
        return ""

    # -- what was found --------------------------------------------------------------------

    def show_found(self, found: A | None) -> None:
        """Show an answer, or that there is none."""
        self.found = found
        lines = [] if found is None else [*self.lines_of(found)]
        if found is not None and (stale := self.stale(found)):
            lines.insert(0, stale)
        self.said.say(lines[0] if lines else "")
        self.lines.say("\n".join(lines[1:]))
        self.answer.setVisible(found is not None)

    def show_kept(self) -> None:
        """Show what is known of the map."""
        run = self.workspace.run
        self.show_found(None if run is None else self.found_in(run))

    # -- finding it out --------------------------------------------------------------------

    def start(self) -> None:
        """Find it out, in the background, with the settings that are shown."""
        run, patches = self.workspace.run, self.workspace.patches
        if run is not None and patches is not None and not self.form.trouble:
            self.ask(run, self.prepare(run, patches))

    def ask(
        self,
        run: Run,
        answer: Callable[[Watch], A | None],
        said: str = "beginning…",
    ) -> None:
        """Find out the answer of a run in the background; until it tells, ``said`` is shown."""
        asked: _Asked[A] = _Asked(run)

        def work(watch: Watch) -> None:
            found = answer(replace(watch, so_far=asked.know))
            if found is not None:
                asked.know(found)

        self._asked = asked
        self.said.say("")
        self.work.start(self.title, work, said)

    def _offer(self) -> None:
        self.begin.setEnabled(not self.work.running and not self.form.trouble)

    def _on_run(self, _: Any = None) -> None:
        """Forget what was asked of the map before, and show what is known of this one."""
        self._asked = None
        self.work.cancel()
        reason = self.take_up(self.workspace.run, self.workspace.patches)
        self.setVisible(reason is not None)
        self.begin.setVisible(not reason)
        self.show_kept()
        if self.found is not None:
            self.fold.open(True)
        elif reason:
            self.said.say(reason)
        self.taken_up.emit()

    def _on_progress(self, _: int) -> None:
        asked = self._asked
        if asked is not None and self.work.running and asked.so_far is not asked.shown:
            asked.shown = asked.so_far
            self.show_found(asked.so_far)

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        if self._asked is not None:
            self._asked.trouble = sentence

    def _on_ended(self) -> None:
        """Keep what is known, all of it or what it was when somebody had enough."""
        self._offer()
        asked, self._asked = self._asked, None
        if asked is None or asked.run is not self.workspace.run:
            return
        if asked.so_far is not None:
            self.take(asked.so_far)
        else:
            self.show_kept()
        if asked.trouble:
            self.said.say(asked.trouble)
