"""Rows of LEVER_SYSTEMS: a gain drawn in every world, or the span of published values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.levers import LEVER_SYSTEMS, PERCENTILES
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
    if key == "blog.serving" and row.regime != "long":
        key = None  # the claim is about long queries
    low, high = (claims.loc[key, end] if key else np.nan for end in ("low", "high"))
    gain = dict(row.gain) if isinstance(row.gain, Mapping) else band(np.asarray(row.gain), replicates)
    names = ("group", "system", "regime", "load", "compared", "boundary", "basis", "grade", "n_values",
             "evidence", "sources", "note")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        "quantity": "energy",
        **gain,
        "published_claim": key,
        "published_low": low,
        "published_high": high,
    }


def published_rows(levers: pd.DataFrame) -> list[Row]:
    """Published values of energy, the span of each system, regime, load and grade; levers: LEVERS."""
    energy = levers[levers["unit"] == "x less energy"].copy()
    energy["load"] = energy["load"].fillna("")
    rows = []
    groups: Any = energy.groupby(["group", "system", "regime", "load", "grade"], sort=False)
    for (group, system, regime, load, grade), found in groups:
        values = found["value"].tolist()
        low = float(found["low"].fillna(found["value"]).min())
        high = float(found["high"].fillna(found["value"]).max())
        boundary = found["boundary"].iloc[0] if len(set(found["boundary"])) == 1 else "not-stated"
        for one in ("short", "long") if regime == "both" else (regime,):
            rows.append(
                Row(
                    group, system, one, "; ".join(found["quantity"].unique()), BASIS_OF_GRADE[grade],
                    grade, span(values, low, high), ";".join(dict.fromkeys(found["source"])),
                    load=str(load) or None,
                    boundary=str(boundary) if boundary in ("gpu", "node", "facility") else "not-stated",
                    n_values=float(len(values)), evidence=";".join(found["key"]), note=_span_note(found),
                )
            )  # fmt: skip
    return rows


def _span_note(found: pd.DataFrame) -> str | None:
    bounds = found["interval"].isin(["upper bound"]).sum()
    parts = [f"{bounds} of {len(found)} printed as `up to`"] if bounds else []
    return "; ".join([*parts, *found["note"].dropna()]) or None
