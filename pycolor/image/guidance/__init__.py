"""Pictures that lead a model: recognized, brought to the film's geometry, read."""
