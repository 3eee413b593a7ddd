"""Coloring a film from file to file, segment by segment."""
