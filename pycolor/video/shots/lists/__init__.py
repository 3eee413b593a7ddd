"""Lists of shots as files: CSV, EDL, JSON, timelines of other programs."""
