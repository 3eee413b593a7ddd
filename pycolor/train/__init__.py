"""Training: photographs, film augmentation, losses and the loop."""
