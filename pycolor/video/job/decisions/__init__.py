"""What people decided, brought to the frames of a film: plans, guidance, kept projects."""
