"""Small tables of the published analysis with the right shape, for drawing without running the pipeline."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.settings import from_params
from pipeline.present.figures import FIGURES, find
from pipeline.report.declared import read
from pipeline.report.figures import Drawing
from pipeline.report.settings import Figures

PROFILE: Figures = from_params("figures")
MODELS = ["DeepSeek-R1", "Llama 3.1 405B", "Nemotron Ultra 253B", "Mixtral 8x22B", "Llama 3.1 70B"]
LOG10_EDGES = np.round(np.arange(-250, 201) * 0.02, 2)
SCALE = {"short": 1.0, "long": 13.0}
MEDIANS = dict(zip(MODELS, [0.631, 0.392, 0.126, 0.0643, 0.0959], strict=True))
BLEND = "blend"
GAINS = {"model": 3.9, "serving": 2.7, "hardware": 1.9}
VARIANTS = {
    "v2": 1.0,
    "v2_input_500": 1.05,
    "v2_input_1000": 1.5,
    "v2_input_5000": 6.0,
    "v2_power_coupled": 1.2,
}
OUTPUT_TOKENS = {"short": 300, "long": 5000}


def given(name: str) -> dict[str, Any]:
    """What the figure `name` is drawn from: as committed, and made up for the published analysis."""
    entry = find(name)
    published = published_tables() if entry in FIGURES["published"] else {}
    tables = {table: published[table] if table in published else read(table) for table in entry.tables}
    return tables | {section: from_params(section) for section in entry.sections}


def draw(name: str, **other: Any) -> Drawing:
    """The figure `name`, with some of its tables replaced; inside `style.context()`."""
    return find(name).made(given(name) | other, PROFILE)


@cache
def published_tables(seed: int = 5, draws: int = 20_000) -> dict[str, pd.DataFrame]:
    """Log-normal energies around the paper's medians, by the names of the catalogue."""
    rng = np.random.default_rng(seed)
    energy, histograms = [], []
    for variant, factor in VARIANTS.items():
        for regime, scale in SCALE.items():
            subjects = dict(MEDIANS)
            subjects |= {BLEND: 0.31} | {f"{BLEND} + {lever}": 0.31 / gain for lever, gain in GAINS.items()}
            for subject, median in subjects.items():
                values = median * factor * scale * np.exp(1.05 * rng.standard_normal(draws))
                keys = {"analysis": "as_published", "variant": variant, "regime": regime, "subject": subject}
                energy.append(keys | _summary(values, "wh"))
                histograms.append(_histogram(np.log10(values), LOG10_EDGES, "log10_wh", keys))
    tokens, token_histograms = _tokens(rng, draws)
    return {
        "energy_per_query": pd.DataFrame(energy),
        "results/token_lengths": tokens,
        "fleet": _fleet(),
        "energy_histograms": pd.concat(histograms, ignore_index=True),
        "token_histograms": token_histograms,
    }


def _summary(values: np.ndarray, unit: str) -> dict[str, float | int]:
    points = {f"p{p}_{unit}": float(np.percentile(values, p)) for p in (5, 25, 50, 75, 95)}
    return {f"mean_{unit}": float(values.mean()), **points, "n_draws": len(values)}


def _histogram(values: np.ndarray, edges: np.ndarray, unit: str, keys: dict[str, str]) -> pd.DataFrame:
    """Only bins that hold draws have a row, and what lies outside has one with an infinite edge."""
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    counts, _ = np.histogram(values, bounds)
    table = pd.DataFrame({**keys, f"{unit}_low": bounds[:-1], f"{unit}_high": bounds[1:], "count": counts})
    return table[table["count"] > 0]


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
    return table.assign(analysis="as_published", variant="v2", mc_error_gwh_per_day=0.0004)


def _tokens(rng: np.random.Generator, draws: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, parts = [], []
    for regime, median in OUTPUT_TOKENS.items():
        values = np.rint(rng.exponential(median / np.log(2), draws))
        keys = {"analysis": "as_published", "variant": "v2", "regime": regime, "subject": "all models"}
        rows.append(keys | _summary(values, "tokens"))
        parts.append(_histogram(values, np.arange(0, median * 10 + 1, median / 20), "tokens", keys))
    return pd.DataFrame(rows), pd.concat(parts, ignore_index=True)
