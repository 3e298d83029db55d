"""A form built from a config: no setting is described a second time here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.errors import PatchmapError
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.qt.basics import column, label
from napari_patchmap.plugin.qt.fields import Field, make_field
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.plugin.qt.number_box import AUTO
from napari_patchmap.settings import Config, Setting

#: Pixels by which numbers are set in under their switch.
_INDENT = 20

C = TypeVar("C", bound=Config)


class ConfigForm(QWidget, Quiet, Generic[C]):
    """Fields for the settings of a config.

    Settings are grouped by their ``group``; rare ones fold under "More". A
    switch governs the numbers that follow it in its group: they are greyed out
    while it is off. What cannot be taken stays in its field, marked, until it is
    mended: ``config`` is then not what is shown, and nothing should be started by it.

    Parameters
    ----------
    config : Config
        The settings to start with.
    skip : tuple of str
        Names of settings that are not shown; they keep their value.
    unused : callable, optional
        From the values in the form, by their names, to the settings that mean nothing while
        the others are so: they are hidden and have their defaults in ``config``. What was
        entered stays in their fields, is told, and counts once they mean something.

    Signals
    -------
    changed(Config)
        The person changed a setting and all settings are valid.
    refused(str)
        Why what was typed cannot be taken, "" once it can.
    """

    changed = Signal(object)
    refused = Signal(str)

    def __init__(
        self,
        config: C,
        *,
        skip: tuple[str, ...] = (),
        unused: Callable[[Mapping[str, Any]], Collection[str]] = lambda values: (),
    ) -> None:
        super().__init__()
        self._config = self._first = config
        self._unused = unused
        self._fields: dict[str, Field] = {}
        self._settings: dict[str, Setting] = {}
        self._offered: dict[str, tuple[str, ...]] = {}
        self._headings: dict[QLabel, list[str]] = {}
        #: Which settings were entered that mean nothing now.
        self.aside = label("", "hint", wrap=True)
        self._trouble = ""
        rows = column(self)
        self.more = Fold("More")
        shown = [item for item in config.settings() if item.name not in skip]
        self._governors = _governors(shown)
        self._lay_out(rows, [s for s in shown if not s.rare], spaced=True)
        rows.addWidget(self.aside)
        rare = [s for s in shown if s.rare]
        if rare:
            self._lay_out(column(self.more.body), rare, spaced=False)
            rows.addWidget(self.more)
        with self.quiet():  # those that are hidden, too
            for name, field in self._fields.items():
                field.show(getattr(config, name))
        self.set_config(config)

    @property
    def config(self) -> C:
        """The settings in the form; while there is ``trouble``, those before it."""
        return self._config

    @property
    def trouble(self) -> str:
        """Why what is shown cannot be taken, "" if it can."""
        return self._trouble

    def set_config(self, config: C) -> None:
        """Show other settings, without saying ``changed``."""
        self._config = config
        values = {name: getattr(config, name) for name in self._fields}
        unused = self._unused(values)
        with self.quiet():
            for name, field in self._fields.items():
                if name not in unused:
                    field.show(values[name])
        self._hide(unused)
        self._grey_out()
        self._say_trouble("")

    def enter(self, name: str, value: Any) -> None:
        """Take a value of a setting as if a person had entered it."""
        self._fields[name].show(value)

    def commit(self) -> bool:
        """Take what was typed and not yet confirmed; return whether all can be taken."""
        for field in self._fields.values():
            field.commit()
        self._on_edit()
        return not self._trouble

    def offer(self, name: str, values: Collection[str]) -> None:
        """Offer what is there for a setting; where its value is not among it, the first."""
        self._offered[name] = tuple(values)
        offer = self._fields[name].offer
        if offer is not None:
            offer(values)
            self._on_edit()

    def offered(self, name: str) -> tuple[str, ...]:
        """Return what is offered for a setting."""
        return self._offered.get(name, ())

    def field(self, name: str) -> QWidget:
        """Return the widget of one setting."""
        return self._fields[name].widget

    def _lay_out(self, rows: QVBoxLayout, settings: list[Setting], *, spaced: bool) -> None:
        group = None
        form: QFormLayout | None = None
        for item in settings:
            if form is None or item.group != group:
                group = item.group
                if group and spaced:
                    heading = label(group, "group")
                    self._headings[heading] = [s.name for s in settings if s.group == group]
                    rows.addWidget(heading)
                form = QFormLayout()
                form.setContentsMargins(0, 0, 0, 4)
                form.setVerticalSpacing(4)
                form.setHorizontalSpacing(10)
                form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
                form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
                rows.addLayout(form)
            field = make_field(item, self._on_edit)
            self._fields[item.name], self._settings[item.name] = field, item
            if field.typed is not None:
                field.typed.connect(self._on_typed)
            field.widget.setObjectName(item.name)
            field.widget.setToolTip(explain(item))
            if item.type is bool or (spaced and item.label == group):
                field.widget.setAccessibleName(item.label)
                form.addRow(field.widget)
            else:
                form.addRow(self._caption(item), field.widget)

    def _caption(self, item: Setting) -> QLabel:
        caption = label(item.label, wrap=True, tip=explain(item))
        caption.setMinimumWidth(128)
        if item.name in self._governors:
            caption.setIndent(_INDENT)
        self._fields[item.name].caption = caption
        return caption

    def _on_typed(self) -> None:
        if self._trouble:
            self._on_edit()  # it may be mended by now

    def _on_edit(self) -> None:
        if self.busy:
            return
        values = {name: field.value() for name, field in self._fields.items()}
        unused = self._unused(values)
        values |= {name: self._settings[name].default for name in unused}
        self._hide(unused)
        self._settle_rivals(values)
        try:
            config = self._config.replace(**values)
        except PatchmapError as error:
            self._say_trouble(str(error), self._culprits(values))
            return
        self._say_trouble("")
        self._grey_out()
        if config != self._config:
            self._config = config
            self.changed.emit(config)

    def _settle_rivals(self, values: dict[str, Any]) -> None:
        """Of two settings that say the same, keep the one that was changed last."""
        for name, item in self._settings.items():
            other = item.instead_of
            if not other or values[name] is None or values[other] is None:
                continue
            loser = name if values[other] != getattr(self._config, other) else other
            values[loser] = None
            with self.quiet():
                self._fields[loser].show(None)

    def mark(self, names: Collection[str]) -> None:
        """Mark the fields that cannot be taken, and no others; those that are folded open."""
        for name, field in self._fields.items():
            field.mark(name in names)
            if name in names and self._settings[name].rare:
                self.more.open(True)

    def _say_trouble(self, sentence: str, culprits: Collection[str] = ()) -> None:
        self.mark(culprits)
        if sentence != self._trouble:
            self._trouble = sentence
            self.refused.emit(sentence)

    def _culprits(self, values: dict[str, Any]) -> list[str]:
        """Name the settings that cannot be taken by themselves, or with the others."""
        wrong = [n for n, item in self._settings.items() if not _can(item.check, values[n])]
        if wrong:
            return wrong
        old = {name: getattr(self._config, name) for name in values}
        changed = [name for name in values if values[name] != old[name]]
        # Those without which all would be well.
        alone = [n for n in changed if _can(self._config.replace, **{**values, n: old[n]})]
        return alone or changed

    def _hide(self, unused: Collection[str]) -> None:
        """Hide what means nothing now, and say what was entered there."""
        kept = []
        for name, field in self._fields.items():
            shown = name not in unused
            field.widget.setVisible(shown)
            if field.caption is not None:
                field.caption.setVisible(shown)
            item = self._settings[name]
            value = None if shown else field.value()
            if not shown and value not in (item.default, getattr(self._first, name)):
                kept.append(f"{item.label} ({value})")
        for heading, names in self._headings.items():
            heading.setVisible(not {*names} <= {*unused})
        self.aside.setText(f"Kept, but not used so: {', '.join(kept)}." if kept else "")
        self.aside.setVisible(bool(kept))

    def _grey_out(self) -> None:
        for name, switch in self._governors.items():
            field, on = self._fields[name], bool(self._fields[switch].value())
            field.widget.setEnabled(on)
            if field.caption is not None:
                field.caption.setEnabled(on)


def _can(check: Callable[..., Any], *args: Any, **values: Any) -> bool:
    try:
        check(*args, **values)
    except PatchmapError:
        return False
    return True


def explain(item: Setting) -> str:
    """Return a setting's tooltip: what it does, its range, unit and default."""
    unit = f" {item.unit}" if item.unit else ""
    parts = [item.help]
    if item.low is not None and item.high is not None and item.type in (int, float):
        parts.append(f"From {item.low:g} to {item.high:g}{unit}.")
    parts.append(f"Default: {_say(item.default)}{'' if item.default is None else unit}.")
    # Rich text, so that Qt breaks long lines.
    return f"<qt>{' '.join(parts)}</qt>"


def _say(value: Any) -> str:
    if value is None:
        return AUTO
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _governors(settings: list[Setting]) -> dict[str, str]:
    """Map each number to the switch before it in its group."""
    result: dict[str, str] = {}
    switch: Setting | None = None
    for item in settings:
        if item.type is bool:
            switch = item
        elif switch is not None and switch.group == item.group:
            result[item.name] = switch.name
    return result
