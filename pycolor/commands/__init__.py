"""The commands of `pycolor`, a file each: its flags (a dataclass `Flags`) and `run(flags)`.

Heavy modules are imported inside `run`, so that help and errors of a command come at once.
"""
