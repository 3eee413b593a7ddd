"""The plan on the desk: its changes, their journal, its file."""
