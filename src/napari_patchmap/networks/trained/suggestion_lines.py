"""What is said of networks that are suggested, in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari_patchmap.networks.trained.cost import Cost
from napari_patchmap.networks.trained.known_networks import KnownNetwork

#: Over the columns of :func:`rows_of`.
HEADING = ("network", "size", "trained at", "licence", "ask first", "1,000 patches", "name")

_UNKNOWN = "not known"


def rows_of(
    networks: Sequence[KnownNetwork], costs: Mapping[str, Cost]
) -> list[tuple[str, ...]]:
    """Return a row of texts for each network, below ``HEADING``."""
    return [
        (
            one.title,
            f"{one.megabytes:,.0f} MB" if one.millions else _UNKNOWN,
            f"{one.side} px" + (f", {one.mpp:.2g} µm/px" if one.mpp else ""),
            one.licence or _UNKNOWN,
            "yes" if one.gated else "no",
            said_of(costs.get(one.name)),
            one.name,
        )
        for one in networks
    ]


def said_of(cost: Cost | None) -> str:
    """Say what a network takes for 1,000 patches, as the estimate that it is."""
    if cost is None:
        return _UNKNOWN
    worked_out = "" if cost.tried else " (worked out)"
    return f"about {duration_of(cost)} at {cost.side} px{worked_out}"


def duration_of(cost: Cost) -> str:
    """Say how long a network takes for 1,000 patches, to two digits."""
    seconds = cost.seconds
    if seconds < 100:
        return f"{float(f'{seconds:.2g}'):g} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
