"""A film's color as a chroma-only master, and back onto the film."""
