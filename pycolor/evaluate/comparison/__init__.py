"""Two films beside each other, to be looked at."""
