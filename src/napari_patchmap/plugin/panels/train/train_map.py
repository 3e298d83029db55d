"""The "Train map" panel: plan, start, watch, pause, cancel and resume a training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import napari.viewer

from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.train_config import TSNE_SETTINGS, TrainConfig, unused_settings
from napari_patchmap.networks.fixed import PRETRAINED
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.train.live import Live
from napari_patchmap.plugin.panels.train.network_list import NetworkList
from napari_patchmap.plugin.panels.train.plan_text import PlanText
from napari_patchmap.plugin.panels.train.result import Result
from napari_patchmap.plugin.panels.train.train_buttons import Doing, Refusal, TrainButtons
from napari_patchmap.plugin.panels.train.training import Trained, Training
from napari_patchmap.plugin.panels.train.unfinished_run import UnfinishedOffer
from napari_patchmap.plugin.preferences import PREFERENCES, Preferences
from napari_patchmap.plugin.qt.basics import line
from napari_patchmap.plugin.qt.docks import lead
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.texts import Message
from napari_patchmap.runs import Unfinished
from napari_patchmap.runs.checkpoint import FREE
from napari_patchmap.runs.run_config import RunConfig


class TrainMap(WorkPanel):
    """Trains a map of the workspace's patches."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        MapLayer.of(self.viewer)
        self._training: Training | None = None
        self._doing = Doing.NOTHING
        preferred = PREFERENCES.now
        self.form = ConfigForm(
            TrainConfig(minutes=preferred.minutes, device=preferred.device),  # type: ignore[arg-type]
            unused=unused_settings,
        )
        self.networks = NetworkList()
        self.plan = PlanText()
        self.live = Live()
        self.message = Message()
        self.refusal = Refusal()
        self._unplannable = ""
        self.result = Result(self.message)
        self.unfinished = UnfinishedOffer()
        self.buttons = TrainButtons()
        self.button, self.pause = self.buttons.start, self.buttons.pause
        self.column.addWidget(self.form)
        self.column.addWidget(self.networks)
        self.column.addWidget(self.plan)
        self.column.addWidget(line())
        self.column.addWidget(self.result)
        self.column.addStretch(1)
        # In view however far the settings are scrolled.
        for part in (self.live, self.message, self.unfinished, self.refusal):
            self.footer.addWidget(part)
        self.footer.addLayout(self.buttons)
        self.next = self.lead_to("explore", "Next: explore the map")

        self.form.changed.connect(lambda _: self._describe())
        self.form.refused.connect(self._on_refused)
        self.networks.chosen.connect(self._take_network)
        self.plan.refused.connect(self._on_unplannable)
        self.refusal.check.clicked.connect(self._plan_again)
        lead(self.refusal.augment, self.viewer, lambda: "augment")
        self.button.clicked.connect(self._on_button)
        self.pause.clicked.connect(self._on_pause)
        self.result.again.clicked.connect(self.lay_out_again)
        self.unfinished.resumed.connect(self.resume)
        self.unfinished.refused.connect(lambda sentence: self.message.say(sentence, "error"))
        self.listen(PREFERENCES.changed, self._on_preferences)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self.listen(self.workspace.augment_changed, self._describe)
        self.listen(self.workspace.augment_refused, self._on_refused)
        self.listen(self.workspace.unfinished_changed, self._look_for_unfinished)
        self.listen(self.workspace.training_changed, self._on_training)
        self.listen(self.workspace.run_changed, self._on_run)
        self._on_run(self.workspace.run)
        self._on_patches(self.workspace.patches)
        self._on_training(self.workspace.training)
        self.guard_wheel()
        for name, act in {
            "train": self._start_by_key,
            "pause": self._pause_by_key,
            "cancel": self._end_by_key,
        }.items():
            self.keyboard.offer(name, act)

    # -- before ----------------------------------------------------------------------

    @property
    def config(self) -> RunConfig:
        """Everything that a run started now would follow."""
        return RunConfig(self.form.config, self.workspace.augment)

    def _on_preferences(self, now: Preferences, before: Preferences) -> None:
        """Follow what is preferred, but for settings that somebody chose here."""
        train = self.form.config
        untouched = {
            name: getattr(now, name)
            for name in ("minutes", "device")
            if getattr(train, name) == getattr(before, name)
        }
        if not self.form.trouble and untouched:
            self.form.set_config(replace(train, **untouched))
            self._describe()

    def _on_patches(self, patches: Any) -> None:
        if self._training is not None and not self._training.current:
            self.need("")
        elif patches is None:
            self.need("Load patches first: the map is trained on them.")
        elif len(patches.missing) == len(patches) and patches.pictured:
            self.need("The images of this run are gone; locate them, or load patches to train.")
        else:
            self.need("")
            if self._training is None:
                self.live.hide()
                self.message.say("")
            if not patches.pictured and METHODS[self.form.config.method].sees_images:
                own = next(m.name for m in METHODS.values() if not m.sees_images)
                self.form.enter("method", own)
            self._describe()
        self._look_for_unfinished()

    def _describe(self) -> None:
        patches = self.workspace.patches
        self._suggest()
        if patches is None or self.missing:
            return
        if self._refused:
            self.plan.forget()  # it would be that of other settings
        elif self.workspace.training or not self._planning:
            self.plan.wait()
        else:
            self.plan.describe(patches, self.config)

    def _suggest(self) -> None:
        """Suggest networks where one that others trained is asked for."""
        train = self.form.config
        backbone = METHODS[train.method].backbone_of(train.backbone, train.weights, "")
        wanted = backbone.startswith(PRETRAINED) and not self.workspace.training
        self.networks.setVisible(wanted)
        self.networks.show_taken(train.backbone or "")
        patches = self.workspace.patches
        if wanted and self.isVisible():
            self.networks.look(None if patches is None else patches.training_size())
        else:
            self.networks.wait()

    def _take_network(self, name: str) -> None:
        """Take a network that was suggested."""
        self.form.set_config(self.form.config.replace(backbone=name))
        self._describe()

    @property
    def _planning(self) -> bool:
        """Whether somebody may want to train: not who looks at a map that is there.

        A plan takes seconds of the whole computer, for some steps are tried out.
        """
        return self.workspace.run is None or self.isVisible()

    def showEvent(self, event: Any) -> None:
        """Plan what was not planned while nobody looked."""
        super().showEvent(event)
        self._describe()

    def hideEvent(self, event: Any) -> None:
        """Plan nothing for who only passed by, as a window does that is opened again."""
        super().hideEvent(event)
        self._describe()

    # -- settings that cannot be taken -------------------------------------------------

    @property
    def trouble(self) -> str:
        """Why no training can be started by what is shown, "" if one can."""
        return self._refused or self._unplannable

    @property
    def _refused(self) -> str:
        augment = self.workspace.augment_trouble
        return self.form.trouble or (f"Augmentations: {augment}" if augment else "")

    def _on_refused(self, _: str) -> None:
        self._describe()
        self._show_state()

    def _on_unplannable(self, sentence: str, setting: str) -> None:
        self._unplannable = sentence
        if not self.form.trouble:
            self.form.mark((setting,))
        self._show_state()

    def _plan_again(self) -> None:
        """Look whether what was missing is there by now, such as a file."""
        self.plan.forget()
        self._describe()

    def _look_for_unfinished(self, _: Any = None) -> None:
        if self.workspace.training:
            self.unfinished.withdraw()
        else:
            patches = None if self.missing else self.workspace.patches
            self.unfinished.look(patches, self.workspace.unfinished)

    # -- start, pause and cancel -------------------------------------------------------

    def start(self) -> None:
        """Start training on the current patches, by the settings that are shown."""
        if self.form.commit() and not self.trouble:
            self._begin(self.config)

    def resume(self, unfinished: Unfinished) -> None:
        """Go on with an interrupted training, with its settings, which are shown."""
        config = unfinished.config
        # What may be changed is, once the person sees the settings of this run.
        free = {name: getattr(self.form.config, name) for name in FREE}
        if self.config == replace(config, train=config.train.replace(**free)):
            config = self.config
        if config != self.config:
            self.plan.forget()
        self.form.set_config(config.train)
        self.workspace.set_augment(config.augment)
        self._begin(config, unfinished)

    def _begin(self, config: RunConfig, unfinished: Unfinished | None = None) -> None:
        patches = self.workspace.patches
        if patches is None or self.workspace.training or self.missing:
            return
        plan = self.plan.expect(patches, config)
        training = Training.of(self.workspace, patches, config, unfinished, plan)
        self._run_in_background(training)

    def lay_out_again(self) -> None:
        """Make another map of the current run's features by the form's t-SNE settings."""
        run, patches = self.workspace.run, self.workspace.patches
        if run is None or patches is None or self.workspace.training:
            return
        if not self.form.commit():
            return
        settings = {name: getattr(self.form.config, name) for name in TSNE_SETTINGS}
        self._run_in_background(Training.layout(self.workspace, patches, run, settings))
        # openTSNE cannot rest between two iterations for long; it is soon over.
        self.pause.hide()

    def _run_in_background(self, training: Training) -> None:
        training.progressed.connect(self.live.follow)
        training.planned.connect(self.plan.tell)
        training.rested.connect(self._on_rested)
        training.finished.connect(self._on_finished)
        training.failed.connect(self._on_failed)
        self._training, self._doing = training, Doing.TRAINING
        self.destroyed.connect(training.stop)
        self.message.say("")
        self.live.begin()
        training.start()

    def cancel(self) -> None:
        """End the training and keep what was learned."""
        if self._training is not None:
            self._doing = Doing.CANCELLED
            self._training.stop()
            self.live.hold("Cancelling: making the map of what was learned")
            self._show_state()

    def stop_now(self) -> None:
        """End the training without waiting for a map of what was learned."""
        if self._training is not None:
            self._doing = Doing.LEAVING
            self._training.leave()
            self.live.hold("Stopping")
            self._show_state()

    def _on_button(self) -> None:
        if self._training is None:
            self.start()
        elif self._doing is Doing.TRAINING:
            self.cancel()
        else:
            self.stop_now()

    def _start_by_key(self) -> bool:
        """Start a training as the button does; False if none can be started."""
        able = not (self.missing or self.trouble or self.workspace.training)
        if able:
            self.start()
        return able

    def _end_by_key(self) -> bool:
        """End the training as the button does at first; False if there is none."""
        able = self._doing is Doing.TRAINING
        if able:
            self.cancel()
        return able

    def _pause_by_key(self) -> bool:
        """Pause, or go on; False if that cannot be done."""
        able = self.pause.isEnabled() and not self.pause.isHidden()
        if able:
            self._on_pause()
        return able

    def _on_pause(self) -> None:
        if self._training is not None and self._doing is Doing.TRAINING:
            paused = not self._training.paused
            self._training.set_paused(paused)
            self.live.hold("Pausing after this step" if paused else "")
            self._show_state()

    def _on_rested(self) -> None:
        if self._paused and self._doing is Doing.TRAINING:
            self.live.hold("Paused")

    def _on_run(self, run: Any) -> None:
        self.result.show_run(run)
        self.next.setVisible(run is not None)
        self._describe()

    def _on_training(self, _: bool) -> None:
        self._show_state()
        self._describe()
        self._look_for_unfinished()

    def _show_state(self) -> None:
        """Make the buttons say what they would do now."""
        busy, mine = self.workspace.training, self._training is not None
        trouble = "" if busy else self.trouble
        self.refusal.show_refusal(
            trouble,
            elsewhere=bool(trouble and self._refused) and not self.form.trouble,
            again=bool(trouble) and not self._refused,
        )
        self.form.setEnabled(not busy)
        self.result.again.setEnabled(not busy and not self.form.trouble)
        doing = Doing.NOTHING if not busy else self._doing if mine else Doing.ELSEWHERE
        self.buttons.show_state(doing, able=not trouble, paused=self._paused)

    @property
    def _paused(self) -> bool:
        return self._training is not None and self._training.paused

    # -- after ---------------------------------------------------------------------------

    def _on_finished(self, trained: Trained) -> None:
        training = self._forget_training()
        run = trained.run
        self.live.end(whole=run.complete)
        if trained.trouble:
            self.message.say(trained.trouble, "error" if run.folder is None else "note")
        elif not training.current:
            self.message.say(
                f"Other patches were loaded meanwhile; the run of {run.name} is saved in "
                f"{run.folder}.",
                "note",
            )
        elif not run.complete:
            self.message.say("Cancelled; the map shows what was learned until then.", "note")

    def _on_failed(self, sentence: str) -> None:
        training = self._forget_training()
        self.plan.forget()  # it may never have been made
        self.live.hide()
        self.message.say(sentence, "note" if training.stopped else "error")

    def _forget_training(self) -> Training:
        training, self._training = self._training, None
        assert training is not None
        self._doing = Doing.NOTHING
        self._show_state()
        if not training.current:  # catch up with patches that were loaded meanwhile
            self._on_patches(self.workspace.patches)
        return training
