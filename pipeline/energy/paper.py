"""The numbers of the re-estimate that the text may use, by one flat key each.

`headline.re_estimated.large-mixture-of-experts.short.production.median-query-of-a-service.p50_wh`,
`like-for-like.long.same_lengths_p50_wh`, `anchor.google_prompt.ours_over_anchor`,
`re.production_lengths.short.blend.facility.median.p50_wh`, `bridge.short.part-load.median_wh_ratio`,
`shares.production_lengths.short.blend.one-query.length.first_order`,
`held-out.ml.energy-v3.model.gpu_w.chosen.rmse_ln`, `validation.mlperf_offline.output_tokens_per_s.no.n`,
`lengths.conversation.output_tokens.chosen.fitted_p50`, `server.h100.fixed.p50`,
`table-1.v2.t1.405b.mlenergy.paper_over_recomputed`, `assumed.re.pue.p95`.
"""

import re

import pandas as pd

from pipeline.energy.model.settings import ReEstimate
from pipeline.report.formats import Number, all_assumed, by_keys, numbers

SPLIT = re.compile(r"^((?:mc_error_)?(?:median|mean|query|total))_(p5|p50|p95|mean)_wh$")
CHOSEN = "chosen"
OWN_GROUPS = ("This project, production lengths", "Published analysis")  # of the forest plot


@numbers("energy")
def of_energy(
    headline: pd.DataFrame,
    like_for_like: pd.DataFrame,
    outside_anchors: pd.DataFrame,
    length_services: pd.DataFrame,
    re_estimated: pd.DataFrame,
    bridge: pd.DataFrame,
    variance_shares: pd.DataFrame,
    model_comparison: pd.DataFrame,
    validation_summary: pd.DataFrame,
    peers_summary: pd.DataFrame,
    length_fits: pd.DataFrame,
    length_quantiles: pd.DataFrame,
    node_power_fits: pd.DataFrame,
    prior_estimates_compared: pd.DataFrame,
    table_1: pd.DataFrame,
    *,
    energy: ReEstimate,
) -> dict[str, Number]:
    """All keys and values; what was chosen among forms or families stands under `chosen` too."""
    found = by_keys(
        ("headline", headline, ["analysis", "model_class", "regime", "lengths", "statistic"]),
        ("like-for-like", like_for_like, ["regime"]),
        ("anchor", outside_anchors, ["key"]),
        ("service-lengths", length_services, ["class", "quantity", "key"]),
        ("re", split(re_estimated), ["variant", "regime", "subject", "boundary"]),
        ("bridge", bridge, ["regime", "name"]),
        ("shares", variance_shares, ["variant", "regime", "subject", "target", "group"]),
        ("held-out", with_chosen(model_comparison, "form"), ["rows", "left_out", "quantity", "form"]),
        ("validation", validation_summary, ["set", "quantity", "bound"]),
        ("peers", peers_summary, ["method", "batch", "quantity", "gpu"]),
        ("lengths", with_chosen(length_fits, "family"), ["traffic", "quantity", "family"]),
        ("tokens", length_quantiles, ["scenario", "regime", "quantity", "statistic"]),
        ("server", node_power_fits, ["gpu", "term"]),
        ("table-1", table_1, ["key"]),
    )
    return found | estimates(prior_estimates_compared) | all_assumed("assumed.re", energy)


def split(table: pd.DataFrame) -> pd.DataFrame:
    """`median_p5_wh` becomes `median.p5_wh`, so that the percentiles of one statistic share a row."""
    return table.rename(columns=lambda name: SPLIT.sub(r"\1.\2_wh", name))


def with_chosen(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The chosen rows once more, under that name: the text keeps its key when the choice changes."""
    return pd.concat([table, table[table["chosen"] == "yes"].assign(**{column: CHOSEN})])


def estimates(compared: pd.DataFrame) -> dict[str, Number]:
    """How many published estimates by others there are, and how many at four times the published or more."""
    others = compared[~compared["group"].isin(OWN_GROUPS)]
    return {
        "estimates.count": len(others),
        "estimates.at_least_4_times": int((others["at_least_4_times"] == "yes").sum()),
    }
