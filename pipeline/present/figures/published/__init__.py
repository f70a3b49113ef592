"""The figures of the paper, drawn from the as-published analysis."""

from pipeline.present.figures.published import (
    fleet,
    input_length,
    pathways,
    per_query_by_model,
    power_coupling,
    token_lengths,
)
from pipeline.present.figures.registry import Entry

RESULTS = "data/results"
ENERGY, FLEET = f"{RESULTS}/energy_per_query.csv", f"{RESULTS}/fleet.csv"
CLAIMS = "data/published/claims.csv"
DENSITIES, LENGTHS = "build/densities.csv", "build/lengths.csv"
SPREAD = [ENERGY, DENSITIES, CLAIMS]

FIGURES = [
    Entry("fig-1a", "Energy per traditional query by model", "single", per_query_by_model.fig_1a, SPREAD),
    Entry("fig-1b", "Pathways, traditional queries", "single", pathways.fig_1b, SPREAD),
    Entry(
        "fig-1b-histograms",
        "Pathways, traditional queries, as histograms",
        "middle",
        pathways.fig_1b_histograms,
        SPREAD,
    ),
    Entry(
        "fig-2a",
        "Energy per query with test-time scaling by model",
        "single",
        per_query_by_model.fig_2a,
        SPREAD,
    ),
    Entry("fig-2b", "Pathways, test-time scaling", "single", pathways.fig_2b, SPREAD),
    Entry("fig-3a", "A billion traditional queries a day", "single", fleet.fig_3a, [FLEET, CLAIMS]),
    Entry(
        "fig-3b",
        "A billion queries a day, a tenth with test-time scaling",
        "middle",
        fleet.fig_3b,
        [FLEET, CLAIMS],
    ),
    Entry(
        "fig-s1-token-lengths-short",
        "Output tokens, traditional queries",
        "single",
        token_lengths.fig_token_lengths_short,
        [LENGTHS, CLAIMS],
    ),
    Entry(
        "fig-s2-token-lengths-long",
        "Output tokens, test-time scaling",
        "single",
        token_lengths.fig_token_lengths_long,
        [LENGTHS, CLAIMS],
    ),
    Entry(
        "fig-s3-input-length-short",
        "Sensitivity to input length, traditional queries",
        "double",
        input_length.fig_input_length_short,
        SPREAD,
    ),
    Entry(
        "fig-s4-input-length-long",
        "Sensitivity to input length, test-time scaling",
        "double",
        input_length.fig_input_length_long,
        SPREAD,
    ),
    Entry(
        "fig-s5-power-coupling-short",
        "Power coupled to throughput, traditional queries",
        "single",
        power_coupling.fig_power_coupling_short,
        SPREAD,
    ),
    Entry(
        "fig-s6-power-coupling-long",
        "Power coupled to throughput, test-time scaling",
        "single",
        power_coupling.fig_power_coupling_long,
        SPREAD,
    ),
]
