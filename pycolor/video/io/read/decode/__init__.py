"""Packets to frames: decoded, in order, within a range."""
