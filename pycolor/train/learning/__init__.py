"""What learns: a network, its optimizer, its checkpoints, its processes."""
