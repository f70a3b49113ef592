"""Small tables of the published analysis with the right shape, for drawing without running the pipeline."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline.assumptions.figures import ColumnWidths, Figures
from pipeline.contracts import read_table
from pipeline.contracts.published import CLAIMS
from pipeline.present.figures.published.tables import BLEND, MODELS, PublishedTables

PROFILE = Figures(
    column_widths_mm=ColumnWidths(single=85, middle=114, double=174),
    max_height_mm=225,
    min_font_pt=6,
    max_font_pt=8,
    png_dpi=600,
)
EDGES_WH = np.geomspace(1e-4, 1e3, 281)
SCALE = {"short": 1.0, "long": 13.0}
MEDIANS = dict(zip(MODELS, [0.631, 0.392, 0.126, 0.0643, 0.0959], strict=True))
GAINS = {"model": 3.9, "serving": 2.7, "hardware": 1.9}
VARIANTS = {
    "v2": 1.0,
    "v2, input 500": 1.05,
    "v2, input 1000": 1.5,
    "v2, input 5000": 6.0,
    "v2, power coupled": 1.2,
}


@cache
def tables_of(name: str) -> Any:
    """The tables that the figure `name` is drawn from; other groups add theirs here."""
    return published_tables()


@cache
def published_tables(seed: int = 5, draws: int = 20_000) -> PublishedTables:
    """Log-normal energies around the paper's medians; the real claims."""
    rng = np.random.default_rng(seed)
    energy, densities = [], []
    for variant, factor in VARIANTS.items():
        for regime, scale in SCALE.items():
            subjects = dict(MEDIANS)
            subjects |= {BLEND: 0.31} | {f"{BLEND} + {lever}": 0.31 / gain for lever, gain in GAINS.items()}
            for subject, median in subjects.items():
                values = median * factor * scale * np.exp(1.05 * rng.standard_normal(draws))
                row = {"variant": variant, "regime": regime, "subject": subject}
                energy.append(row | _summary(values))
                densities.append(_histogram(values, EDGES_WH, "wh").assign(**row))
    claims = read_table("data/published/claims.csv", CLAIMS)
    table = pd.DataFrame(energy).assign(analysis="as_published", boundary="facility", n_draws=draws)
    return PublishedTables(
        table, _fleet(), claims, pd.concat(densities, ignore_index=True), _lengths(rng, draws)
    )


def _summary(values: np.ndarray) -> dict[str, float]:
    points = {f"p{p}_wh": float(np.percentile(values, p)) for p in (5, 25, 50, 75, 95)}
    return {"mean_wh": float(values.mean()), "mc_error_p50_wh": 0.001, **points}


def _histogram(values: np.ndarray, edges: np.ndarray, unit: str) -> pd.DataFrame:
    counts, _ = np.histogram(values, edges)
    bins = {f"low_{unit}": edges[:-1], f"high_{unit}": edges[1:]}
    return pd.DataFrame({**bins, "share": counts / len(values)})


def _fleet() -> pd.DataFrame:
    rows = [
        ("short", "total", 0.7306),
        ("short_improved", "total", 0.3296),
        ("mixed", "total", 1.7057),
        ("mixed", "short", 0.6575),
        ("mixed", "long", 1.0482),
        ("mixed_improved", "total", 0.8018),
        ("mixed_improved", "short", 0.2966),
        ("mixed_improved", "long", 0.5052),
    ]
    table = pd.DataFrame(rows, columns=["scenario", "component", "value_gwh_per_day"])
    value = table["value_gwh_per_day"]
    return table.assign(
        variant="v2", p5_gwh_per_day=value * 0.99, p95_gwh_per_day=value * 1.01, n_draws=30_000
    )


def _lengths(rng: np.random.Generator, draws: int) -> pd.DataFrame:
    parts = []
    for regime, median in {"short": 300, "long": 5000}.items():
        values = np.rint(rng.exponential(median / np.log(2), draws))
        edges = np.linspace(0, median * 20, 1001)
        parts.append(_histogram(values, edges, "tokens").assign(regime=regime))
    return pd.concat(parts, ignore_index=True)
