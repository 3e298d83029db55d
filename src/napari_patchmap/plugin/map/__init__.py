"""The map: its points and marks, the mouse and the keys on it."""
