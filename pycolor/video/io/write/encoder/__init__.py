"""The encoder of the picture: chosen, opened, fed."""
