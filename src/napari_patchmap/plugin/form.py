"""A form built from a config: no setting is described a second time here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.config import Config, Setting
from napari_patchmap.errors import ConfigError

#: What a field shows that is left to the program.
AUTO = "auto"

#: Pixels by which numbers are set in under their switch.
_INDENT = 20

C = TypeVar("C", bound=Config)


class Fold(QWidget):
    """A heading that hides or shows what is below it."""

    toggled = Signal(bool)

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.button = QToolButton()
        self.button.setProperty("role", "fold")
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.body = QWidget()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(self.button)
        rows.addWidget(self.body)
        self.button.toggled.connect(self.open)
        self.open(False)

    def open(self, shown: bool) -> None:
        """Show or hide the body."""
        self.button.setChecked(shown)
        self.button.setText(self._title)
        arrow = Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow
        self.button.setArrowType(arrow)
        self.body.setVisible(shown)
        self.toggled.emit(shown)

    def rename(self, title: str) -> None:
        """Change the heading."""
        self._title = title
        self.button.setText(title)


class ConfigForm(QWidget, Generic[C]):
    """Fields for the settings of a config.

    Settings are grouped by their ``group``; rare ones fold under "More". A
    switch governs the numbers that follow it in its group: they are greyed out
    while it is off.

    Parameters
    ----------
    config : Config
        The settings to start with.
    skip : tuple of str
        Names of settings that are not shown; they keep their value.

    Signals
    -------
    changed(Config)
        The person changed a setting and all settings are valid.
    refused(str)
        Why what was typed cannot be taken, "" once it can.
    """

    changed = Signal(object)
    refused = Signal(str)

    def __init__(self, config: C, *, skip: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._config = config
        self._fields: dict[str, _Field] = {}
        self._filling = False
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        self.more = Fold("More")
        shown = [item for item in config.settings() if item.name not in skip]
        self._governors = _governors(shown)
        self._lay_out(rows, [s for s in shown if not s.rare], spaced=True)
        rare = [s for s in shown if s.rare]
        if rare:
            self._lay_out(QVBoxLayout(self.more.body), rare, spaced=False)
            self.more.body.layout().setContentsMargins(0, 0, 0, 0)
            rows.addWidget(self.more)
        self.set_config(config)

    @property
    def config(self) -> C:
        """The settings as they are in the form."""
        return self._config

    def set_config(self, config: C) -> None:
        """Show other settings, without saying ``changed``."""
        self._config = config
        self._filling = True
        for name, field in self._fields.items():
            field.show(getattr(config, name))
        self._filling = False
        self._grey_out()

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
                    heading = QLabel(group)
                    heading.setProperty("role", "group")
                    rows.addWidget(heading)
                form = QFormLayout()
                form.setContentsMargins(0, 0, 0, 4)
                form.setVerticalSpacing(4)
                form.setHorizontalSpacing(10)
                form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
                form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
                rows.addLayout(form)
            field = _make_field(item, self._on_edit)
            self._fields[item.name] = field
            field.widget.setObjectName(item.name)
            field.widget.setToolTip(explain(item))
            if item.type is bool:
                form.addRow(field.widget)
            else:
                form.addRow(self._caption(item), field.widget)

    def _caption(self, item: Setting) -> QLabel:
        caption = QLabel(item.label)
        caption.setToolTip(explain(item))
        caption.setWordWrap(True)
        caption.setMinimumWidth(128)
        if item.name in self._governors:
            caption.setIndent(_INDENT)
        self._fields[item.name].caption = caption
        return caption

    def _on_edit(self) -> None:
        if self._filling:
            return
        try:
            values = {name: field.value() for name, field in self._fields.items()}
            config = self._config.replace(**values)
        except ConfigError as error:
            self.refused.emit(str(error))
            return
        self.refused.emit("")
        self._grey_out()
        if config != self._config:
            self._config = config
            self.changed.emit(config)

    def _grey_out(self) -> None:
        for name, switch in self._governors.items():
            field, on = self._fields[name], bool(self._fields[switch].value())
            field.widget.setEnabled(on)
            if field.caption is not None:
                field.caption.setEnabled(on)


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


class _Field:
    """A widget with a way to read and to show a setting's value."""

    def __init__(
        self, widget: QWidget, value: Callable[[], Any], show: Callable[[Any], None]
    ) -> None:
        self.widget, self.value, self.show = widget, value, show
        self.caption: QLabel | None = None


