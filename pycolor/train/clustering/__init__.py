"""Palettes and clusters that are learned."""
