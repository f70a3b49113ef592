"""The published analysis on the authors' random stream: NumPy's legacy generator in their order of draws.

Each script starts from the seed; per model it draws output lengths, then utilisation, then PUE; then the
levers, each in the size of the cut blend. Everything is one replicate, (1, draws). This order gives every
value that the released scripts print (tests/published/test_authors.py).
"""

import copy
from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.core.assumption import Distribution, Exponential, LogNormal
from pipeline.core.columns import REGIMES, Regime
from pipeline.core.units import Array
from pipeline.published.model.contract import AUTHORS_STREAM
from pipeline.published.model.draws import Band, FleetResult, Result, Tables, assemble
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
from pipeline.published.model.settings import AsPublished, AuthorsStream, Base, known

INTERVAL = "P5-P95 of {resamples} bootstrap means"
MIXED_INTERVAL = "shares of the P5 and of the P95 of the parts"


def draw(rng: np.random.RandomState, distribution: Distribution, size: int) -> Array:
    """Draw as the scripts draw the two families they use; any other family by inversion."""
    if isinstance(distribution, Exponential):
        return rng.exponential(distribution.scale, size)
    if isinstance(distribution, LogNormal):
        return distribution.above + rng.lognormal(distribution.mu, distribution.sigma, size)
    return distribution.ppf(rng.uniform(size=size))


def estimate(published: AsPublished, fits: Mapping[str, ThroughputFit]) -> Tables:
    """Every script in both regimes, and the fleet."""
    stream = published.authors_stream
    energy: list[Result] = []
    tokens: list[Result] = []
    blends: dict[Regime, Array] = {}
    for regime in REGIMES:
        for script in stream.scripts:
            rng = np.random.RandomState(stream.seed)
            for variant in script:
                base = published.variants[variant]
                lengths, energies = model_draws(rng, published, base, fits, regime)
                members = blend_members(energies, base.blend.models)
                name, levers = variant + AUTHORS_STREAM, LEVERS[regime]
                if variant == stream.fleet:
                    tokens += token_results(stream, base, name, regime, lengths)
                    blends[regime] = uncut_blend(energies, members)
                else:
                    levers = tuple(item for item in levers if item != "routing")
                gains = LeverDraws(rng, base)
                parts = subjects(base, energies, members, levers, gains)
                energy += [Result.of_ordered(name, regime, subject, values) for subject, values in parts]
    return assemble(ANALYSIS, energy, list(fleet(stream, published.variants[stream.fleet], blends)), tokens)


def model_draws(
    rng: np.random.RandomState,
    published: AsPublished,
    base: Base,
    fits: Mapping[str, ThroughputFit],
    regime: Regime,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Output tokens and energy (Wh) of each model's queries, (1, draws), in the authors' order."""
    size = published.authors_stream.draws_per_model
    lengths, energies = {}, {}
    for model in published.models:
        tokens = np.round(draw(rng, output_length(base, regime), size))
        drawn = base.power_coupling is None
        utilisation = draw(rng, base.power_utilisation.distribution, size)[None] if drawn else None
        pue = draw(rng, base.pue.distribution, size)[None]
        lengths[model.name] = tokens[None]
        energies[model.name] = query_energy_wh(
            base, model, fits[model.name], output_tokens=tokens[None], utilisation=utilisation, pue=pue
        )
    return lengths, energies


class LeverDraws:
    """Levers from the script's stream; routing as the long fleet script has it, second, after hardware."""

    def __init__(self, rng: np.random.RandomState, base: Base) -> None:
        self._rng, self._base = rng, base
        self._fleet_rng = copy.deepcopy(rng)

    def __call__(self, name: str, members: list[str], blend: Array) -> Array:
        """The lever's draws in the shape of the blend, drawn for what is not cut."""
        kept = ~np.isnan(blend)
        size = int(kept.sum())
        rng = self._rng
        if name == "routing":
            rng = self._fleet_rng
            draw(rng, lever(self._base, "hardware"), size)
        gain = np.full(blend.shape, np.nan)
        gain[kept] = draw(rng, lever(self._base, name), size)
        return gain


def token_results(
    stream: AuthorsStream, base: Base, variant: str, regime: Regime, lengths: Mapping[str, Array]
) -> list[Result]:
    """Output lengths of each model, and those drawn anew from the seed for the scripts' histogram."""
    histogram = draw(np.random.RandomState(stream.seed), output_length(base, regime), stream.draws_per_model)
    parts = {**lengths, "histogram": histogram[None]}
    return [Result.of_tokens(variant, regime, subject, tokens) for subject, tokens in parts.items()]


def fleet(stream: AuthorsStream, base: Base, blends: Mapping[Regime, Array]) -> Iterator[FleetResult]:
    """Fleet energy: median, P5 and P95 of bootstrap means; the mixed fleets add those of their parts."""
    bootstrap = bootstrap_gwh(stream, base, blends)
    variant, size = stream.fleet + AUTHORS_STREAM, blends["short"].size
    interval = INTERVAL.format(resamples=stream.bootstrap_resamples)
    for scenario, values in bootstrap.items():
        yield FleetResult(variant, scenario, "total", Band.of(values), interval, size)
    share = known(base.long_share)
    for scenario, ending in (("mixed", ""), ("mixed_improved", "_improved")):
        short, long = (1 - share) * bootstrap[f"short{ending}"], share * bootstrap[f"long{ending}"]
        yield FleetResult(variant, scenario, "short", Band.of(short), MIXED_INTERVAL, size)
        yield FleetResult(variant, scenario, "long", Band.of(long), MIXED_INTERVAL, size)
        total = Band.of(short).plus(Band.of(long), error=float((short + long).std(ddof=1)))
        yield FleetResult(variant, scenario, "total", total, MIXED_INTERVAL, 2 * size)


def bootstrap_gwh(stream: AuthorsStream, base: Base, blends: Mapping[Regime, Array]) -> dict[str, Array]:
    """GWh/day of each resample, (resamples,), by scenario."""
    samples, factors = {}, []
    for regime in REGIMES:
        blend = blends[regime][0]
        rng = np.random.RandomState(stream.seed)
        draw(rng, output_length(base, regime), stream.draws_per_model)  # the histogram comes first
        samples[str(regime)] = blend
        samples[f"{regime}_improved"] = blend / draw(rng, improved(base, regime), len(blend))
        factors += [daily_gwh_per_wh(base, regime)] * 2
    # Seeded anew for each sample, the scripts resample all alike: the indices are drawn once.
    rng = np.random.RandomState(stream.seed)
    stacked = np.stack(list(samples.values()))
    size = stacked.shape[1]
    means = [stacked[:, rng.randint(0, size, size)].mean(axis=1) for _ in range(stream.bootstrap_resamples)]
    return dict(zip(samples, (np.array(means) * factors).T, strict=True))
