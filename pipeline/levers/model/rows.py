"""Rows of LEVER_SYSTEMS, and how far the evidence behind a gain carries.

A lever is as good as the weakest of what it rests on: the fitted model where it evaluates the deployments,
and every published row behind its settings. A row stands in its own regime only; a setting with no row that
stands there is outside its regime, one with no row at all a judgement, and both have the last grade.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import summaries
from pipeline.core.units import Array
from pipeline.energy.model.cost_curves import MeanLengths, configurations
from pipeline.energy.model.study import ServingModel
from pipeline.ingest.contract import LEVER_GROUPS, WORST, weakest
from pipeline.levers.model.contract import (
    BOUNDS,
    CLAIMED_TOGETHER,
    CLAIMS,
    LEVER_SYSTEMS,
    PERCENTILES,
)
from pipeline.levers.model.settings import Evidence, Levers
from pipeline.serving.model.deployments import Deployment
from pipeline.serving.model.prepare import VLLM

# What the fitted model says of a deployment rests on: pipeline/serving/model/predictive.py.
EXTRAPOLATED = "extrapolated"
GRADE_OF_BASIS = {"measured configuration": "B", "same model": "B", "pooled": "B", EXTRAPOLATED: "C"}
Bases = Callable[[Sequence[Deployment]], list[str]]
EITHER = "both"  # regime of a row that was shown for short and for long queries
PRODUCTION = "measured-production"
OUTSIDE = "outside its regime: what it rests on was shown for other queries"
JUDGED = "a judgement sets it"
IN_PRACTICE = "services do it already: what they gain from it is no saving still to come"
BLEND_WORDS = "the blend of models above 200 B parameters"
BASIS_OF_GRADE = {"A": "measured energy", "B": "measured energy", "C": "simulation", "D": "statement"}
WITH_SETTINGS = "fitted model with published settings"
AT_RATED_POWER = "published throughput and rated power"
GAINS = {"gain": "facility", "gpu_gain": "gpu"}  # of a row, by boundary


@dataclass(frozen=True)
class Strength:
    """How strong the evidence of a setting is in one regime.

    The weakest grade, the rows that stand, whether services do it already, and what to say of it.
    """

    grade: str
    keys: tuple[str, ...] = ()
    in_practice: bool = False
    note: str | None = None

    @property
    def evidence(self) -> str | None:
        """Keys as LEVER_SYSTEMS has them."""
        return ";".join(self.keys) or None

    def noted(self, *others: str | None) -> str | None:
        """The note, after others."""
        return "; ".join(part for part in (*others, self.note) if part) or None


@dataclass(frozen=True)
class PublishedEvidence:
    """Published rows by key (grade, regime, method), and what names them, by setting."""

    rows: pd.DataFrame
    named: Mapping[str, Evidence]

    @classmethod
    def of(cls, settings: Levers, levers: pd.DataFrame, routers: pd.DataFrame) -> "PublishedEvidence":
        """Rows of LEVERS and ROUTERS."""
        tables = [levers, routers.assign(method="measured-benchmark")]
        rows = pd.concat([table[["key", "grade", "regime", "method"]] for table in tables]).set_index("key")
        return cls(rows, {name: part for name, part in settings if isinstance(part, Evidence)})

    def strength(self, setting: str, regime: str) -> Strength:
        """What a setting rests on in a regime."""
        part = self.named[setting]
        rows = self.rows.loc[part.evidence]
        stand = rows[rows["regime"].isin([regime, EITHER])]
        keys = tuple(map(str, stand.index))
        if part.judged or rows.empty:
            return Strength(WORST, keys, note=JUDGED)
        if stand.empty:
            return Strength(WORST, note=OUTSIDE)
        in_practice = bool((stand["method"] == PRODUCTION).any())
        return Strength(weakest(stand["grade"]), keys, in_practice, IN_PRACTICE if in_practice else None)


def bases_of(model: ServingModel, lengths: MeanLengths) -> Bases:
    """The fitted model as a function that says what predicting a deployment as configured rests on."""
    known: dict[Deployment, str] = {}

    def bases(items: Sequence[Deployment]) -> list[str]:
        new = [item for item in dict.fromkeys(items) if item not in known]
        if new:
            rows = pd.concat([_as_configured(item, lengths) for item in new], ignore_index=True)
            cost: Any = model(rows.assign(engine=VLLM), 2)
            known.update(zip(new, map(str, cost.basis), strict=True))
        return [known[item] for item in items]

    return bases


def _as_configured(item: Deployment, lengths: MeanLengths) -> pd.DataFrame:
    """One row: the deployment at the batch of the grid that is nearest to the one it is configured for."""
    rows = configurations(item, lengths)
    wanted = float(np.log(item.concurrency.distribution.median()))
    return rows.iloc[[int(np.abs(np.log(rows["concurrency"].to_numpy(float)) - wanted).argmin())]]


def grade_of(items: Sequence[Deployment], bases: Bases) -> str:
    """Grade of a comparison of deployments by the fitted model."""
    return weakest(GRADE_OF_BASIS[basis] for basis in bases(items))


def quantiles(values: Array, replicates: int, prefix: str = "") -> dict[str, float]:
    """PERCENTILES over samples, (replicates x outer,), and the Monte Carlo error of p50, by name."""
    return summaries.band(values, replicates, list(PERCENTILES.values()), prefix)


def within_claim(gain: Array) -> dict[str, float]:
    """Share of the samples whose gain is between the ends of the combined claim, and at least either."""
    low, high = CLAIMED_TOGETHER
    return {
        "worlds_8_to_20": float(np.mean((gain >= low) & (gain <= high))),
        "worlds_at_least_8": float(np.mean(gain >= low)),
        "worlds_at_least_20": float(np.mean(gain >= high)),
    }


def over(values: Sequence[float] | Array) -> dict[str, float]:
    """Percentiles of published values, with their number."""
    found = np.percentile(values, list(PERCENTILES.values()), method="hazen")
    return {**dict(zip(PERCENTILES, map(float, found), strict=True)), "n_values": float(len(values))}


def span(values: Sequence[float], low: float, high: float) -> dict[str, float]:
    """Least, middle and largest of published values; ends blank where there is but one number."""
    one = len(values) == 1 and low == high
    ends = {} if one else {"p5": low, "p95": high}
    return {**_blank(), **ends, "p50": float(np.median(values))}


def bound_of(interval: object) -> str | None:
    """`up to` and `more than` of LEVERS as a bound; None for whatever is none."""
    return str(interval) if interval in BOUNDS else None


def at_bound(value: float, bound: str) -> dict[str, float]:
    """Percentiles of a bound: its one end, and no middle."""
    return {**_blank(), dict(zip(BOUNDS, ("p95", "p5"), strict=True))[bound]: value}


def bounded(gain: Array, replicates: int, bound: str | None) -> Array | Mapping[str, float]:
    """Draws of a gain; those of a bound as the median of where it lies."""
    return gain if bound is None else at_bound(quantiles(gain, replicates)["p50"], bound)


def _blank() -> dict[str, float]:
    return dict.fromkeys([*PERCENTILES, "mc_error_p50"], np.nan)


@dataclass(frozen=True)
class Row:
    """One row of LEVER_SYSTEMS before the claim is put beside it; gain: draws, or percentiles by name."""

    group: str
    system: str
    regime: str
    compared: str
    basis: str
    grade: str
    gain: Array | Mapping[str, float]
    sources: str
    gpu_gain: Array | None = None  # at the accelerators alone, where the gain is that of the facility
    bound: str | None = None
    quantity: str = "energy"
    load: str | None = None
    boundary: str = "facility"
    n_values: float = np.nan
    evidence: str | None = None
    note: str | None = None


def system_table(rows: Sequence[Row], replicates: int) -> pd.DataFrame:
    """LEVER_SYSTEMS, rows of one system together."""
    systems = list(dict.fromkeys((row.group, row.system) for row in rows))
    ordered = sorted(
        rows, key=lambda row: (LEVER_GROUPS.index(row.group), systems.index((row.group, row.system)))
    )
    found = pd.DataFrame([_record(row, replicates) for row in ordered])
    return found.reindex(columns=list(LEVER_SYSTEMS.columns))


def _record(row: Row, replicates: int) -> dict[str, Any]:
    # The claim about serving is about long queries; all claims are about energy.
    beside = row.quantity == "energy" and (row.group != "serving" or row.regime == "long")
    claim = CLAIMS.get(row.group) if beside else None
    columns = ("published_claim", "published_low", "published_high")
    gain = row.gain if isinstance(row.gain, Mapping) else quantiles(np.asarray(row.gain), replicates)
    at_gpus = {} if row.gpu_gain is None else quantiles(row.gpu_gain, replicates, "gpu_")
    return {**vars(row), **gain, **at_gpus, **dict(zip(columns, claim or (None, None, None), strict=True))}


def published_rows(levers: pd.DataFrame) -> list[Row]:
    """Published values of energy, the span of each system, regime, load, grade and bound; levers: LEVERS.

    Of several bounds, the one that says most: the largest `up to`, the smallest `more than`.
    """
    energy = levers[levers["unit"] == "x less energy"].copy()
    energy["load"] = energy["load"].fillna("")
    energy["bound"] = energy["interval"].map(bound_of).fillna("")
    rows = []
    groups: Any = energy.groupby(["group", "system", "regime", "load", "grade", "bound"], sort=False)
    for (group, system, regime, load, grade, bound), found in groups:
        values = found["value"].tolist()
        low = float(found["low"].fillna(found["value"]).min())
        high = float(found["high"].fillna(found["value"]).max())
        gain = at_bound(high if bound == BOUNDS[0] else low, bound) if bound else span(values, low, high)
        stated = set(found["boundary"])
        boundary = stated.pop() if len(stated) == 1 else ""
        for one in ("short", "long") if regime == EITHER else (regime,):
            rows.append(
                Row(
                    group, system, one, "; ".join(found["quantity"].unique()), BASIS_OF_GRADE[grade],
                    grade, gain, ";".join(dict.fromkeys(found["source"])),
                    bound=bound or None, load=load or None,
                    boundary=boundary if boundary in ("gpu", "node", "facility") else "not-stated",
                    n_values=float(len(values)), evidence=";".join(found["key"]),
                    note="; ".join(found["note"].dropna()) or None,
                )
            )  # fmt: skip
    return rows
