"""A film by stages: prepared, then colored and encoded segment by segment."""
