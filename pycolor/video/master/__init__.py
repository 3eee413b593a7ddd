"""Chroma-only masters: the color of a film as pictures of its size, and back onto any version."""
