"""Frames by themselves, in any order: previews, and the clips of other programs."""
