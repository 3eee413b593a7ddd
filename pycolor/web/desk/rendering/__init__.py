"""Frames of the film for the page: colored, kept, encoded as PNG and JPEG."""
