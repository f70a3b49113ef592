"""The figures of the paper, drawn from the as-published analysis."""

from pipeline.assumptions.figures import Width
from pipeline.present.figures.published import (
    fleet,
    input_length,
    pathways,
    per_query_by_model,
    power_coupling,
    token_lengths,
)
from pipeline.present.figures.published.tables import COUPLED, VARIANT, input_variant
from pipeline.present.figures.registry import Draw, Entry

ENERGY = "data/results/energy_per_query.csv"
TOKENS = "data/results/token_lengths.csv"
FLEET = "data/results/fleet.csv"
CLAIMS = "data/published/claims.csv"
ENERGY_HISTOGRAMS = "build/results/energy_histograms.parquet"
TOKEN_HISTOGRAMS = "build/results/token_histograms.parquet"


def _spread(name: str, title: str, width: Width, draw: Draw, *variants: str) -> Entry:
    """A figure of distributions of energy per query."""
    return Entry(name, title, width, draw, [ENERGY, ENERGY_HISTOGRAMS, CLAIMS], [VARIANT, *variants])


def _fleet(name: str, title: str, width: Width, draw: Draw) -> Entry:
    return Entry(name, title, width, draw, [FLEET, CLAIMS], [VARIANT, "reference_lines"])


def _tokens(name: str, title: str, draw: Draw) -> Entry:
    return Entry(name, title, "single", draw, [TOKENS, TOKEN_HISTOGRAMS, CLAIMS], [VARIANT])


LONG = "test-time scaling"
SHORT = "traditional queries"
INPUTS = [input_variant(tokens) for tokens in input_length.INPUT_TOKENS]

FIGURES = [
    _spread("fig-1a", f"Energy per query by model, {SHORT}", "single", per_query_by_model.fig_1a),
    _spread("fig-1b", f"Efficiency pathways, {SHORT}", "single", pathways.fig_1b),
    _spread(
        "fig-1b-histograms",
        f"Efficiency pathways as histograms, {SHORT}",
        "middle",
        pathways.fig_1b_histograms,
    ),
    _spread("fig-2a", f"Energy per query by model, {LONG}", "single", per_query_by_model.fig_2a),
    _spread("fig-2b", f"Efficiency pathways, {LONG}", "single", pathways.fig_2b),
    _fleet("fig-3a", f"Energy of a fleet, {SHORT}", "single", fleet.fig_3a),
    _fleet("fig-3b", f"Energy of a fleet, with {LONG}", "single", fleet.fig_3b),
    _tokens("fig-s1-token-lengths-short", f"Output tokens, {SHORT}", token_lengths.fig_token_lengths_short),
    _tokens("fig-s2-token-lengths-long", f"Output tokens, {LONG}", token_lengths.fig_token_lengths_long),
    _spread(
        "fig-s3-input-length-short",
        f"Sensitivity to input length, {SHORT}",
        "double",
        input_length.fig_input_length_short,
        *INPUTS,
    ),
    _spread(
        "fig-s4-input-length-long",
        f"Sensitivity to input length, {LONG}",
        "double",
        input_length.fig_input_length_long,
        *INPUTS,
    ),
    _spread(
        "fig-s5-power-coupling-short",
        f"Power coupled to throughput, {SHORT}",
        "single",
        power_coupling.fig_power_coupling_short,
        COUPLED,
    ),
    _spread(
        "fig-s6-power-coupling-long",
        f"Power coupled to throughput, {LONG}",
        "single",
        power_coupling.fig_power_coupling_long,
        COUPLED,
    ),
]
