"""A worker that notes how often it loads its model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pycolor.video.job.distribute.segment_worker import Answer, SegmentWorker


class CountingWorker(SegmentWorker):
    """Notes each load of its model, in a folder that PYCOLOR_LOADS names."""

    def introduce(self) -> Answer:
        from pycolor.models.checkpoints import weight_files

        load = weight_files.load

        def counted(*given: Any) -> Any:
            with Path(os.environ["PYCOLOR_LOADS"], str(os.getpid())).open("a") as f:
                f.write("load\n")
            return load(*given)

        weight_files.load = counted  # type: ignore[assignment]
        return super().introduce()
