"""Encoded segments: kept, found again, joined to an output."""
