"""A decoded frame: its planes, its pixel format, and what film it is of."""
