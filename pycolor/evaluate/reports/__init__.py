"""What an evaluation found, as tables, plots and sheets of pictures."""
