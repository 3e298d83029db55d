"""Where napari enters: menu, reader, sample data, and the command that opens a run."""
