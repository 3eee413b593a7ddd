"""What a training says of itself: its log, its validation, sheets of pictures."""
