"""The papers' claims, measured: networks that differ in one thing alone, trained alike.

python -m benchmarks.claims DATA OUT [--only NAME ...] [--seed N] [--write]

DATA holds train/ (color photographs) and eval/ (others, which no training sees).  Each variant is
trained from noise into OUT and judged as `pycolor evaluate` judges; one that stands there already
is not trained again, so that several processes can share the work.  What OUT holds then goes to
docs/results/claims.json and into the table of docs/models.md (--write does only that).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

from benchmarks.page import DOCS, RESULTS, fill_in, table
from pycolor.evaluate.report import Report, digits
from pycolor.evaluate.run import evaluate
from pycolor.info import record
from pycolor.models import zoo
from pycolor.options import (
    ClusteringOptions,
    CropOptions,
    Decode,
    EvaluateOptions,
    PredictOptions,
    TrainOptions,
    VideoOptions,
)
from pycolor.train.film import CLEAN
from pycolor.train.loop import train

# ---- what is trained -----------------------------------------------------------------------------

# One to two minutes of a core each; the papers knew no film, so the luma is clean.
ALIKE = TrainOptions(
    steps=1000,
    batch=32,
    lr=2e-3,
    warmup_steps=50,
    decay=0.5,
    ema=0.99,
    validation=64,
    validate_every=250,
    threads=1,
    workers=1,
    crop=CropOptions(size_pixels=64),
    film=CLEAN,
)
SMALL = CropOptions(size_pixels=48)  # for networks that end at the input's own size
ZHANG = replace(ALIKE, model="zhang2016", width=0.15)
HWANG = replace(ALIKE, model="hwang2016", width=0.15, batch=16, crop=SMALL)
IIZUKA = replace(ALIKE, model="iizuka2016", width=0.2, labels="clusters:32")
RICHART = replace(ALIKE, model="richart2017", width=1.0, batch=16, crop=SMALL, dtype="float32")
CHENG = replace(
    ALIKE,
    model="cheng2015",
    width=0.1,
    steps=300,
    batch=16,
    clustering=ClusteringOptions(references=1200, short_side=64, samples=128, fewest=40),
)
ONE_PERCEPTRON = replace(CHENG.clustering, clusters=1, layers=1)

TRAINED: dict[str, TrainOptions] = {
    "zhang2016, regression": replace(ZHANG, network="task=regression"),
    "zhang2016, classification": replace(ZHANG, uniform=1.0),
    "zhang2016, rebalanced": replace(ZHANG, uniform=0.5),
    "hwang2016, regression": replace(HWANG, network="task=regression"),
    "hwang2016, classification": replace(HWANG, uniform=1.0),
    "hwang2016, rebalanced": replace(HWANG, uniform=0.5),
    "iizuka2016, local": replace(IIZUKA, network="global_features=false"),
    "iizuka2016, joint": replace(IIZUKA, network="side=64"),
    "richart2017, 4 neurons": replace(RICHART, network="rows=2,columns=2"),
    "richart2017, 9 neurons": replace(RICHART, network="rows=3,columns=3"),
    "cheng2015, one perceptron": replace(CHENG, clustering=ONE_PERCEPTRON),
    "cheng2015, clusters": CHENG,
    "cheng2015, no semantics": replace(CHENG, network="classes=0"),
}
