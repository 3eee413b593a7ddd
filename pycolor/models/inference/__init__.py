"""A network's layers as they are best for prediction."""
