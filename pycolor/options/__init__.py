"""What a user can choose: small frozen dataclasses that check themselves.

The command line makes its flags from them; the attributes' descriptions are its help.
"""

from __future__ import annotations

from pycolor.options.checks import check_sensitivity
from pycolor.options.evaluation import CompareOptions, EvaluateOptions, Question, StudyOptions, View
from pycolor.options.predict import Decode, Dtype, Look, PredictOptions
from pycolor.options.propagation import PropagationMode, PropagationOptions
from pycolor.options.video import (
    ColorShots,
    Range,
    Slice,
    Tints,
    VideoOptions,
    key_values,
    slice_of,
)

__all__ = [
    "ColorShots",
    "CompareOptions",
    "Decode",
    "Dtype",
    "EvaluateOptions",
    "Look",
    "PredictOptions",
    "PropagationMode",
    "PropagationOptions",
    "Question",
    "Range",
    "Slice",
    "StudyOptions",
    "Tints",
    "VideoOptions",
    "View",
    "check_sensitivity",
    "key_values",
    "slice_of",
]
