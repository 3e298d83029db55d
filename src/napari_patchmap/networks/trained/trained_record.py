"""What is written down of a network that came trained, so that it can be made again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from napari_patchmap.errors import ConfigError

#: How features are taken from what a transformer makes of each part of an image: as its
#: publishers do, the class token, that and the mean of all parts, or the mean alone.
Pooling = Literal["network", "class", "class+mean", "mean"]

#: How channels are given to a network that takes others.
ChannelUse = Literal["as-is", "named", "each", "adapted"]

#: Arguments of timm that would read files or download, of which a run needs none.
_NEVER = frozenset(
    {"pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir",
     "features_only", "scriptable", "exportable", "no_jit", "num_classes", "in_chans", "device",
     "dtype", "weight_init"}
)  # fmt: skip

#: A number that is larger is no argument of a network that is used here: memory would be
#: taken for it before its weights are looked at.
_LARGEST = 8192.0

#: Largest rank of low-rank adapters.
MOST_RANK = 256

#: So many networks at most lie beside a first one.
_MOST_BESIDE = 7


@dataclass(frozen=True)
class TrainedRecord:
    """A trained network with the preparation of images that goes with it; saved with a run.

    Parameters
    ----------
    name : str
        As it was asked for: a name, or where it lies.
    architecture : str
        Name of timm's model, or of torchvision's where ``library`` says so.
    library : {"timm", "torchvision"}
    arguments : dict
        With which timm makes it, plain values.
    takes : int
        Channels of the images that it was trained on.
    width : int
        Features of an image, or of each channel.
    size : (height, width)
        Of the images that go in, in pixels.
    scaled : (height, width)
        To which a patch is brought before the middle is cut out of it.
    mean, std : tuple of float
        Of each channel, of images in [0, 1].
    interpolation : {"bilinear", "bicubic"}
    pooling : {"network", "class", "class+mean", "mean"}
    channels : {"as-is", "named", "each", "adapted"}
    picked : tuple of int
        Of the patches' channels those that the network takes, in its order; empty for all.
    told : tuple of str
        What people should know of how patches are seen, a sentence each.
    beside : tuple of TrainedRecord
        Networks whose features are set beside these.
    rank : int
        Of the low-rank adapters of its layers, 0 for none.
    tokens : (int, int)
        Rows and columns of parts that a transformer sees, (0, 0) of other networks.
    licence, revision, sha256 : str
        Of the weights, "" where nobody knows; the hash is that of their file.
    probe : tuple of float
        The first features of a made-up patch, by which another preparation is noticed.
    """

    name: str
    architecture: str
    takes: int
    width: int
    size: tuple[int, int]
    scaled: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    library: Literal["timm", "torchvision"] = "timm"
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    pooling: Pooling = "network"
    channels: ChannelUse = "as-is"
    tokens: tuple[int, int] = (0, 0)
    licence: str = ""
    revision: str = ""
    sha256: str = ""
    probe: tuple[float, ...] = ()
    picked: tuple[int, ...] = ()
    told: tuple[str, ...] = ()
    beside: tuple[TrainedRecord, ...] = ()
    rank: int = 0

    def lines(self) -> list[str]:
        """Say in short lines what it is and how it sees a patch."""
        height, width = self.size
        seen = f"features of {self.name} at {width} x {height} px"
        if any(self.tokens):
            seen += f" ({self.tokens[1]} x {self.tokens[0]} parts)"
        if self.pooling != "network":
            seen += f", {_SAID[self.pooling]}"
        if self.channels == "each":
            seen += ", each channel as grey"
        elif self.channels == "adapted":
            seen += ", first layer adapted to the channels"
        licence = [f"licence of the weights: {self.licence}"] if self.licence else []
        lines = [seen, *licence, *self.told]
        for one in self.beside:
            first, *more = one.lines()
            lines += [f"beside them {first}", *more]
        return lines

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild what was written as JSON, by somebody who may mean no good.

        Raises
        ------
        ConfigError
            If no network is made here from such values.
        """
        pairs = {key: _pair(values[key]) for key in ("size", "scaled", "tokens")}
        numbers = {
            key: tuple(float(one) for one in values.get(key, ()))
            for key in ("mean", "std", "probe")
        }
        lists = {
            "picked": tuple(int(one) for one in values.get("picked", ())),
            "told": tuple(str(one) for one in values.get("told", ())),
            "beside": tuple(cls._beside(one) for one in values.get("beside", ())),
        }
        if len(lists["beside"]) > _MOST_BESIDE:
            raise ConfigError(f"No run here has features of {len(lists['beside'])} networks.")
        known = cls(**{**values, **pairs, **numbers, **lists})
        check_arguments(known.arguments, known.name)
        if not 0 <= int(known.rank) <= MOST_RANK:
            raise ConfigError(f"No network here has adapters of rank {known.rank}")
        sides = (*known.size, *known.scaled, known.takes, known.width)
        picks = len(known.picked) not in (0, known.takes) or min(known.picked, default=0) < 0
        if picks or min(sides) < 1 or max(sides) > _LARGEST or min(known.std, default=0) <= 0:
            raise ConfigError(f"{known.name} is not prepared as any network here is")
        for value, kinds in ((known.pooling, Pooling), (known.channels, ChannelUse)):
            if value not in get_args(kinds):
                raise ConfigError(f"There is no {value!r} among {', '.join(get_args(kinds))}")
        return known

    @classmethod
    def _beside(cls, values: dict[str, Any]) -> Self:
        return cls.from_dict({**values, "beside": ()})


_SAID = {"class": "class token", "class+mean": "class token and mean of all parts",
         "mean": "mean of all parts"}  # fmt: skip


def check_arguments(arguments: dict[str, Any], name: str) -> None:
    """Raise a ConfigError for arguments that would do more than make a network."""
    for key, value in arguments.items():
        if key in _NEVER or not _plain(value):
            raise ConfigError(
                f"The config.json of {name} sets {key} to {value!r}, which is not followed "
                "here; take that entry out, or choose another network."
            )


def _plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    if isinstance(value, bool | str) or value is None:
        return True
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _pair(values: Any) -> tuple[int, int]:
    height, width = (int(side) for side in values)
    return height, width
