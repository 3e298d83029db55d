"""Load patches."""
