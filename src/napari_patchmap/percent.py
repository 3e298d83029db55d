"""How shares are written wherever they are told."""

from __future__ import annotations


def percent(share: float) -> str:
    """Write a share in whole per cent.

    Examples
    --------
    >>> percent(0.714)
    '71 %'
    """
    return f"{share:.0%}".replace("%", " %")
