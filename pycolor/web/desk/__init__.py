"""A page on which a restorer colors a film, shot by shot."""
