"""How shares and other numbers are written wherever they are told."""

from __future__ import annotations


def percent(share: float) -> str:
    """Write a share in whole per cent.

    Examples
    --------
    >>> percent(0.714)
    '71 %'
    """
    return f"{share:.0%}".replace("%", " %")


def rounded(value: float, digits: int = 3) -> str:
    """Write a number with so many digits that count, a large one whole: no power of ten.

    Examples
    --------
    >>> rounded(3.14159), rounded(19_200.4), rounded(0.00002)
    ('3.14', '19,200', '2e-05')
    """
    text = f"{value:,.{digits}g}"
    return f"{value:,.0f}" if "e+" in text else text
