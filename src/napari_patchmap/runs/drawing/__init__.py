"""Figures to print: what they can be set to, their page, and what is drawn on it."""
