"""How far the evidence behind a number carries: grades of fitted predictions and of published rows."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.serving import Serving
from pipeline.contracts.published import GRADES
from pipeline.estimate.cost_curves import MeanLengths, configurations
from pipeline.fit.serving.costs import request_cost
from pipeline.fit.serving.model import read_model
from pipeline.fit.serving.prepare import VLLM

# What the fitted model says of a deployment rests on: pipeline/fit/serving/predictive.py.
GRADE_OF_BASIS = {"measured configuration": "B", "same model": "B", "pooled": "B", "extrapolated": "C"}
LENGTHS = MeanLengths(1000.0, 300.0, 0.8)  # the basis does not depend on them
Bases = Callable[[Sequence[Deployment]], list[str]]


def read_bases(settings: Serving) -> Bases:
    """The fitted model as a function that says what a deployment's prediction rests on."""
    model = read_model(settings.power_form)

    known: dict[Deployment, str] = {}

    def bases(items: Sequence[Deployment]) -> list[str]:
        new = [item for item in dict.fromkeys(items) if item not in known]
        if new:
            rows = pd.concat([configurations(item, LENGTHS).iloc[[0]] for item in new], ignore_index=True)
            cost = request_cost(rows.assign(engine=VLLM), model, settings, np.random.default_rng(0), 2)
            known.update(zip(new, map(str, cost.basis), strict=True))
        return [known[item] for item in items]

    return bases


def weakest(grades: Iterable[str]) -> str:
    """The grade that decides: the last one of GRADES."""
    order = list(GRADES)
    return max(grades, key=order.index)


def grade_of(items: Sequence[Deployment], bases: Bases) -> str:
    """Grade of a comparison of deployments by the fitted model."""
    return weakest(GRADE_OF_BASIS[basis] for basis in bases(items))
