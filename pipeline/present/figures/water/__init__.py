"""Figures of water."""

from pipeline.present.figures.registry import Entry
from pipeline.present.figures.water import designs, published, scenarios
from pipeline.present.figures.water.tables import PRIOR_CSV, SITES_CSV, SPLIT_CSV

FIGURES = [
    Entry(
        "fig-w1-published-waters",
        "Water per query by others and here",
        "double",
        published.fig_published_waters,
        [PRIOR_CSV],
    ),
    Entry(
        "fig-w2-water-scenarios",
        "Water per query by scenario of sites",
        "double",
        scenarios.fig_water_scenarios,
        [SPLIT_CSV],
    ),
    Entry(
        "fig-w3-closed-loop",
        "What a closed loop saves on site and costs in electricity",
        "double",
        designs.fig_closed_loop,
        [SITES_CSV],
    ),
]
