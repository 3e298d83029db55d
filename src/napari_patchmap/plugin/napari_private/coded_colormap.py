"""Colours of very many objects of a Labels layer, by a table of codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from pydantic import PrivateAttr

from napari_patchmap.explore.number_codes import NumberCodes


class CodedColormap(DirectLabelColormap):
    """Colours of the objects of a Labels layer, made in a moment of however many there are.

    napari's own keeps a dictionary with a colour for each object. To make one of 300,000
    takes seconds, painting by it goes through all of them again, and without numba it
    refuses numbers beyond 65,536. Here a pixel is looked up in a table of small codes.
    """

    _codes: Any = PrivateAttr(None)
    _palette: Any = PrivateAttr(None)

    @classmethod
    def of(cls, codes: NumberCodes, palette: np.ndarray, layer: Labels) -> CodedColormap:
        """Make the colours of a layer.

        Parameters
        ----------
        codes : NumberCodes
            Row of the palette of each object; row 0 for numbers that it does not know.
        palette : ndarray of float32, shape (k, 4)
            RGBA, 0 to 1.
        layer : Labels
            Which of its objects is shown alone, if one is, stays so.
        """
        made = cls(
            color_dict={None: palette[0], 0: palette[int(codes.of(np.array(0)))]},
            selection=layer.selected_label,
            use_selection=layer.show_selected_label,
        )
        made._codes, made._palette = codes, palette
        return made

    def map(self, values: Any) -> np.ndarray:
        """Return the RGBA of numbers of objects, ``values.shape + (4,)``."""
        values = np.asarray(values)
        mapped = self._map_without_cache(values)
        if self.use_selection:
            mapped[values != self.selection] = 0
        return mapped

    @property
    def _num_unique_colors(self) -> int:
        return 0 if self._palette is None else len(self._palette)

    def _map_without_cache(self, values: np.ndarray) -> np.ndarray:
        mapped: np.ndarray = self._palette[self._codes.of(values)]
        return mapped

    def _data_to_texture(self, values: Any) -> Any:
        if values.dtype.itemsize <= 2:
            return super()._data_to_texture(values)  # as they are
        if self.use_selection:
            codes = np.asarray(values == self.selection)
        else:
            codes = self._codes.of(values)
        # The type that napari expects of so many colours.
        few = self._num_unique_colors + 2 <= np.iinfo(np.uint8).max
        codes = codes.astype(np.uint8 if few else np.uint16, copy=False)
        return codes if isinstance(values, np.ndarray) else codes[()]

    def _selection_as_minimum_dtype(self, dtype: np.dtype) -> int:
        return int(self._data_to_texture(dtype.type(self.selection)))

    def _values_mapping_to_minimum_values_set(self, apply_selection: bool = True) -> Any:
        if self.use_selection and apply_selection:
            return {}, {0: np.zeros(4), 1: self._map_without_cache(np.array(self.selection))}
        return {}, dict(enumerate(self._palette))
