"""How long a training takes: one clock, what steps are expected to take, what is said of it."""
