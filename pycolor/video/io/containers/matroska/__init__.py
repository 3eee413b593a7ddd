"""Matroska's header: what FFmpeg neither reads of it nor writes into it."""
