"""Films that are pictures: files and numbered sequences of any kind, their tags and headers."""
