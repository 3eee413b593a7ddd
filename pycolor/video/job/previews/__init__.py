"""Frames as the film will show them, and the whole film at small size."""
