"""A film opened: a file, a pipe or numbered pictures; and whether a file ends too early."""
