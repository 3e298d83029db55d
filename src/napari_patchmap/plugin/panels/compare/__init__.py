"""Compare maps."""
