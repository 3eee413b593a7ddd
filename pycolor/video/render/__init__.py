"""Color layers into the chroma planes of frames."""
