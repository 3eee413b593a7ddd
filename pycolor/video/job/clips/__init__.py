"""Clips of other programs, colored frame by frame in any order."""
