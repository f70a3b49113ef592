"""Figures that show how good the re-estimate is, and where it stands among others."""

from pipeline.present.figures.registry import Entry
from pipeline.present.figures.validation import batch, energy, forest, throughput
from pipeline.present.figures.validation.tables import (
    COMPARISON_CSV,
    CURVES_CSV,
    HARDWARE_CSV,
    HELD_OUT_CSV,
    MEASUREMENTS_CSV,
    PRIOR_CSV,
    VALIDATION_CSV,
)

FIGURES = [
    Entry(
        "fig-r1-throughput",
        "Throughput, predicted against measured",
        "double",
        throughput.fig_throughput,
        [COMPARISON_CSV, HELD_OUT_CSV, VALIDATION_CSV],
    ),
    Entry(
        "fig-r2-energy-batch",
        "Energy per output token against batch",
        "double",
        batch.fig_energy_batch,
        [CURVES_CSV, MEASUREMENTS_CSV, HARDWARE_CSV],
    ),
    Entry(
        "fig-r3-power-batch",
        "GPU power against batch",
        "double",
        batch.fig_power_batch,
        [CURVES_CSV, MEASUREMENTS_CSV, HARDWARE_CSV],
    ),
    Entry(
        "fig-r4-energy-measured",
        "Energy per query, predicted against measured",
        "single",
        energy.fig_energy_measured,
        [COMPARISON_CSV, HELD_OUT_CSV, VALIDATION_CSV],
    ),
    Entry(
        "fig-r5-prior-estimates",
        "Published energies per query by boundary and method",
        "double",
        forest.fig_prior_estimates,
        [PRIOR_CSV],
    ),
]
