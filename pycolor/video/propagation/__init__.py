"""Color over time: key frames carried along motion to every frame."""
