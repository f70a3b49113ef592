"""Figures of the re-estimate: beside the published one, where its spread and its change come from."""

from pipeline.present.figures.re_estimated import bridge, intervals, lengths, shares
from pipeline.present.figures.re_estimated.tables import (
    BRIDGE_CSV,
    ENERGY_CSV,
    LENGTHS_CSV,
    RE_ESTIMATED_CSV,
    SHARES_CSV,
)
from pipeline.present.figures.registry import Entry

FIGURES = [
    Entry(
        "fig-r6-published-against-re-estimated",
        "Energy per query, published against re-estimated",
        "double",
        intervals.fig_published_against_re_estimated,
        [ENERGY_CSV, RE_ESTIMATED_CSV],
    ),
    Entry(
        "fig-r7-variance-shares",
        "Which sources of spread matter",
        "double",
        shares.fig_variance_shares,
        [SHARES_CSV],
    ),
    Entry(
        "fig-r8-bridge",
        "From the published energy per query to the re-estimate",
        "double",
        bridge.fig_bridge,
        [BRIDGE_CSV],
    ),
    Entry(
        "fig-r9-lengths",
        "Token lengths, assumed against production",
        "double",
        lengths.fig_lengths,
        [LENGTHS_CSV],
    ),
]
