"""Widgets and helpers that every panel is made of."""
