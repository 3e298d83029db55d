"""How the panels look, made from the colours of napari's theme."""

from __future__ import annotations

from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtGui import QColor


class Look:
    """The colours of one napari theme, as Qt colours.

    Parameters
    ----------
    theme : str
        Name of a napari theme.
    """

    def __init__(self, theme: str) -> None:
        source = get_theme(theme)
        self.dark = source.type == "dark"
        self.text = _colour(source.text)
        self.background = _colour(source.background)
        self.field = _colour(source.primary)
        self.edge = _colour(source.secondary)
        self.accent = _colour(source.current)
        self.warning = _colour(source.warning)
        self.error = mix(_colour(source.error), QColor("#ff5a5a"), 0.6 if self.dark else 0.0)
        self.hint = mix(self.text, self.background, 0.35)
        self.font_points = int(source.font_size.removesuffix("pt"))

    def sheet(self) -> str:
        """Return the style sheet of a panel."""
        accent_hover = mix(self.accent, self.text, 0.15).name()
        faint = mix(self.background, self.field, 0.45).name()
        return f"""
            QLabel[role="heading"] {{ font-weight: 600; font-size: {self.font_points + 2}pt; }}
            QLabel[role="group"] {{ font-weight: 600; color: {self.text.name()}; }}
            QLabel[role="hint"] {{ color: {self.hint.name()}; }}
            QLabel[role="figure"] {{ font-weight: 600; font-size: {self.font_points + 9}pt; }}
            QPushButton {{ padding: 5px 10px; border-radius: 3px; }}
            QPushButton[role="primary"] {{
                background-color: {self.accent.name()}; font-weight: 600; padding: 8px 12px;
            }}
            QPushButton[role="primary"]:hover {{ background-color: {accent_hover}; }}
            QPushButton[role="primary"]:disabled {{
                background-color: {faint}; color: {self.hint.name()}; border: 0px;
            }}
            QPushButton[role="link"], QToolButton[role="link"] {{
                background: transparent; color: {self.link().name()}; padding: 2px 0px;
                text-align: left; border: 0px;
            }}
            QPushButton[role="link"]:hover, QToolButton[role="link"]:hover {{
                text-decoration: underline;
            }}
            QToolButton[role="fold"] {{
                background: transparent; color: {self.hint.name()};
                border: 0px; padding: 2px 0px;
            }}
            QToolButton[role="fold"]:hover {{ color: {self.text.name()}; }}
            QFrame[role="message"] {{
                background-color: {faint}; border-radius: 3px;
                border-left: 3px solid {self.accent.name()};
            }}
            QFrame[role="message"][level="error"] {{ border-left-color: {self.error.name()}; }}
            QFrame[role="message"][level="note"] {{ border-left-color: {self.warning.name()}; }}
            QWidget[role="answer"] {{ background: transparent; }}
            QFrame[role="drop"] {{ border: 1px dashed {self.edge.name()}; border-radius: 4px; }}
            QFrame[role="drop"][over="true"] {{ border: 1px solid {self.accent.name()}; }}
            QFrame[role="line"] {{ background-color: {faint}; max-height: 1px; border: 0px; }}
            QSpinBox, QDoubleSpinBox {{ min-height: 20px; }}
            QLineEdit {{ min-height: 20px; padding: 1px 5px; border-radius: 2px; }}
            QComboBox {{ min-height: 18px; }}
            QLineEdit[refused="true"], QComboBox[refused="true"], QSpinBox[refused="true"],
            QDoubleSpinBox[refused="true"] {{
                border: 1px solid {self.error.name()}; color: {self.error.name()};
            }}
            QComboBox[refused="true"] QLineEdit {{ color: {self.error.name()}; }}
            QScrollArea {{ border: 0px; }}
        """

    def link(self) -> QColor:
        """Colour of text that can be clicked, readable on the background."""
        return mix(self.accent, self.text, 0.45)


def mix(a: QColor, b: QColor, share: float) -> QColor:
    """Return the colour that lies ``share`` of the way from ``a`` to ``b``."""
    keep = 1.0 - share
    return QColor(
        round(a.red() * keep + b.red() * share),
        round(a.green() * keep + b.green() * share),
        round(a.blue() * keep + b.blue() * share),
    )


def _colour(colour: Any) -> QColor:
    """Turn a theme's colour into Qt's; themes keep theirs as pydantic ``Color``."""
    red, green, blue = colour.as_rgb_tuple(alpha=False)
    return QColor(red, green, blue)
