"""The published recipe, the same for every random stream: energy per query, blend, pathways.

Energies are Wh a query at the facility (node power times PUE), in arrays of (replicates, draws).
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.published import Base, PublishedModel, Trim, known
from pipeline.contracts.results import Regime
from pipeline.distributions import Distribution
from pipeline.estimate.summaries import sorted_quantiles
from pipeline.fit.published_throughput import ThroughputFit
from pipeline.units import SECONDS_PER_HOUR, WATTS_PER_KW

Array = NDArray[np.float64]
ANALYSIS = "as_published"
# In the order in which the released scripts draw them; routing follows where there is a token budget to cut.
LEVERS: dict[Regime, tuple[str, ...]] = {
    "short": ("hardware", "model", "serving"),
    "long": ("hardware", "model", "serving", "routing"),
}


def energy_wh(
    *, pue: Array, node_power_kw: float, utilisation: Array, tokens: Array, tokens_per_s: Array
) -> Array:
    """Energy of a query: the node's power while it makes the tokens alone, times PUE."""
    hours = tokens / tokens_per_s / SECONDS_PER_HOUR
    return pue * (node_power_kw * WATTS_PER_KW) * utilisation * hours


def query_energy_wh(
    base: Base,
    model: PublishedModel,
    fit: ThroughputFit,
    *,
    output_tokens: Array,
    utilisation: Array | None,
    pue: Array,
) -> Array:
    """Energy of each drawn query of one model; without `utilisation` it follows from throughput."""
    input_tokens = known(base.input_tokens)
    tokens_per_s = fit.tokens_per_s(input_tokens, output_tokens)
    if utilisation is None:
        utilisation = coupled_utilisation(base, tokens_per_s / fit.largest_tokens_per_s)
    tokens = output_tokens
    if base.input_tokens_per_output_token is not None:
        tokens = output_tokens + input_tokens / known(base.input_tokens_per_output_token)
    power = known(getattr(base, model.node_power))
    return energy_wh(
        pue=pue, node_power_kw=power, utilisation=utilisation, tokens=tokens, tokens_per_s=tokens_per_s
    )


def coupled_utilisation(base: Base, load: Array) -> Array:
    """Share of maximum power at a share `load` of the largest throughput."""
    if base.power_coupling is None:
        raise ValueError("utilisation is neither drawn nor coupled to throughput")
    return known(base.power_coupling.at_zero) + known(base.power_coupling.span) * load


def output_length(base: Base, regime: Regime) -> Distribution:
    """Distribution of output tokens before rounding."""
    chosen = base.output_tokens_short if regime == "short" else base.output_tokens_long
    return chosen.distribution


def lever(base: Base, name: str) -> Distribution:
    """Distribution of the number by which a lever divides energy."""
    gain: Distribution = getattr(base, f"lever_{name}").distribution
    return gain


def improved(base: Base, regime: Regime) -> Distribution:
    """Distribution of the number by which the improved fleet divides energy."""
    return (base.improved_short if regime == "short" else base.improved_long).distribution


def blend_members(energies: Mapping[str, Array], size: int) -> list[str]:
    """The models with the highest median energy, highest first."""
    return sorted(energies, key=lambda model: -float(np.median(energies[model])))[:size]


def trimmed(energy: Array, trim: Trim | None) -> Array:
    """Each replicate cut to the outer percentiles, the rest to the inner (bounds kept); NaN where cut."""
    if trim is None:
        return energy
    ordered = np.sort(energy, axis=1)
    first = np.zeros(len(energy), dtype=np.int64)
    last = np.full(len(energy), energy.shape[1] - 1, dtype=np.int64)
    for percentiles in (trim.outer, trim.inner):
        low, high = np.split(sorted_quantiles(ordered, first, last, percentiles), 2, axis=1)
        first, last = (ordered < low).sum(axis=1), (ordered <= high).sum(axis=1) - 1
    return np.where((energy >= low) & (energy <= high), energy, np.nan)


def uncut_blend(energies: Mapping[str, Array], members: list[str]) -> Array:
    """All draws of the members side by side, (replicates, members x draws)."""
    return np.concatenate([energies[member] for member in members], axis=1)


def subjects(
    base: Base,
    energies: Mapping[str, Array],
    levers: tuple[str, ...],
    gain: Callable[[str, list[str], Array], Array],
) -> Iterator[tuple[str, Array]]:
    """Each subject of the per-query results with its draws: the models, the blend, each lever on the blend.

    `gain(lever, members, blend)` gives the lever's draws in the shape of the blend; called in order.
    """
    yield from energies.items()
    members = blend_members(energies, base.blend.models)
    cut = {member: trimmed(energies[member], base.trim) for member in members}
    blend = uncut_blend(cut, members)
    yield "blend", blend
    for name in levers:
        yield f"blend + {name}", blend / gain(name, members, blend)
