"""Train map."""
