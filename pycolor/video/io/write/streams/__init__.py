"""What a film holds beside its picture, on its way into an output."""
