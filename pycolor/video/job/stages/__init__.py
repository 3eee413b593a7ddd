"""A film by stages: prepared, colored and encoded segment by segment, joined, checked."""
