"""Settings of the augmentations and the presets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from napari_patchmap.errors import ConfigError
from napari_patchmap.settings import Config, setting

#: What can be switched off alone, and the settings that do it.
_OFF = {
    "crop": ("crop",),
    "flips": ("flip_horizontal", "flip_vertical"),
    "right-angles": ("right_angles",),
    "rotations": ("rotate",),
    "jitter": ("jitter",),
    "grey": ("grey",),
    "blur": ("blur",),
    "tilts": ("perspective",),
    "solarise": ("solarise",),
}
SWITCHES: tuple[str, ...] = tuple(_OFF)

#: Brightness, contrast, saturation and hue that Ciga et al. 2022 compare; medium was best.
JITTERS = {
    "light": (0.4, 0.4, 0.4, 0.2),
    "medium": (0.8, 0.8, 0.8, 0.2),
    "heavy": (0.8, 0.8, 0.8, 0.4),
}

#: Presets, and in what they differ from the defaults.
_PRESETS: dict[str, dict[str, Any]] = {
    "natural": {"flip_vertical": False, "right_angles": False, "rotate": False},
    "right-angles": {"rotate": False},
    "rotations": {},
    "histology": {"crop_smallest": 0.01, "rotate": False, "grey": False, "blur": True},
    "dino": {
        "crop_smallest": 0.5,
        "perspective": True,
        "right_angles": False,
        "rotate_degrees": 180.0,
        "saturation": 0.2,
        "blur": True,
        "blur_most": 5.0,
        "solarise": True,
    },
}
PRESETS: tuple[str, ...] = tuple(_PRESETS)

_geometry, _colour = partial(setting, group="Geometry"), partial(setting, group="Colour")


def _share(default: float, help: str, **more: Any) -> Any:
    """Declare a setting that is a share of something, mostly of colour."""
    usual: dict[str, Any] = {"group": "Colour", "low": 0.0, "high": 1.0, "step": 0.1}
    return setting(default, help, **usual | more)


@dataclass(frozen=True)
class AugmentConfig(Config):
    """How a patch is varied into views; the network learns to ignore these changes.

    Defaults are the "rotations" preset. Magnitudes follow Nwabufo et al.,
    "Self-supervised Visualisation of Medical Image Datasets", section 4.

    Examples
    --------
    >>> from napari_patchmap.augment import AugmentConfig
    >>> config = AugmentConfig.preset("right-angles").replace(crop_smallest=0.5)
    >>> config.crop_smallest
    0.5
    """

    crop: bool = _geometry(True, "Cut out a part of the patch and enlarge it; matters most.")
    crop_smallest: float = _share(
        0.2,
        "Smallest share of the area that a crop keeps.",
        group="Geometry",
        low=0.01,
        step=0.05,
        label="Smallest crop",
    )
    crop_largest: float = _share(
        1.0,
        "Largest share of the area that a crop keeps.",
        group="Geometry",
        low=0.01,
        step=0.05,
        rare=True,
        label="Largest crop",
    )
    crop_aspect: float = _geometry(
        4 / 3,
        "A crop is at most this much wider than high, or higher than wide.",
        low=1.0,
        high=3.0,
        step=0.1,
        rare=True,
        label="Widest crop",
    )
    flip_horizontal: bool = _geometry(
        True, "Mirror left and right, in half of the views.", label="Mirror left and right"
    )
    flip_vertical: bool = _geometry(
        True, "Mirror top and bottom, in half of the views.", label="Mirror top and bottom"
    )
    right_angles: bool = _geometry(
        True, "Turn by 90 degrees, in half of the views.", label="Turn by 90 degrees"
    )
    rotate: bool = _geometry(
        True,
        "Turn by any angle; corners are filled with the mean border colour. "
        "For cells in the middle of their patch.",
        label="Turn by any angle",
    )
    rotate_degrees: float = _geometry(
        45.0,
        "Largest angle to either side; 45 with 90-degree turns and flips makes all angles "
        "equally likely.",
        unit="degrees",
        low=0.0,
        high=180.0,
        step=5.0,
        label="Largest angle",
    )
    perspective: bool = _geometry(
        False,
        "Tilt some views, as if seen from the side; corners are filled like those of turns.",
        label="Tilt some",
    )
    perspective_share: float = _share(
        0.5,
        "Share of the views that are tilted.",
        group="Geometry",
        rare=True,
        label="Share of tilted views",
    )
    perspective_most: float = _share(
        0.5,
        "Corners move by up to this share of half the side.",
        group="Geometry",
        rare=True,
        label="Strongest tilt",
    )
    jitter: bool = _colour(
        True, "Change brightness, contrast, saturation and hue.", label="Change colours"
    )
    jitter_share: float = _share(
        0.8, "Share of the views that are changed.", rare=True, label="Share of changed views"
    )
    brightness: float = _share(0.4, "Brightness changes by up to this share.")
    contrast: float = _share(0.4, "Contrast changes by up to this share.")
    saturation: float = _share(
        0.4, "Saturation changes by up to this share (colour images only)."
    )
    hue: float = _share(
        0.1,
        "Hue shifts by up to this share of the colour circle (colour images only).",
        high=0.5,
        step=0.05,
    )
    grey: bool = _colour(
        True,
        "Turn some views grey, so that shape counts (colour images only).",
        label="Turn some grey",
    )
    grey_share: float = _share(
        0.2, "Share of the views that are turned grey.", label="Share of grey views"
    )

    blur: bool = _colour(
        False, "Blur some views with a Gaussian, as if out of focus.", label="Blur some"
    )
    blur_share: float = _share(
        0.5, "Share of the views that are blurred.", rare=True, label="Share of blurred views"
    )
    blur_least: float = _colour(
        0.1,
        "Smallest standard deviation of the blur.",
        unit="px",
        low=0.01,
        high=20.0,
        step=0.1,
        rare=True,
        label="Smallest blur",
    )
    blur_most: float = _colour(
        2.0,
        "Largest standard deviation of the blur.",
        unit="px",
        low=0.01,
        high=20.0,
        step=0.1,
        rare=True,
        label="Largest blur",
    )

    solarise: bool = _colour(
        False, "Invert the bright half of the values in some views.", label="Solarise some"
    )
    solarise_share: float = _share(
        0.2,
        "Share of the views that are solarised.",
        rare=True,
        label="Share of solarised views",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for what, least, most in (
            ("crop", self.crop_smallest, self.crop_largest),
            ("blur", self.blur_least, self.blur_most),
        ):
            if least > most:
                raise ConfigError(
                    f"Smallest {what} ({least:g}) must not be above the largest ({most:g})."
                )

    def weakened(self, strength: float) -> AugmentConfig:
        """Return the same augmentations with smaller magnitudes.

        ``strength`` 1 changes nothing; at 0 crops keep the whole patch and
        colours stay. Turns, mirrors and the share of grey views are kept.
        """
        if strength == 1:
            return self
        return self.replace(
            crop_smallest=1 - strength * (1 - self.crop_smallest),
            crop_largest=1 - strength * (1 - self.crop_largest),
            perspective_most=strength * self.perspective_most,
            crop_aspect=self.crop_aspect**strength,
            brightness=strength * self.brightness,
            contrast=strength * self.contrast,
            saturation=strength * self.saturation,
            hue=strength * self.hue,
            blur_least=max(0.01, strength * self.blur_least),
            blur_most=max(0.01, strength * self.blur_most),
        )

    def jittered(self, strength: str) -> AugmentConfig:
        """Return the same augmentations with other colour changes.

        Parameters
        ----------
        strength : {"light", "medium", "heavy"}
        """
        brightness, contrast, saturation, hue = JITTERS[strength]
        return self.replace(
            jitter=True,
            brightness=brightness,
            contrast=contrast,
            saturation=saturation,
            hue=hue,
        )

    @property
    def jitter_strength(self) -> str:
        """Name of the colour jitter, one of :data:`JITTERS`, or "" for another or none."""
        return next((name for name in JITTERS if self.jittered(name) == self), "")

    @property
    def is_for_histology(self) -> bool:
        """Whether these are the augmentations of Ciga et al., with any of their jitters."""
        published = AugmentConfig.preset("histology")
        return any(self == published.jittered(strength) for strength in JITTERS)

    @property
    def called(self) -> str:
        """What people call these: a preset, one without something, or "own augmentations"."""
        presets = {name: AugmentConfig.preset(name) for name in PRESETS}
        for name, preset in presets.items():
            if self == preset:
                return name
        if self.is_for_histology:
            return f"histology, {self.jitter_strength} jitter"
        for name, preset in presets.items():
            off = [
                s for s in SWITCHES if preset.without(s) != preset and self.without(s) == self
            ]
            if off and self == preset.without(*off):
                return f"{name} without {', '.join(off)}"
        return "own augmentations"

    def without(self, *changes: str) -> AugmentConfig:
        """Return the same augmentations without some of them, as in an ablation.

        Parameters
        ----------
        changes : {"crop", "flips", "right-angles", "rotations", "jitter", "grey", "blur",
            "tilts", "solarise"}
        """
        return self.replace(**{name: False for change in changes for name in _OFF[change]})

    @classmethod
    def preset(cls, name: str) -> AugmentConfig:
        """Return a preset by name.

        ``natural``: crops, left-right flips, colour. ``right-angles``: also
        up-down flips and 90-degree turns, so that all eight symmetries of the
        square are equally likely. ``rotations``: also any angle, uniform over
        the circle. ``histology``: that of Ciga, Xu and Martel, "Self supervised
        contrastive learning for digital histopathology", 2022: crops from 1 % of
        the area, all symmetries of the square, strong colour changes and blur.
        ``dino``: that of Nielsen et al., "Self-supervision for medical image
        classification", 2024: tilts, any angle, blur and solarisation; the method
        "dino" cuts its global and local crops itself.
        """
        if name not in _PRESETS:
            raise ConfigError(
                f"Augmentations must be one of {', '.join(PRESETS)}; it was {name!r}."
            )
        made = cls(**_PRESETS[name])
        return made.jittered("medium") if name == "histology" else made
