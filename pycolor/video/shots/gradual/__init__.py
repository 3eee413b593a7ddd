"""Transitions that take many frames: dissolves and fades."""
