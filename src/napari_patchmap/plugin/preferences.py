"""What a person prefers on this computer, as napari's Preferences have it, and its effect.

The manifest describes the values (``configurations`` in ``napari.yaml``), napari shows them
and keeps them in its settings folder. An older napari has none, and the defaults hold.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_patchmap.networks.trained.networks_folder import prefer_networks_in
from napari_patchmap.patches.cache.cache_folder import prefer_cache
from napari_patchmap.plugin.torch_threads import prefer_threads

#: The name of the plugin, and of the page of its preferences in the manifest.
_PLUGIN, _PAGE = "napari-patchmap", "computer"


@dataclass(frozen=True)
class Preferences:
    """Values that are preferred; the environment and the command line go before them.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        Where a training computes when nothing else is chosen.
    minutes : float
        What a training is given when nothing else is chosen.
    threads : int
        CPU threads that compute; 0 for as many as there are cores.
    cache_folder : str
        Where decoded patches are kept; "" for the usual place.
    cache_gigabytes : float
        How much they may take; 0 for as much as the disk has room.
    networks_folder : str
        Where downloaded networks are kept; "" for the usual places.
    """

    device: str = "auto"
    minutes: float = 5.0
    threads: int = 0
    cache_folder: str = ""
    cache_gigabytes: float = 0.0
    networks_folder: str = ""


class KeptPreferences:
    """The preferences of this program, of which all windows have the same.

    Signals
    -------
    changed(Preferences, Preferences)
        Those of now, and those of before.
    """

    changed = Signal(object, object)

    def __init__(self) -> None:
        self.now = Preferences()
        self._settings: Any = None

    def take_up(self) -> Preferences:
        """Read what is preferred and follow it from now on; may be called again and again."""
        # napari makes others when a plugin comes or goes.
        settings = _settings()
        if settings is not self._settings:
            self._settings = settings
            if settings is not None:
                settings.events.connect(self._read)
            self._read()
        return self.now

    @property
    def trouble(self) -> str:
        """Which folders are not followed, and why, in a sentence; "" where all are."""
        given = {
            "decoded images": (self.now.cache_folder, self._cache),
            "downloaded networks": (self.now.networks_folder, self._networks),
        }
        wrong = [
            f"{text.strip()!r} for {what}"
            for what, (text, folder) in given.items()
            if text.strip() and folder is None
        ]
        return (
            f"In napari's Preferences of Patchmap, {' and '.join(wrong)} is not the whole path "
            "of a folder that can be used; the usual place is taken."
            if wrong
            else ""
        )

    @property
    def _cache(self) -> Path | None:
        return _folder(self.now.cache_folder, written=True)

    @property
    def _networks(self) -> Path | None:
        """Return the folder of networks; one that can only be read serves as well."""
        return _folder(self.now.networks_folder)

    def _read(self, _: Any = None) -> None:
        before, values = self.now, asdict(Preferences())
        for field in fields(Preferences):
            values[field.name] = getattr(self._settings, field.name, values[field.name])
        self.now = now = Preferences(**values)
        prefer_cache(self._cache, now.cache_gigabytes * 1e9)
        prefer_networks_in(self._networks)
        if now.threads != before.threads:
            prefer_threads(now.threads)
        if now != before:
            self.changed.emit(now, before)


def _settings() -> Any:
    """Return napari's settings of the plugin, None where this napari has none."""
    with contextlib.suppress(ImportError, KeyError, AttributeError):
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(_PLUGIN), _PAGE)
    return None


def _folder(text: str, *, written: bool = False) -> Path | None:
    """Return a folder that was typed; None for anything but the whole path of a usable one."""
    try:
        path = Path(text.strip()).expanduser()
        there = next((one for one in (path, *path.parents) if one.exists()), path)
    except (RuntimeError, OSError):  # the home of nobody: somebody is typing
        return None
    usable = path.is_absolute() and there.is_dir()
    usable = usable and (not written or os.access(there, os.W_OK))
    return path if usable else None


#: Those of this program.
PREFERENCES = KeptPreferences()
