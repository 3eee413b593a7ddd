"""The machine: files that appear whole, optional packages, progress."""
