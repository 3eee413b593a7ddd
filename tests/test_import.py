"""Importing pycolor is quick, quiet and harmless."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, sys
before = dict(os.environ)
import pycolor
import pycolor.cli
assert dict(os.environ) == before, "environment changed"
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"av", "ray"}, loaded & {"av", "ray"}
assert not any(name.startswith("pycolor.train") for name in sys.modules)
from pycolor import Predictor
assert not any(name.startswith("pycolor.train") for name in sys.modules)
assert "av" not in sys.modules
assert dict(os.environ) == before, "environment changed by torch or the kernels"
for name in pycolor.__all__:
    getattr(pycolor, name)
"""


def test_import_changes_nothing_and_loads_little() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_unknown_name_is_an_attribute_error() -> None:
    program = "import pycolor; pycolor.nothing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "has no attribute 'nothing'" in done.stderr
