"""What a hand-made descriptor sees of a gray picture: of a pixel's surroundings, of the whole."""
