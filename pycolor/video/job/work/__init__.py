"""The work folder: segments, what the film showed, and files that appear whole."""
