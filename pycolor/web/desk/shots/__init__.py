"""What is found about shots while nobody waits for a picture."""
