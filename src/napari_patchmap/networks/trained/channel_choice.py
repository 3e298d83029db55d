"""Which channels of patches a trained network is given, and how."""

from __future__ import annotations

from collections.abc import Sequence

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.trained.named_channels import (
    find_channels,
    in_order,
    is_named,
    parse_pairs,
)
from napari_patchmap.networks.trained.origin import Origin
from napari_patchmap.networks.trained.trained_record import ChannelUse

#: Networks of so many channels see any image: grey, or grey three times.
_OF_ANY = (1, 3)


def choose_channels(
    origin: Origin,
    takes: int,
    channels: int,
    wanted: ChannelUse | None,
    names: Sequence[str] = (),
    said: str | None = None,
) -> tuple[ChannelUse, tuple[int, ...], tuple[str, ...]]:
    """Decide how a network that takes so many channels sees patches of so many.

    Parameters
    ----------
    origin : Origin
    takes, channels : int
        Of the network and of the patches.
    wanted : ChannelUse or None
        What a person chose.
    names : sequence of str
        Of the patches' channels.
    said : str, optional
        Which of them is which of the network's.

    Returns
    -------
    use : ChannelUse
    picked : tuple of int
        Channels that the network is given, in its order; empty for all of them.
    told : tuple of str
        What people should know of it.

    Raises
    ------
    ConfigError
        If that cannot be done.
    """
    name, pairs = origin.name, parse_pairs(said)
    theirs = origin.channel_names if len(origin.channel_names) == takes else ()
    use = wanted
    if use is None:
        plain = channels == takes and not pairs
        use = "as-is" if plain else "named" if theirs or pairs else "each"
        if theirs and plain and is_named(names):
            use = "named"
    if pairs and use != "named":
        raise ConfigError(
            f"Channels of the network are named, which is not followed where they are given as "
            f"{use!r}; leave one of the two out."
        )
    if use == "named":
        theirs = theirs or tuple(pairs)
        if len(theirs) != takes:
            raise ConfigError(
                f"{name} takes {takes} channels and does not say which; name each of them, in "
                "its order, with the channel of the patches that it is (--channels-of-network "
                "DNA=Hoechst,...)."
            )
        picked = find_channels(name, theirs, names, pairs)
        given = [names[index] for index in picked]
        return "named", picked, (f"channels by name: {in_order(theirs, given)}",)
    if use == "as-is" and channels != takes:
        raise ConfigError(
            f"{name} takes {takes} channels and the patches have {channels}; give each channel "
            "as grey, let the first layer be adapted, or choose other channels."
        )
    if use == "each" and takes not in _OF_ANY:
        raise ConfigError(
            f"{name} takes its own {takes} channels, and the patches have {channels}; choose "
            f"{takes} channels in its order, let the first layer be adapted, or choose another "
            "network."
        )
    if use == "as-is" and theirs and len(names) == takes:
        return use, (), (f"channels in their order: {in_order(theirs, names)}",)
    return use, (), ()
