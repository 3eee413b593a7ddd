"""What people decided about a film, shot by shot: as values, as a document, as work to do."""
