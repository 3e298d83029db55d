"""The smallest parts of a panel, made as all panels have them."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)


def label(text: str, role: str = "", *, wrap: bool = False, tip: str = "") -> QLabel:
    """Make a text; ``role`` is one of the style sheet's."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setToolTip(tip)
    return made


def button(text: str, role: str = "", tip: str = "") -> QPushButton:
    """Make a button; ``role`` is one of the style sheet's."""
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setToolTip(tip)
    return made


def choice(tip: str = "", letters: int = 8) -> QComboBox:
    """Make a list to choose from: as wide as there is room, and no less than some letters."""
    made = QComboBox()
    made.setToolTip(tip)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(letters)
    return made


def number(low: int, high: int, value: int, tip: str, unit: str = "") -> QSpinBox:
    """Make a field of a whole number that is no setting of a form."""
    made = QSpinBox()
    made.setRange(low, high)
    made.setValue(value)
    made.setToolTip(tip)
    if unit:
        made.setSuffix(f" {unit}")
    return made


def line() -> QFrame:
    """Make a thin line between two parts of a panel."""
    made = QFrame()
    made.setProperty("role", "line")
    made.setFixedHeight(1)
    return made


def row(*widgets: QWidget | int) -> QHBoxLayout:
    """Lay widgets side by side; a number is a stretch."""
    made = QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(6)
    for widget in widgets:
        if isinstance(widget, int):
            made.addStretch(widget)
        else:
            made.addWidget(widget)
    return made


def column(parent: QWidget, *parts: QWidget | QLayout, spacing: int = 6) -> QVBoxLayout:
    """Lay parts below each other in a widget, without a margin around them."""
    made = QVBoxLayout(parent)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QWidget):
            made.addWidget(part)
        else:
            made.addLayout(part)
    return made


def set_look(widget: QWidget, name: str, value: Any) -> None:
    """Change a property that the style sheet goes by, such as the role."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
