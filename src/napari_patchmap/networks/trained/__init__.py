"""Networks that others trained: found by name, rebuilt from what is written with a run."""
