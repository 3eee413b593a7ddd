"""Parts of our own network: the trunk, attention, hints, levels, surfaces."""
