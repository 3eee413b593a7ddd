"""Films that are pictures: picture files of any kind decoded, their tags and headers."""
