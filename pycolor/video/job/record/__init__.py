"""The record of a colored film: report, sidecar, cue sheet, and what decided its bits."""
