"""The images that patches were cut out of: where they lie, and bringing them out."""
