"""Containers and codecs: what each can hold, and the presets that choose them."""
