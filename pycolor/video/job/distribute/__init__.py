"""One film by several workers on a shared folder."""
