"""What is done with each frame of a film, decided before any of it is colored."""
