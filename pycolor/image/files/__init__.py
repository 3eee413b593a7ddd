"""Picture files: read and written, with their profiles."""
