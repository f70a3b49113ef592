"""Figures of levers: size, named systems, accelerators, and all together."""

from pipeline.present.figures.levers import hardware, needed, scale, systems, waterfall
from pipeline.present.figures.levers.tables import (
    COMBINATIONS_CSV,
    HARDWARE_CSV,
    NEEDED_CSV,
    SCALE_CSV,
    SYSTEMS_CSV,
)
from pipeline.present.figures.registry import Entry

FIGURES = [
    Entry(
        "fig-l1-scale",
        "Efficiency over the size of the system",
        "double",
        scale.fig_scale,
        [SCALE_CSV],
    ),
    Entry(
        "fig-l2-systems",
        "What every named system gains, and on what evidence",
        "double",
        systems.fig_systems,
        [SYSTEMS_CSV],
    ),
    Entry(
        "fig-l3-hardware",
        "The ladder of accelerators",
        "double",
        hardware.fig_hardware,
        [HARDWARE_CSV, SYSTEMS_CSV],
    ),
    Entry(
        "fig-l4-waterfall",
        "Levers one after another",
        "double",
        waterfall.fig_waterfall,
        [COMBINATIONS_CSV],
    ),
    Entry(
        "fig-l5-needed",
        "What the combined gain takes",
        "double",
        needed.fig_needed,
        [NEEDED_CSV],
    ),
]
