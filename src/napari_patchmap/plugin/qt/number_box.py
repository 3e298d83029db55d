"""A field for a number: what is typed beyond its range is refused, and stays as it is."""

from __future__ import annotations

import math
from typing import Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSizePolicy, QSpinBox

from napari_patchmap.settings import Setting

#: What a field shows that is left to the program.
AUTO = "auto"

#: What can be typed, beyond any range; the least number stands for "decide for me".
_TYPED = {int: (-(2**31), 2**31 - 1), float: (-1e9, 1e9)}

#: Pixels that a field wants: Qt goes by the longest number that can be typed.
_WIDE = 110

_Step = QAbstractSpinBox.StepEnabledFlag


class _NumberBox:
    """What fields of whole numbers and of others have in common."""

    def describe(self: Any, item: Setting) -> None:
        """Be the field of a setting."""
        self._item, self._exact = item, ()
        low, high = _TYPED[item.type]
        self._low = low + 1 if item.low is None else item.low
        self._high = high if item.high is None else item.high
        self.setRange(low, high)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(70)
        self.setKeyboardTracking(False)
        if item.unit:
            self.setSuffix(f" {item.unit}")
        if item.optional:
            self.setSpecialValueText(AUTO)

    def entered(self: Any) -> Any:
        """Return the number that is written in it, None where it is left to the program."""
        text = self.text()
        if self._item.optional and text == AUTO:
            return None
        number = self.valueFromText(text)
        # A field rounds: give back the exact value as long as it is untouched.
        return self._exact[0] if self._exact and number == self._exact[1] else number

    def show_number(self: Any, number: Any) -> None:
        """Show a number, or that it is left to the program."""
        self.setValue(self.minimum() if number is None else number)
        self._exact = () if number is None else (number, self.valueFromText(self.text()))

    def stepBy(self: Any, steps: int) -> None:
        """Go on within the range, and below it to what is left to the program."""
        auto = self._item.optional and self.value() == self.minimum()
        if auto:
            self.setValue(self._low if steps > 0 else self.minimum())
            return
        super().stepBy(steps)  # type: ignore[misc]
        if self.value() < self._low:
            self.setValue(self.minimum() if self._item.optional else self._low)
        elif self.value() > self._high:
            self.setValue(self._high)

    def stepEnabled(self: Any) -> Any:
        """Say to Qt which of the two buttons do something."""
        value, lowest = self.value(), self.minimum() if self._item.optional else self._low
        return (_Step.StepUpEnabled if value < self._high else _Step.StepNone) | (
            _Step.StepDownEnabled if value > lowest else _Step.StepNone
        )

    def sizeHint(self: Any) -> QSize:
        """Want no more room than others, however long numbers may be."""
        return QSize(_WIDE, super().sizeHint().height())  # type: ignore[misc]


class _WholeNumber(_NumberBox, QSpinBox):
    """A field of a whole number."""


class _Number(_NumberBox, QDoubleSpinBox):
    """A field of a number with decimals."""


def number_box(item: Setting) -> Any:
    """Make the field of a setting that is a number."""
    step = item.step or (1 if item.type is int else 0.1)
    box: Any
    if item.type is int:
        box = _WholeNumber()
        step = int(step)
    else:
        box = _Number()
        # As many decimals as the step has, two at least where it is below one.
        box.setDecimals(1 if step >= 1 else max(2, -math.floor(math.log10(step))))
        if step < 0.01:  # of numbers that small the magnitude counts
            box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.describe(item)
    box.setSingleStep(step)
    return box
