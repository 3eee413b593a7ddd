"""Training data: photographs, what makes film of them, labels, pairs."""
