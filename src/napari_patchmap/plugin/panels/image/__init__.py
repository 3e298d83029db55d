"""The images beside the map."""
