"""Films read: packets, frames, damage."""
