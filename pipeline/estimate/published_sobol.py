"""The published analysis on our own stream: scrambled Sobol points, each result with its Monte Carlo error.

All variants and both regimes use the same points (common random numbers), so that differences between them
are sharper than the values. Arrays are (replicates, draws).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.published import AsPublished, Base, known
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.results import REGIMES, Regime
from pipeline.distributions import Distribution
from pipeline.estimate.published_energy import (
    ANALYSIS,
    LEVERS,
    blend_members,
    improved,
    lever,
    output_length,
    query_energy_wh,
    subjects,
    uncut_blend,
)
from pipeline.estimate.published_fleet import daily_gwh_per_wh
from pipeline.estimate.sobol import points, stage_seed
from pipeline.estimate.tables import Band, FleetResult, Result, Tables, assemble
from pipeline.fit.published_throughput import ThroughputFit

Array = NDArray[np.float64]
STAGE = "estimate_published"
DIMENSIONS = (
    "output_tokens",
    "power_utilisation",
    "pue",
    "hardware",
    "model",
    "serving",
    "routing",
    "improved",
)
INTERVAL = "90 % Monte Carlo interval of the mean"
THREADS = 2
Z90 = 1.645  # half width of a 90 % interval in standard errors


class Draws:
    """Values of every quantity of every model; kept, since variants and regimes share most of them."""

    def __init__(self, published: AsPublished, simulation: Simulation) -> None:
        names = [model.name for model in published.models]
        seeds = stage_seed(simulation, STAGE).spawn(len(names))
        self._points = {
            name: points(seed, simulation, len(DIMENSIONS)) for name, seed in zip(names, seeds, strict=True)
        }
        self._values: dict[tuple[str, str, Distribution], Array] = {}
        self._lock = Lock()

    def values(self, model: str, dimension: str, distribution: Distribution) -> Array:
        """Draws of one quantity of one model, (replicates, draws)."""
        key = (model, dimension, distribution)
        with self._lock:  # else two variants at a time would both draw what they share
            if key not in self._values:
                self._values[key] = distribution.ppf(self._points[model][DIMENSIONS.index(dimension)])
            return self._values[key]

    def beside(self, members: list[str], dimension: str, distribution: Distribution) -> Array:
        """Draws of one quantity for a blend, (replicates, members x draws)."""
        return np.concatenate([self.values(name, dimension, distribution) for name in members], axis=1)


def estimate(published: AsPublished, fits: Mapping[str, ThroughputFit], simulation: Simulation) -> Tables:
    """Every variant in both regimes; output lengths are summarised for the fleet's variant alone."""
    draws = Draws(published, simulation)
    energy: list[Result] = []
    tokens: list[Result] = []
    fleets: list[FleetResult] = []

    def of_variant(variant: str) -> tuple[list[Result], list[FleetResult]]:
        base = published.variants[variant]
        results: list[Result] = []
        means: dict[str, Array] = {}
        for regime in REGIMES:
            energies = model_energies(draws, published, base, fits, regime)
            results += regime_results(draws, base, variant, regime, energies)
            means |= fleet_means(draws, base, regime, energies)
        return results, list(fleet_results(base, variant, means, blend_draws(base, simulation)))

    # NumPy releases the interpreter lock; the results do not depend on the number of threads.
    with ThreadPoolExecutor(THREADS) as pool:
        for results, of_fleet in pool.map(of_variant, published.variants):
            energy += results
            fleets += of_fleet
    variant = published.authors_stream.fleet
    base = published.variants[variant]
    for regime in REGIMES:
        names = [model.name for model in published.models]
        lengths = np.round(draws.beside(names, "output_tokens", output_length(base, regime)))
        tokens.append(Result.of_tokens(variant, regime, "all models", lengths))
    return assemble(ANALYSIS, energy, fleets, tokens)


def model_energies(
    draws: Draws,
    published: AsPublished,
    base: Base,
    fits: Mapping[str, ThroughputFit],
    regime: Regime,
) -> dict[str, Array]:
    """Energy (Wh) of each model's queries."""
    energies = {}
    for model in published.models:
        coupled = base.power_coupling is not None
        energies[model.name] = query_energy_wh(
            base,
            model,
            fits[model.name],
            output_tokens=np.round(draws.values(model.name, "output_tokens", output_length(base, regime))),
            utilisation=None
            if coupled
            else draws.values(model.name, "power_utilisation", base.power_utilisation.distribution),
            pue=draws.values(model.name, "pue", base.pue.distribution),
        )
    return energies


def regime_results(
    draws: Draws, base: Base, variant: str, regime: Regime, energies: Mapping[str, Array]
) -> list[Result]:
    """Models, blend and pathways of one variant in one regime."""

    def gain(name: str, members: list[str], blend: Array) -> Array:
        return draws.beside(members, name, lever(base, name))

    def result(part: tuple[str, Array]) -> Result:
        return Result.of(variant, regime, *part)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(result, subjects(base, energies, LEVERS[regime], gain)))


def fleet_means(draws: Draws, base: Base, regime: Regime, energies: Mapping[str, Array]) -> dict[str, Array]:
    """GWh/day of a fleet that serves one regime, each replicate's, as it is and improved."""
    members = blend_members(energies, base.blend.models)
    blend = uncut_blend(energies, members)
    gain = draws.beside(members, "improved", improved(base, regime))
    factor = daily_gwh_per_wh(base, regime)
    return {
        regime: blend.mean(axis=1) * factor,
        f"{regime}_improved": (blend / gain).mean(axis=1) * factor,
    }


def blend_draws(base: Base, simulation: Simulation) -> int:
    """How many queries a blend's mean rests on."""
    return base.blend.models * simulation.replicates * simulation.draws_per_replicate


def fleet_results(base: Base, variant: str, means: Mapping[str, Array], draws: int) -> Iterator[FleetResult]:
    """The six scenarios; the mixed ones with their two parts."""

    def result(scenario: str, component: str, values: Array, draws: int) -> FleetResult:
        value, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
        band = Band(value, value - Z90 * error, value + Z90 * error, error)
        return FleetResult(variant, scenario, component, band, INTERVAL, draws)

    for scenario, values in means.items():
        yield result(scenario, "total", values, draws)
    share = known(base.long_share)
    for scenario, ending in (("mixed", ""), ("mixed_improved", "_improved")):
        short, long = (1 - share) * means[f"short{ending}"], share * means[f"long{ending}"]
        yield result(scenario, "short", short, draws)
        yield result(scenario, "long", long, draws)
        yield result(scenario, "total", short + long, 2 * draws)
