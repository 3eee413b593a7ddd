"""Where frames come from: a film opened anywhere, other programs, frames that are shared."""
