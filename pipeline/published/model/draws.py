"""Draws of our own stream, and the tables that every analysis writes: one row a result, each to its contract.

Every quantity of every model has uniforms of its own name; those of one model fill their space evenly
(core/draws.py). All variants and both regimes use the same (common random numbers), so that differences
between them are sharper than the values. Arrays are (replicates, draws).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.assumption import Distribution
from pipeline.core.columns import ENERGY_PER_QUERY, FLEET, REGIMES, TOKEN_LENGTHS, Regime
from pipeline.core.draws import Design, Simulation
from pipeline.core.files import write_parquet
from pipeline.core.read import validate
from pipeline.core.summaries import LOG10_WH_EDGES, Summary, histogram_table, summarise, summarise_ordered
from pipeline.core.units import Z95, Array
from pipeline.published.model.energy import (
    ANALYSIS,
    LEVERS,
    ThroughputFit,
    blend_members,
    daily_gwh_per_wh,
    improved,
    lever,
    output_length,
    query_energy_wh,
    subjects,
    uncut_blend,
)
from pipeline.published.model.settings import AsPublished, Base, known

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
        return cls.of_ordered(variant, regime, subject, np.sort(energy_wh, axis=1), boundary)

    @classmethod
    def of_ordered(
        cls, variant: str, regime: Regime, subject: str, energy_wh: Array, boundary: str = BOUNDARY
    ) -> "Result":
        """The same of draws that increase along axis 1, NaN last."""
        return cls(variant, regime, subject, summarise_ordered(energy_wh, WH_EDGES), boundary)

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

    @property
    def columns(self) -> dict[str, Any]:
        """As in FLEET, but for the analysis."""
        return {
            "variant": self.variant,
            "scenario": self.scenario,
            "component": self.component,
            "boundary": BOUNDARY,
            "value_gwh_per_day": self.band.value_gwh,
            "p5_gwh_per_day": self.band.low_gwh,
            "p95_gwh_per_day": self.band.high_gwh,
            "interval": self.interval,
            "mc_error_gwh_per_day": self.band.error_gwh,
            "n_draws": self.draws,
        }


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
    return Tables(**together | {name: validate(together[name], CONTRACTS[name], name) for name in CONTRACTS})


def assemble(analysis: str, energy: list[Result], fleet: list[FleetResult], tokens: list[Result]) -> Tables:
    """The tables of one analysis, validated; rows in the order in which they were computed."""
    of = {"analysis": analysis}
    rows: dict[str, list[dict[str, Any]]] = {
        "energy": [
            {**of, **item.keys, "boundary": item.boundary, **item.summary.columns("wh")} for item in energy
        ],
        "fleet": [{**of, **item.columns} for item in fleet],
        "tokens": [{**of, **item.keys, **item.summary.columns("tokens")} for item in tokens],
    }
    facility = [item for item in energy if item.boundary == BOUNDARY and item.regime in TOKEN_EDGES]
    return Tables(
        **{name: validate(pd.DataFrame(found), CONTRACTS[name], name) for name, found in rows.items()},
        energy_histograms=_histograms(analysis, "log10_wh", [(item, LOG10_WH_EDGES) for item in facility]),
        token_histograms=_histograms(
            analysis, "tokens", [(item, TOKEN_EDGES[item.regime]) for item in tokens]
        ),
    )


def _histograms(analysis: str, unit: str, results: Iterable[tuple[Result, Array]]) -> pd.DataFrame:
    """The bins that hold draws of each result, on its edges."""
    ends = {"low": f"{unit}_low", "high": f"{unit}_high"}
    parts = [
        histogram_table(item.summary.counts, edges, **ends, analysis=analysis, **item.keys)
        for item, edges in results
    ]
    return pd.concat(parts, ignore_index=True)


TOKENS = "output_tokens"
QUANTITIES = (TOKENS, "power_utilisation", "pue", "hardware", "model", "serving", "routing", "improved")
INTERVAL = "90 % Monte Carlo interval of the mean"
THREADS = 2


class Draws:
    """Values of every quantity of every model; kept, since variants and regimes share most of them."""

    def __init__(self, simulation: Simulation) -> None:
        self._design = partial(
            Design, simulation.seed, simulation.replicates, simulation.draws_per_replicate, 1
        )
        self._shape = simulation.replicates, simulation.draws_per_replicate
        self._uniforms: dict[str, Array] = {}
        self._values: dict[tuple[str, Distribution], Array] = {}
        # One lock a quantity: two threads draw different quantities at a time, and none draws one twice.
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    def values(self, model: str, quantity: str, distribution: Distribution) -> Array:
        """Draws of one quantity of one model, (replicates, draws)."""
        together = tuple(f"published.{model}.{item}" for item in QUANTITIES)
        name = together[QUANTITIES.index(quantity)]
        with self._locks[name]:
            if name not in self._uniforms:
                self._uniforms[name] = self._design(together).uniforms(name).reshape(self._shape)
            key = name, distribution
            if key not in self._values:
                self._values[key] = distribution.ppf(self._uniforms[name])
            return self._values[key]

    def beside(self, members: list[str], quantity: str, distribution: Distribution) -> Array:
        """Draws of one quantity for a blend, (replicates, members x draws)."""
        return np.concatenate([self.values(name, quantity, distribution) for name in members], axis=1)


def estimate(published: AsPublished, fits: Mapping[str, ThroughputFit], simulation: Simulation) -> Tables:
    """Every variant in both regimes; output lengths are summarised for the fleet's variant alone."""
    draws = Draws(simulation)

    def one(of: tuple[str, Regime]) -> tuple[list[Result], dict[str, Array]]:
        variant, regime = of
        base = published.variants[variant]
        energies = model_energies(draws, published, base, fits, regime)
        members = blend_members(energies, base.blend.models)
        found = list(regime_results(draws, base, variant, regime, energies, members))
        return found, fleet_means(draws, base, regime, energies, members)

    energy: list[Result] = []
    means: defaultdict[str, dict[str, Array]] = defaultdict(dict)
    # NumPy releases the interpreter lock; the results do not depend on the number of threads.
    with ThreadPoolExecutor(THREADS) as pool:
        tokens = pool.map(partial(token_lengths, draws, published), REGIMES)
        pairs = list(product(published.variants, REGIMES))
        for (variant, _), (found, of_regime) in zip(pairs, pool.map(one, pairs), strict=True):
            energy += found
            means[variant] |= of_regime
    fleets = [
        row
        for variant, base in published.variants.items()
        for row in fleet_results(base, variant, means[variant], blend_draws(base, simulation))
    ]
    return assemble(ANALYSIS, energy, fleets, list(tokens))