def _make_field(item: Setting, edited: Callable[[], None]) -> _Field:
    if item.type is bool:
        return _switch(item, edited)
    if item.choices:
        return _choice(item, edited)
    if item.type is int:
        return _whole_number(item, edited)
    if item.type is float:
        return _number(item, edited)
    return _text(item, edited)


def _switch(item: Setting, edited: Callable[[], None]) -> _Field:
    box = QCheckBox(item.label)
    box.toggled.connect(lambda _: edited())
    return _Field(box, box.isChecked, lambda value: box.setChecked(bool(value)))


def _choice(item: Setting, edited: Callable[[], None]) -> _Field:
    box = QComboBox()
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setMinimumContentsLength(6)
    if item.optional:
        box.addItem(AUTO, None)
    for choice in item.choices:
        box.addItem(str(choice), choice)
    box.currentIndexChanged.connect(lambda _: edited())
    return _Field(box, box.currentData, lambda value: box.setCurrentIndex(box.findData(value)))


def _whole_number(item: Setting, edited: Callable[[], None]) -> _Field:
    box = QSpinBox()
    low = int(item.low) if item.low is not None else -(2**31)
    # The value below the smallest one stands for "decide for me".
    box.setRange(low - 1 if item.optional else low, int(item.high or 2**31 - 1))
    box.setSingleStep(int(item.step or 1))
    return _spin_field(box, item, low, edited)


def _number(item: Setting, edited: Callable[[], None]) -> _Field:
    box = QDoubleSpinBox()
    step = item.step or 0.1
    low = item.low if item.low is not None else -1e9
    box.setDecimals(2 if step < 1 or item.step is None else 1)
    box.setRange(low - step if item.optional else low, item.high or 1e9)
    box.setSingleStep(step)
    return _spin_field(box, item, low, edited)


def _spin_field(
    box: QSpinBox | QDoubleSpinBox, item: Setting, low: float, edited: Callable[[], None]
) -> _Field:
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(70)
    box.setKeyboardTracking(False)
    if item.unit:
        box.setSuffix(f" {item.unit}")
    if item.optional:
        box.setSpecialValueText(AUTO)
    exact: list[Any] = []

    def changed(number: float) -> None:
        if item.optional and box.minimum() < number < low:
            box.setValue(box.minimum())
        else:
            edited()

    box.valueChanged.connect(changed)

    def value() -> Any:
        if item.optional and box.value() < low:
            return None
        # A spin box rounds: give back the exact value as long as it is untouched.
        return exact[0] if exact and box.value() == exact[1] else box.value()

    def show(number: Any) -> None:
        box.setValue(box.minimum() if number is None else number)
        exact[:] = [] if number is None else [number, box.value()]

    return _Field(box, value, show)


def _text(item: Setting, edited: Callable[[], None]) -> _Field:
    """Make a line of text; a tuple is written as numbers with spaces between."""
    box = QLineEdit()
    box.setPlaceholderText(AUTO if item.optional else "")
    box.editingFinished.connect(edited)

    def value() -> Any:
        words = box.text().replace(",", " ").replace(";", " ").split()
        if item.type is not tuple:
            return box.text() or (None if item.optional else "")
        return tuple(words) or None

    def show(given: Any) -> None:
        many = isinstance(given, tuple)
        box.setText(" ".join(f"{v:g}" for v in given) if many else str(given or ""))

    return _Field(box, value, show)
