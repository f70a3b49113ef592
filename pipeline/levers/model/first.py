"""The dozen measures that a service can take, of all rows of LEVER_SYSTEMS: what to do first."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError

FITTED = "fitted model"  # how the basis of a gain of ours begins
BANDS = {  # by the grades in them
    "AB": "Measured, or fitted to measurements",
    "C": "Simulated or extrapolated",
    "D": "Assumed in part",
}
BAND = ("p5", "p50", "p95")


@dataclass(frozen=True)
class Measure:
    """A name for readers; which row it is: its system, and how `compared` begins."""

    name: str
    system: str
    compared: str = ""


MEASURES = (
    Measure("Newer chips (B200 for H100)", "B200", "B200 in fp8"),
    Measure("Newer chips in four bits", "B200", "B200 in fp4"),
    Measure("Prefix caching", "Prefix caching"),
    Measure("Eight-bit weights", "FP8", "Qwen3 235B-A22B in fp8"),
    Measure("Power caps", "Power capping and clocks"),
    Measure("Servers off when idle", "Adaptive serving"),
    Measure("Next chips (Maia 200)", "Maia 200", "Maia 200 in fp8"),
    Measure("Prefill on separate servers", "Disaggregated serving"),
    Measure("Small models where they suffice", "Task-sized models with routing"),
    Measure("Shorter answers", "Shorter outputs"),
    Measure("Best site instead of an unknown one", "Best site"),
    Measure("Speculative decoding", "Speculative decoding"),
)


def measures(systems: pd.DataFrame, regime: str) -> list[dict[str, Any]]:
    """Name, grade, band (a key of BANDS) and BAND, times less energy, of each measure in one regime.

    Raises InputError for a measure that no row, or more than one, is about.
    """
    fitted = systems["basis"].str.startswith(FITTED) & systems["load"].isna()
    ours = systems[fitted & (systems["regime"] == regime) & (systems["boundary"] == "facility")]
    return [_measure(ours, one, regime) for one in MEASURES]


def _measure(ours: pd.DataFrame, one: Measure, regime: str) -> dict[str, Any]:
    rows = ours[(ours["system"] == one.system) & ours["compared"].str.startswith(one.compared)]
    if len(rows) != 1:
        raise InputError(
            f"data/results/lever_systems.csv: {len(rows)} rows of {one.system!r}, {regime}, "
            f"{one.compared or 'any comparison'}, expected one for {one.name!r}"
        )
    (row,) = rows.to_dict("records")
    band = next(band for band in BANDS if row["grade"] in band)
    gains = {name: float(row[name]) for name in BAND}
    return {"name": one.name, "grade": row["grade"], "band": band, **gains}