def token_lengths(draws: Draws, published: AsPublished, regime: Regime) -> Result:
    """Output lengths of all models together."""
    variant = published.authors_stream.fleet
    names = [model.name for model in published.models]
    lengths = draws.beside(names, TOKENS, output_length(published.variants[variant], regime))
    return Result.of_tokens(variant, regime, "all models", np.round(lengths, out=lengths))


def model_energies(
    draws: Draws, published: AsPublished, base: Base, fits: Mapping[str, ThroughputFit], regime: Regime
) -> dict[str, Array]:
    """Energy (Wh) of each model's queries."""
    energies = {}
    for model in published.models:
        name = model.name
        utilisation = base.power_utilisation.distribution
        energies[name] = query_energy_wh(
            base,
            model,
            fits[name],
            output_tokens=np.round(draws.values(name, TOKENS, output_length(base, regime))),
            utilisation=None if base.power_coupling else draws.values(name, "power_utilisation", utilisation),
            pue=draws.values(name, "pue", base.pue.distribution),
        )
    return energies


def regime_results(
    draws: Draws, base: Base, variant: str, regime: Regime, energies: Mapping[str, Array], members: list[str]
) -> Iterator[Result]:
    """Models, blend and pathways of one variant in one regime."""

    def gain(name: str, members: list[str], blend: Array) -> Array:
        return draws.beside(members, name, lever(base, name))

    for subject, ordered in subjects(base, energies, members, LEVERS[regime], gain):
        yield Result.of_ordered(variant, regime, subject, ordered)


def fleet_means(
    draws: Draws, base: Base, regime: Regime, energies: Mapping[str, Array], members: list[str]
) -> dict[str, Array]:
    """GWh/day of a fleet that serves one regime, each replicate's, as it is and improved."""
    blend = uncut_blend(energies, members)
    gain = draws.beside(members, "improved", improved(base, regime))
    factor = daily_gwh_per_wh(base, regime)
    return {regime: blend.mean(axis=1) * factor, f"{regime}_improved": (blend / gain).mean(axis=1) * factor}


def blend_draws(base: Base, simulation: Simulation) -> int:
    """How many queries a blend's mean rests on."""
    return base.blend.models * simulation.replicates * simulation.draws_per_replicate


def fleet_results(base: Base, variant: str, means: Mapping[str, Array], draws: int) -> Iterator[FleetResult]:
    """The six scenarios; the mixed ones with their two parts."""

    def result(scenario: str, component: str, values: Array, draws: int) -> FleetResult:
        value, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
        band = Band(value, value - Z95 * error, value + Z95 * error, error)
        return FleetResult(variant, scenario, component, band, INTERVAL, draws)

    for scenario, values in means.items():
        yield result(scenario, "total", values, draws)
    share = known(base.long_share)
    for scenario, ending in (("mixed", ""), ("mixed_improved", "_improved")):
        short, long = (1 - share) * means[f"short{ending}"], share * means[f"long{ending}"]
        yield result(scenario, "short", short, draws)
        yield result(scenario, "long", long, draws)
        yield result(scenario, "total", short + long, 2 * draws)
