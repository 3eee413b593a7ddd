"""Films written: encoder, muxer, side streams, tags."""
