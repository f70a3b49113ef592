"""How far the evidence behind a number carries: grades of fitted predictions and of published rows.

A lever is as good as the weakest of what it rests on: the fitted model where it prices the deployments, and
every published row behind its settings. A row stands in its own regime only; a setting with no row that
stands there is outside its regime, one with no row at all a judgement, and both have the last grade.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.levers import EvidenceOf
from pipeline.assumptions.serving import Serving
from pipeline.contracts.published import GRADES, WORST
from pipeline.errors import InputError
from pipeline.estimate.cost_curves import MeanLengths, configurations
from pipeline.fit.serving.costs import request_cost
from pipeline.fit.serving.model import read_model
from pipeline.fit.serving.prepare import VLLM

# What the fitted model says of a deployment rests on: pipeline/fit/serving/predictive.py.
GRADE_OF_BASIS = {"measured configuration": "B", "same model": "B", "pooled": "B", "extrapolated": "C"}
LENGTHS = MeanLengths(1000.0, 300.0, 0.8)  # the basis does not depend on them
Bases = Callable[[Sequence[Deployment]], list[str]]
EITHER = "both"  # regime of a row that was shown for short and for long queries
PRODUCTION = "measured-production"
OUTSIDE = "outside its regime: what it rests on was shown for other queries"
JUDGED = "a judgement sets it"
IN_PRACTICE = "services do it already: what they gain from it is no saving still to come"


@dataclass(frozen=True)
class Standing:
    """What settings rest on in one regime: the weakest grade, the rows that stand, and what to say of it."""

    grade: str
    keys: tuple[str, ...]
    in_practice: bool
    note: str | None

    @property
    def evidence(self) -> str | None:
        """Keys as LEVER_SYSTEMS has them."""
        return ";".join(self.keys) or None

    def noted(self, *others: str | None) -> str | None:
        """The note, after others."""
        return "; ".join(part for part in (*others, self.note) if part) or None


@dataclass(frozen=True)
class PublishedEvidence:
    """Published rows by key (grade, regime, method), and their keys by setting."""

    rows: pd.DataFrame
    named: EvidenceOf

    @classmethod
    def of(cls, named: EvidenceOf, levers: pd.DataFrame, routers: pd.DataFrame) -> "PublishedEvidence":
        """Rows of LEVERS and ROUTERS; raises InputError for a key that is in neither."""
        tables = [levers, routers.assign(method="measured-benchmark")]
        rows = pd.concat([table[["key", "grade", "regime", "method"]] for table in tables]).set_index("key")
        for setting, keys in named:
            unknown = [key for key in keys if key not in rows.index]
            if unknown:
                raise InputError(
                    f"params.yaml, assumptions.levers.evidence.{setting}: {unknown[0]!r} is no row of "
                    "data/published/levers.csv or routers.csv"
                )
        return cls(rows, named)

    def standing(self, setting: str, regime: str) -> Standing:
        """What a setting rests on in a regime."""
        named = self.rows.loc[getattr(self.named, setting)]
        stand = named[named["regime"].isin([regime, EITHER])]
        in_practice = bool((stand["method"] == PRODUCTION).any())
        if stand.empty:
            return Standing(WORST, (), False, JUDGED if named.empty else OUTSIDE)
        note = IN_PRACTICE if in_practice else None
        return Standing(weakest(stand["grade"]), tuple(map(str, stand.index)), in_practice, note)


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
