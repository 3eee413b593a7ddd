"""Picture files: read, colored, written."""
