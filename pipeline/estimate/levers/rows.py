"""Rows of LEVER_SYSTEMS: a gain drawn in every world, or the span of published values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.levers import BOUNDS, LEVER_SYSTEMS, PERCENTILES
from pipeline.contracts.read import validate
from pipeline.estimate import nested

Array = NDArray[np.float64]
# Claims of the published analysis by group of levers.
CLAIMS = {
    "models": "blog.models",
    "routing": "blog.models",
    "serving": "blog.serving",
    "hardware": "blog.hardware",
    "combined": "blog.combined",
}
BLEND_WORDS = "the blend of models above 200 B parameters"
BASIS_OF_GRADE = {"A": "measured energy", "B": "measured energy", "C": "simulation", "D": "statement"}


def band(values: Array, replicates: int, prefix: str = "") -> dict[str, float]:
    """PERCENTILES over worlds, (replicates x outer,), and the Monte Carlo error of p50, by name."""
    return nested.band(values, replicates, list(PERCENTILES.values()), prefix)


def worlds_within(gain: Array, ends: tuple[float, float]) -> dict[str, float]:
    """Share of the worlds whose gain is between the ends of the combined claim, and at least either."""
    low, high = ends
    return {
        "worlds_8_to_20": float(np.mean((gain >= low) & (gain <= high))),
        "worlds_at_least_8": float(np.mean(gain >= low)),
        "worlds_at_least_20": float(np.mean(gain >= high)),
    }


def span(values: Sequence[float], low: float, high: float) -> dict[str, float]:
    """Least, middle and largest of published values; ends blank where there is but one number."""
    one = len(values) == 1 and low == high
    ends = (np.nan, np.nan) if one else (low, high)
    middle = float(np.median(values))
    return {
        "p5": ends[0],
        "p25": np.nan,
        "p50": middle,
        "p75": np.nan,
        "p95": ends[1],
        "mc_error_p50": np.nan,
    }


def bound_of(interval: object) -> str | None:
    """`up to` and `more than` of LEVERS as a bound; None for whatever is none."""
    return str(interval) if interval in BOUNDS else None


def at_bound(value: float, bound: str) -> dict[str, float]:
    """Percentiles of a bound: its one end, and no middle."""
    end = dict(zip(BOUNDS, ("p95", "p5"), strict=True))[bound]
    return {**dict.fromkeys([*PERCENTILES, "mc_error_p50"], np.nan), end: value}


def bounded(gain: Array, replicates: int, bound: str | None) -> Array | Mapping[str, float]:
    """Draws of a gain; those of a bound as the median of where it lies."""
    return gain if bound is None else at_bound(band(gain, replicates)["p50"], bound)


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
    bound: str | None = None
    quantity: str = "energy"
    load: str | None = None
    boundary: str = "facility"
    n_values: float = np.nan
    evidence: str | None = None
    note: str | None = None


def system_table(rows: Sequence[Row], claims: pd.DataFrame, replicates: int) -> pd.DataFrame:
    """LEVER_SYSTEMS; claims: CLAIMS of data/published by key."""
    found = [_record(row, claims, replicates) for row in rows]
    table = pd.DataFrame(found, columns=list(LEVER_SYSTEMS.columns))
    return validate(table, LEVER_SYSTEMS, "levers by system")


def _record(row: Row, claims: pd.DataFrame, replicates: int) -> dict[str, Any]:
    key = CLAIMS.get(row.group)
    if (key == "blog.serving" and row.regime != "long") or row.quantity != "energy":
        key = None  # the claim is about long queries; all claims are about energy
    low, high = (claims.loc[key, end] if key else np.nan for end in ("low", "high"))
    gain = dict(row.gain) if isinstance(row.gain, Mapping) else band(np.asarray(row.gain), replicates)
    names = ("group", "system", "regime", "load", "compared", "quantity", "boundary", "basis", "grade",
             "bound", "n_values", "evidence", "sources", "note")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        **gain,
        "published_claim": key,
        "published_low": low,
        "published_high": high,
    }


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
        boundary = found["boundary"].iloc[0] if len(set(found["boundary"])) == 1 else "not-stated"
        for one in ("short", "long") if regime == "both" else (regime,):
            rows.append(
                Row(
                    group, system, one, "; ".join(found["quantity"].unique()), BASIS_OF_GRADE[grade],
                    grade, gain, ";".join(dict.fromkeys(found["source"])),
                    bound=str(bound) or None, load=str(load) or None,
                    boundary=str(boundary) if boundary in ("gpu", "node", "facility") else "not-stated",
                    n_values=float(len(values)), evidence=";".join(found["key"]), note=_span_note(found),
                )
            )  # fmt: skip
    return rows


def _span_note(found: pd.DataFrame) -> str | None:
    return "; ".join(found["note"].dropna()) or None
