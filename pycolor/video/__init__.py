"""Film: reading, shots, color over time, writing."""
