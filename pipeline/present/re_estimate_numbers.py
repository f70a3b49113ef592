"""Every number of the re-estimate that the text may use, by one flat key each.

`re.production_lengths.short.blend.facility.median.p50_wh`, `bridge.short.part-load.median_wh_ratio`,
`shares.production_lengths.short.blend.one-query.length.first_order`,
`held-out.ml.energy-v3.model.gpu_w.chosen.rmse_ln`, `validation.mlperf_offline.output_tokens_per_s.no.n`,
`lengths.conversation.output_tokens.chosen.fitted_p50`, `server.h100.fixed.p50`,
`table-1.v2.t1.405b.mlenergy.paper_over_recomputed`, `assumed.re.pue.p95`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.present.numbers import Number, assumed, by_key

SPLIT = re.compile(r"^((?:mc_error_)?(?:median|mean|query|total))_(p5|p50|p95|mean)_wh$")
CHOSEN = "chosen"
OWN_GROUPS = ("This project, production lengths", "Published analysis")  # of the forest plot


@dataclass(frozen=True)
class ReEstimateTables:
    """The tables of data/results, as in pipeline.contracts."""

    re_estimated: pd.DataFrame
    bridge: pd.DataFrame
    variance_shares: pd.DataFrame
    model_comparison: pd.DataFrame
    validation_summary: pd.DataFrame
    peers_summary: pd.DataFrame
    length_fits: pd.DataFrame
    length_quantiles: pd.DataFrame
    node_power_fits: pd.DataFrame
    prior_estimates_compared: pd.DataFrame
    table_1: pd.DataFrame


def collect_re_estimate(tables: ReEstimateTables, assumptions: ReEstimate) -> dict[str, Number]:
    """All keys and values; what was chosen among forms or families stands under `chosen` too."""
    numbers: dict[str, Number] = {}
    for prefix, table, names in [
        ("re", _split(tables.re_estimated), ["variant", "regime", "subject", "boundary"]),
        ("bridge", tables.bridge, ["regime", "name"]),
        ("shares", tables.variance_shares, ["variant", "regime", "subject", "target", "group"]),
        ("held-out", _with_chosen(tables.model_comparison, "form"), ["rows", "left_out", "quantity", "form"]),
        ("validation", tables.validation_summary, ["set", "quantity", "bound"]),
        ("peers", tables.peers_summary, ["method", "batch", "quantity", "gpu"]),
        ("lengths", _with_chosen(tables.length_fits, "family"), ["traffic", "quantity", "family"]),
        ("tokens", tables.length_quantiles, ["scenario", "regime", "quantity", "statistic"]),
        ("server", tables.node_power_fits, ["gpu", "term"]),
        ("table-1", tables.table_1, ["key"]),
    ]:
        numbers |= by_key(prefix, table, names)
    numbers |= _estimates(tables.prior_estimates_compared)
    for name in type(assumptions).model_fields:
        numbers |= dict(assumed(f"assumed.re.{name}", getattr(assumptions, name)))
    return numbers


def _split(table: pd.DataFrame) -> pd.DataFrame:
    """`median_p5_wh` becomes `median.p5_wh`, so that the percentiles of one statistic share a row."""
    return table.rename(columns=lambda name: SPLIT.sub(r"\1.\2_wh", name))


def _with_chosen(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The chosen rows once more, under that name: the text keeps its key when the choice changes."""
    return pd.concat([table, table[table["chosen"] == "yes"].assign(**{column: CHOSEN})])


def _estimates(compared: pd.DataFrame) -> Mapping[str, Number]:
    """How many published estimates by others there are, and how many at four times the published or more."""
    others = compared[~compared["group"].isin(OWN_GROUPS)]
    return {
        "estimates.count": len(others),
        "estimates.at_least_4_times": int((others["at_least_4_times"] == "yes").sum()),
    }
