"""The tables that every analysis writes: one row a result, tidy, each table against its contract."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.read import validate
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET, TOKEN_LENGTHS, Regime
from pipeline.estimate.summaries import LOG10_WH_EDGES, Summary, histogram_table, summarise
from pipeline.files import write_parquet

Array = NDArray[np.float64]
CONTRACTS = {"energy": ENERGY_PER_QUERY, "fleet": FLEET, "tokens": TOKEN_LENGTHS}
BOUNDARY = "facility"
WH_EDGES = 10**LOG10_WH_EDGES
# 15 and 250 tokens a bin: a twentieth of the median, up to ten medians.
TOKEN_EDGES: dict[Regime, Array] = {
    "short": np.arange(0.0, 3001.0, 15.0),
    "long": np.arange(0.0, 50001.0, 250.0),
}


@dataclass(frozen=True)
class Result:
    """One summary with what it is of."""

    variant: str
    regime: Regime
    subject: str
    summary: Summary
    boundary: str = BOUNDARY

    @classmethod
    def of(
        cls, variant: str, regime: Regime, subject: str, energy_wh: Array, boundary: str = BOUNDARY
    ) -> "Result":
        """Summarise draws of energy, (replicates, draws)."""
        return cls(variant, regime, subject, summarise(energy_wh, WH_EDGES), boundary)

    @classmethod
    def of_tokens(cls, variant: str, regime: Regime, subject: str, tokens: Array) -> "Result":
        """Summarise draws of output length, (replicates, draws)."""
        return cls(variant, regime, subject, summarise(tokens, TOKEN_EDGES[regime]))

    @property
    def keys(self) -> dict[str, str]:
        """The columns that say what the summary is of."""
        return {"variant": self.variant, "regime": self.regime, "subject": self.subject}


@dataclass(frozen=True)
class Band:
    """A value in GWh/day with a lower and upper end and its Monte Carlo standard error."""

    value_gwh: float
    low_gwh: float
    high_gwh: float
    error_gwh: float

    @classmethod
    def of(cls, resamples_gwh: Array) -> "Band":
        """Median, P5, P95 and standard deviation of bootstrap resamples."""
        value, low, high = (float(item) for item in np.percentile(resamples_gwh, [50, 5, 95]))
        return cls(value, low, high, float(resamples_gwh.std(ddof=1)))

    def plus(self, other: "Band", *, error: float) -> "Band":
        """Value and ends added one by one; the error of the sum has to be known."""
        low, high = self.low_gwh + other.low_gwh, self.high_gwh + other.high_gwh
        return Band(self.value_gwh + other.value_gwh, low, high, error)


@dataclass(frozen=True)
class FleetResult:
    """Energy of all queries of a day; `interval` says what the ends of the band are."""

    variant: str
    scenario: str
    component: str
    band: Band
    interval: str
    draws: int


@dataclass(frozen=True)
class Tables:
    """What a stream hands on: results, and the histograms that figures read.

    Results have a contract each; histograms (of energy at the facility) a row for every bin that holds draws.
    """

    energy: pd.DataFrame
    fleet: pd.DataFrame
    tokens: pd.DataFrame
    energy_histograms: pd.DataFrame
    token_histograms: pd.DataFrame

    def save(self, folder: Path) -> None:
        """Write each table as <folder>/<name>.parquet."""
        for field in fields(self):
            write_parquet(getattr(self, field.name), folder / f"{field.name}.parquet")

    @classmethod
    def read(cls, folder: Path) -> "Tables":
        """Read what `save` wrote."""
        return cls(**{field.name: pd.read_parquet(folder / f"{field.name}.parquet") for field in fields(cls)})


def concatenate(parts: Sequence[Tables]) -> Tables:
    """The tables of several streams or analyses, one below the other, validated again."""
    together = {
        field.name: pd.concat([getattr(part, field.name) for part in parts], ignore_index=True)
        for field in fields(Tables)
    }
    for name, contract in CONTRACTS.items():
        validate(together[name], contract, name)
    return Tables(**together)


def assemble(analysis: str, energy: list[Result], fleet: list[FleetResult], tokens: list[Result]) -> Tables:
    """The tables of one analysis, validated; rows in the order in which they were computed."""
    return Tables(
        energy=validate(_energy_table(analysis, energy), ENERGY_PER_QUERY, "energy"),
        fleet=validate(_fleet_table(analysis, fleet), FLEET, "fleet"),
        tokens=validate(_token_table(analysis, tokens), TOKEN_LENGTHS, "tokens"),
        energy_histograms=_energy_histograms(analysis, energy),
        token_histograms=_token_histograms(analysis, tokens),
    )


def _energy_table(analysis: str, results: Iterable[Result]) -> pd.DataFrame:
    rows = [
        {"analysis": analysis, **item.keys, "boundary": item.boundary, **item.summary.columns("wh")}
        for item in results
    ]
    return pd.DataFrame(rows)


def _token_table(analysis: str, results: Iterable[Result]) -> pd.DataFrame:
    rows = [{"analysis": analysis, **item.keys, **item.summary.columns("tokens")} for item in results]
    return pd.DataFrame(rows)


def _fleet_table(analysis: str, results: Iterable[FleetResult]) -> pd.DataFrame:
    rows = [
        {
            "analysis": analysis,
            "variant": item.variant,
            "scenario": item.scenario,
            "component": item.component,
            "boundary": BOUNDARY,
            "value_gwh_per_day": item.band.value_gwh,
            "p5_gwh_per_day": item.band.low_gwh,
            "p95_gwh_per_day": item.band.high_gwh,
            "interval": item.interval,
            "mc_error_gwh_per_day": item.band.error_gwh,
            "n_draws": item.draws,
        }
        for item in results
    ]
    return pd.DataFrame(rows)


def _energy_histograms(analysis: str, results: Iterable[Result]) -> pd.DataFrame:
    parts = [
        histogram_table(
            item.summary.counts,
            LOG10_WH_EDGES,
            low="log10_wh_low",
            high="log10_wh_high",
            analysis=analysis,
            **item.keys,
        )
        for item in results
        if item.boundary == BOUNDARY
    ]
    return pd.concat(parts, ignore_index=True)


def _token_histograms(analysis: str, results: Iterable[Result]) -> pd.DataFrame:
    parts = [
        histogram_table(
            item.summary.counts,
            TOKEN_EDGES[item.regime],
            low="tokens_low",
            high="tokens_high",
            analysis=analysis,
            **item.keys,
        )
        for item in results
    ]
    return pd.concat(parts, ignore_index=True)
