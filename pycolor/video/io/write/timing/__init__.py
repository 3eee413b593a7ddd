"""The times of a film on a container's clock: the clock itself, and what a muxer is told of it."""
