"""napari-patchmap: turn images of cells into a 2-D map that can be explored.

The engine (everything but :mod:`napari_patchmap.plugin`) needs neither napari
nor Qt. Importing this package is cheap: the rooms are imported on first use.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("napari-patchmap")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
