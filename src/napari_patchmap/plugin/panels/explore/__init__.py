"""Explore, and the gallery below the map."""
