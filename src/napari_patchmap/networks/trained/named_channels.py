"""Giving a network its channels by their names: DNA may be called Hoechst in the images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from napari_patchmap.errors import ConfigError

#: Names of the same thing: structures and the dyes that show them.
_ALIKE = tuple(
    frozenset(names.split())
    for names in (
        "dna nucleus nuclei dapi hoechst hoechst33342 hoechst33258 draq5",
        "er endoplasmicreticulum concanavalina cona",
        "rna syto14 nucleoli nucleolirna",
        "agp actin phalloidin wga phalloidinwga actingolgiplasmamembrane",
        "mito mitochondria mitochondrion mitotracker mitotrackerdeepred",
        "brightfield bf transmitted transmittedlight",
        "microtubules tubulin alphatubulin",
    )
)

_OPTION = "--channels-of-network"


def parse_pairs(text: str | None) -> dict[str, str]:
    """Read ``NETWORK'S=PATCHES', ...`` as the patches' channel of each of a network's.

    Raises
    ------
    ConfigError
        If it is not written so.
    """
    pairs = {}
    for part in (text or "").split(","):
        left, equals, right = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not (left and equals and right):
            raise ConfigError(
                f"Channels of the network are written as DNA=Hoechst,ER=ConA (the network's "
                f"name first), not {part.strip()!r}."
            )
        pairs[left] = right
    return pairs


def find_channels(
    network: str, wanted: Sequence[str], have: Sequence[str], said: Mapping[str, str]
) -> tuple[int, ...]:
    """Return which channel of the patches is each of a network's, by their names.

    Parameters
    ----------
    network : str
        Its name, for sentences.
    wanted : sequence of str
        The channels that it takes, in its order.
    have : sequence of str
        Those of the patches.
    said : mapping of str to str
        What a person said: from names of the network's to names of the patches'.

    Raises
    ------
    ConfigError
        If a channel is missing, or what was said is not there.
    """
    _check_said(network, wanted, have, said)
    told = {_plain(left): _index(right, have) for left, right in said.items()}
    found: list[int | None] = []
    for name in wanted:
        index = told.get(_plain(name))
        found.append(_match(name, have) if index is None else index)
    missing = [name for name, index in zip(wanted, found, strict=True) if index is None]
    if missing:
        raise ConfigError(
            f"{network} takes the channels {', '.join(wanted)}, and of the patches' "
            f"({', '.join(have)}) none is known to be {' or '.join(missing)}; say which it is "
            f"({_OPTION} {missing[0]}=NAME), or give the network each channel as grey "
            "(--channel-use each) if it takes colour images."
        )
    return tuple(index for index in found if index is not None)


def in_order(wanted: Sequence[str], have: Sequence[str]) -> str:
    """Say which channel of the patches is taken as which of a network's."""
    pairs = zip(wanted, have, strict=True)
    return ", ".join(a if _plain(a) == _plain(b) else f"{b} as {a}" for a, b in pairs)


def is_named(have: Sequence[str]) -> bool:
    """Whether channels have names of their own, and not only numbers."""
    return not all(re.fullmatch(r"(channel|c|ch)?[ _-]?\d{1,2}", one.lower()) for one in have)


def _check_said(
    network: str, wanted: Sequence[str], have: Sequence[str], said: Mapping[str, str]
) -> None:
    for left, right in said.items():
        if _plain(left) not in map(_plain, wanted):
            raise ConfigError(
                f"{network} takes no channel {left!r}; it takes {', '.join(wanted)}."
            )
        if _index(right, have) is None:
            raise ConfigError(
                f"The patches have no channel {right!r}; they have {', '.join(have)}."
            )


def _index(name: str, have: Sequence[str]) -> int | None:
    """Find a channel of the patches by its name, or its number from 1."""
    plain = [_plain(one) for one in have]
    if _plain(name) in plain:
        return plain.index(_plain(name))
    number = int(name) if name.isdecimal() else 0
    return number - 1 if 1 <= number <= len(have) else None


def _match(name: str, have: Sequence[str]) -> int | None:
    """Find the one channel that is called so, or shows the same; None where several do."""
    plain, wanted = [_plain(one) for one in have], _plain(name)
    alike = next((names for names in _ALIKE if wanted in names), frozenset({wanted}))
    for fits in (
        [one == wanted for one in plain],
        [one in alike for one in plain],
        # As wavelengths stand in names: 647 in "Alexa Fluor 647".
        [wanted.isdecimal() and wanted in one for one in plain],
    ):
        if sum(fits) == 1:
            return fits.index(True)
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
