"""Which objective trains which network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pycolor.models.colorizer import Colorizer
from pycolor.models.networks.cheng2015 import Cheng2015
from pycolor.models.networks.hwang2016 import Hwang2016
from pycolor.models.networks.iizuka2016 import Iizuka2016
from pycolor.models.networks.richart2017 import Richart2017
from pycolor.models.networks.varga2017 import Varga2017
from pycolor.train.data.labels import label_source
from pycolor.train.data.photos import Photo
from pycolor.train.objectives.cheng2015 import Cheng2015Objective
from pycolor.train.objectives.hwang2016 import Hwang2016Objective
from pycolor.train.objectives.iizuka2016 import Iizuka2016Objective
from pycolor.train.objectives.objective import Objective
from pycolor.train.objectives.richart2017 import Richart2017Objective
from pycolor.train.objectives.varga2017 import Varga2017Objective
from pycolor.train.objectives.zhang2016 import Classification, Regression
from pycolor.train.recipes.options import TrainOptions

# Models with an objective of their own.
OWN: dict[type[Colorizer], type[Objective]] = {
    Iizuka2016: Iizuka2016Objective,
    Hwang2016: Hwang2016Objective,
    Varga2017: Varga2017Objective,
    Cheng2015: Cheng2015Objective,
    Richart2017: Richart2017Objective,
}


def objective_for(network: Colorizer, options: TrainOptions, device: torch.device) -> Objective:
    """The objective of a network: its own, or the plain one for its kind of output."""
    for kind, own in OWN.items():
        if isinstance(network, kind):
            return own(options, device)
    plain = Classification if network.palette is not None else Regression
    return plain(options, device)


def network_options(options: TrainOptions, photos: Sequence[Photo]) -> dict[str, Any]:
    """What builds the network: the user's options, and what the photographs decide of it."""
    chosen = options.network_options
    classified = options.model == "iizuka2016" and chosen.get("global_features", True)
    if classified and "classes" not in chosen:
        chosen["classes"] = len(label_source(options.labels, photos).names)
    return chosen
