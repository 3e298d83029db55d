"""How the panels look, made from the colours of napari's theme."""

from __future__ import annotations

from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

from napari_patchmap.plugin.qt.theme import colour_in


def panel_style(name: str) -> str:
    """Return the style sheet of a panel, in the theme of napari's that has this name."""
    theme = get_theme(name)
    points = int(theme.font_size.removesuffix("pt"))
    ink, paper = colour_in(name, "text"), colour_in(name, "background")
    blue, field = colour_in(name, "current"), colour_in(name, "primary")
    red = _mix(colour_in(name, "error"), QColor("#ff5a5a"), 0.6 * (theme.type == "dark"))
    text, accent, error = ink.name(), blue.name(), red.name()
    warning, edge = colour_in(name, "warning").name(), colour_in(name, "secondary").name()
    hint, faint = _mix(ink, paper, 0.35).name(), _mix(paper, field, 0.45).name()
    accent_hover = _mix(blue, ink, 0.15).name()
    link = _mix(blue, ink, 0.45).name()  # readable on the background
    return f"""
        QLabel[role="heading"] {{ font-weight: 600; font-size: {points + 2}pt; }}
        QLabel[role="group"] {{ font-weight: 600; color: {text}; }}
        QLabel[role="hint"] {{ color: {hint}; }}
        QLabel[role="error"] {{ color: {error}; }}
        QLabel[role="figure"] {{ font-weight: 600; font-size: {points + 9}pt; }}
        QPushButton {{ padding: 5px 10px; border-radius: 3px; }}
        QPushButton[role="primary"] {{
            background-color: {accent}; font-weight: 600; padding: 8px 12px;
        }}
        QPushButton[role="primary"]:hover {{ background-color: {accent_hover}; }}
        QPushButton[role="primary"]:disabled {{
            background-color: {faint}; color: {hint}; border: 0px;
        }}
        QPushButton[role="small"] {{ padding: 2px 4px; }}
        QPushButton[role="link"], QToolButton[role="link"] {{
            background: transparent; color: {link}; padding: 2px 0px;
            text-align: left; border: 0px;
        }}
        QPushButton[role="link"]:hover, QToolButton[role="link"]:hover {{
            text-decoration: underline;
        }}
        QToolButton[role="fold"] {{
            background: transparent; color: {hint};
            border: 0px; padding: 2px 0px;
        }}
        QToolButton[role="fold"]:hover {{ color: {text}; }}
        QToolButton[role="question"] {{
            background: transparent; color: {text}; font-weight: 600;
            font-size: {points + 2}pt; border: 0px; padding: 2px 0px;
        }}
        QToolButton[role="question"]:hover {{ color: {link}; }}
        QFrame[role="message"] {{
            background-color: {faint}; border-radius: 3px;
            border-left: 3px solid {accent};
        }}
        QFrame[role="message"][level="error"] {{ border-left-color: {error}; }}
        QFrame[role="message"][level="note"] {{ border-left-color: {warning}; }}
        QWidget[role="answer"] {{ background: transparent; }}
        QFrame[role="drop"] {{ border: 1px dashed {edge}; border-radius: 4px; }}
        QFrame[role="drop"][over="true"] {{ border: 1px solid {accent}; }}
        QFrame[role="line"] {{ background-color: {faint}; max-height: 1px; border: 0px; }}
        QSpinBox, QDoubleSpinBox {{ min-height: 20px; }}
        QLineEdit {{ min-height: 20px; padding: 1px 5px; border-radius: 2px; }}
        QComboBox {{ min-height: 18px; }}
        QLineEdit[refused="true"], QComboBox[refused="true"], QSpinBox[refused="true"],
        QDoubleSpinBox[refused="true"] {{
            border: 1px solid {error}; color: {error};
        }}
        QComboBox[refused="true"] QLineEdit {{ color: {error}; }}
        QTreeWidget::indicator:unchecked {{ border: 1px solid {hint}; border-radius: 2px; }}
        QScrollArea {{ border: 0px; }}
    """


def _mix(a: QColor, b: QColor, share: float) -> QColor:
    """Return the colour that lies ``share`` of the way from ``a`` to ``b``."""
    keep = 1.0 - share
    return QColor(
        round(a.red() * keep + b.red() * share),
        round(a.green() * keep + b.green() * share),
        round(a.blue() * keep + b.blue() * share),
    )
