"""What a person prefers on this computer, as napari's Preferences have it, and its effect.

The manifest describes the values (``configurations`` in ``napari.yaml``), napari shows them
and keeps them in its settings folder. An older napari has none, and the defaults hold.
"""

from __future__ import annotations

import contextlib
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

    def _read(self, _: Any = None) -> None:
        before, values = self.now, asdict(Preferences())
        for field in fields(Preferences):
            values[field.name] = getattr(self._settings, field.name, values[field.name])
        self.now = now = Preferences(**values)
        prefer_cache(_folder(now.cache_folder), now.cache_gigabytes * 1e9)
        prefer_networks_in(_folder(now.networks_folder))
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


def _folder(text: str) -> Path | None:
    """Return a folder that was typed; None for anything but a whole path of a folder."""
    try:
        path = Path(text.strip()).expanduser()
    except RuntimeError:  # the home of nobody: somebody is typing
        return None
    return path if path.is_absolute() and not path.is_file() else None


#: Those of this program.
PREFERENCES = KeptPreferences()
