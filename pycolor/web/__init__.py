"""Pages served to this machine alone."""
