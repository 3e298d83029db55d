"""The two views of napari's one canvas, and what is painted above it."""
