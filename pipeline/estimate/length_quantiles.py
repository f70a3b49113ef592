"""Both scenarios of token lengths as quantiles over queries, with the interval from what we do not know."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import qmc

from pipeline.assumptions.re_estimate import Lengths, TracedTraffic
from pipeline.contracts.telemetry import QUANTITIES
from pipeline.contracts.traffic import LENGTH_QUANTILES, SCENARIOS
from pipeline.estimate.lengths import IGNORANCE, VARIABILITY, Traffic, length_scenario

PERCENTS = (5, 25, 50, 75, 95)
OUTER, INNER = 256, 4096  # points of two Sobol sequences
Array = NDArray[np.float64]


def quantile_table(
    lengths: Lengths, traffic: dict[str, Traffic], fits: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """LENGTH_QUANTILES; `fits` (LENGTH_FITS) has the observed values of the traces."""
    outer, inner = np.random.SeedSequence(seed).spawn(2)
    queries = qmc.Sobol(VARIABILITY, rng=np.random.default_rng(inner)).random(INNER)
    ignorance = qmc.Sobol(IGNORANCE, rng=np.random.default_rng(outer)).random(OUTER)
    rows = []
    for scenario in SCENARIOS:
        for regime in ("short", "long"):
            chosen = length_scenario(lengths, traffic, scenario, regime)
            sides = chosen.sample(queries[None], ignorance[:, None])
            for quantity, tokens in zip(QUANTITIES, sides, strict=True):
                labels = {"scenario": scenario, "regime": regime, "quantity": quantity}
                traced = _traced(chosen.settings, fits, quantity)
                rows += [labels | row for row in _statistics(tokens, traced)]
    return pd.DataFrame(rows)[list(LENGTH_QUANTILES.columns)]


def _traced(settings: object, fits: pd.DataFrame, quantity: str) -> dict[str, float]:
    if not isinstance(settings, TracedTraffic):
        return {}
    row = fits[(fits["traffic"] == settings.traffic) & (fits["quantity"] == quantity)].iloc[0]
    observed = {f"p{percent}": float(row[f"observed_p{percent}"]) for percent in PERCENTS}
    return observed | {"mean": float(row["observed_mean"])}


def _statistics(tokens: Array, traced: dict[str, float]) -> list[dict[str, Any]]:
    """Rows for the mean and each percentile over queries (last axis), summarised over outer draws (first)."""
    over_queries = {"mean": (np.nan, tokens.mean(axis=1))}
    for percent in PERCENTS:
        over_queries[f"p{percent}"] = (percent / 100, np.quantile(tokens, percent / 100, axis=1))
    rows = []
    for statistic, (probability, values) in over_queries.items():
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        rows.append(
            {
                "statistic": statistic,
                "probability": probability,
                "tokens_p5": low,
                "tokens_p50": middle,
                "tokens_p95": high,
                "traced_tokens": traced.get(statistic, np.nan),
            }
        )
    return rows
