"""Weight files: written, read, recognized, published, cached."""
