"""The networks, one file each: those of six papers, and our own."""
