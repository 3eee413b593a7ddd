"""Weight files of other frameworks, as state dicts by our names."""
