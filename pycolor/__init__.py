"""Color for black-and-white film."""
