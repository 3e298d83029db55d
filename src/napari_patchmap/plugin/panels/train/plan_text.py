"""What Start would do, said while the settings are being chosen."""

from __future__ import annotations

from qtpy.QtCore import QTimer, Signal

from napari_patchmap.errors import ConfigError, MissingPackageError, PatchmapError
from napari_patchmap.networks.fine_tuned import PUBLISHED
from napari_patchmap.networks.weights import check_file
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.texts import Wrapped
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.planning import plan_alone

#: How long settings have to rest before the plan is made, in milliseconds: it takes
#: some steps of the network to say how long a run would take.
_PAUSE_MS = 400

_ESTIMATING = "Estimating…"


class PlanText(Wrapped):
    """A few lines with size, stages, steps and expected time of a training.

    Signals
    -------
    refused(str, str)
        Why a training cannot follow the settings, "" once it is to be found out again; and
        the name of the setting, where that is known.
    """

    refused = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("What Start will do on this computer, with these patches.")
        self._wish: tuple[PatchSet, RunConfig] | None = None
        self._plan: Plan | None = None
        self._plans = Newest(self, "Planning a training", self._on_planned, self._on_failed)
        # Beside the plan, which may take long: a file may lie on a slow disk.
        self._files = Newest(self, "Looking for weights", failed=self._on_no_file)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS, timeout=self._describe)

    def describe(self, patches: PatchSet, config: RunConfig) -> None:
        """Describe the run of some patches, once nothing has changed for a moment."""
        wish = self._wish
        if wish is None or wish[0] is not patches or wish[1] != config:
            self._wish, self._plan = (patches, config), None
            self._plans.forget()
            self._files.forget()
            self.refused.emit("", "")
            self.setText(_ESTIMATING)
            self._pause.start()
            weights = config.train.weights
            if weights is not None and weights != PUBLISHED:
                self._files.ask(lambda _: check_file(weights))

    def expect(self, patches: PatchSet, config: RunConfig) -> Plan | None:
        """Wait for what a training that starts now will do; return its plan, if made by now."""
        plan = self._plan if self._wish == (patches, config) else None
        self.forget()
        self._wish = patches, config
        self.setText(_ESTIMATING)
        return plan

    def tell(self, plan: str) -> None:
        """Say what the training that was started does."""
        self.setText(plan)

    def wait(self) -> None:
        """Describe nothing until asked again: a training needs the computer."""
        if self._pause.isActive() or self._plans.busy:
            self.forget()

    def forget(self) -> None:
        """Say nothing, for what was said does not hold any more."""
        self._pause.stop()
        self._plans.forget()
        self._files.forget()
        self._wish = self._plan = None
        self.refused.emit("", "")
        self.setText("")

    def _describe(self) -> None:
        if self._wish is not None:
            patches, config = self._wish
            self._plans.ask(lambda watch: plan_alone(patches, config, watch))

    def _on_planned(self, plan: Plan) -> None:
        self._plan = plan
        self.tell("\n".join(plan.lines()))

    def _on_failed(self, sentence: str) -> None:
        error = self._plans.error
        named = isinstance(error, PatchmapError) and error.setting
        if named or isinstance(error, ConfigError | MissingPackageError):
            self._refuse(sentence, named or "")
        else:
            self.tell(sentence)

    def _on_no_file(self, sentence: str) -> None:
        self._pause.stop()
        self._plans.forget()
        self._refuse(sentence, "weights")

    def _refuse(self, sentence: str, setting: str) -> None:
        self.setText("")
        self.refused.emit(sentence, setting)
