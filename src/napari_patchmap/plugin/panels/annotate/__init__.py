"""The "Annotate" panel: names of a person's own for the patches."""
