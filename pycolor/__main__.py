"""`python -m pycolor`."""

import sys

from pycolor.cli import main

sys.exit(main())
