"""What the paper shows of the published analysis and its claims: tables, numbers of its text by flat keys.

`energy.v2.short.blend.p50_wh`, `fleet.v2.mixed.total.value_gwh_per_day`, `fit.llama-3.1-405b.slope_output`,
`claims.v2.ratio.ours_value`, `claims.count.reproduction.exact`, `assumed.v2.pue.p95`; energies are those
at the facility.
"""

import pandas as pd

from pipeline.core.columns import BLEND
from pipeline.published.model.contract import AUTHORS_STREAM
from pipeline.published.model.settings import AsPublished
from pipeline.report.claims import counts
from pipeline.report.formats import (
    Columns,
    Number,
    as_given,
    assumed,
    by_keys,
    decimals,
    digits,
    numbers,
    slug,
    table,
)

ANALYSIS, VARIANT = "as_published", "v2"
COEFFICIENTS = ["method", "intercept", "slope_input", "slope_output", "residual_sd", "largest_tokens_per_s"]
SUMMARY: Columns = {
    **{
        f"{name}_wh": (heading, digits(2 if name in ("p5", "p95") else 3))
        for name, heading in {
            "mean": "Mean",
            "p5": "P5",
            "p25": "P25",
            "p50": "Median",
            "p75": "P75",
            "p95": "P95",
        }.items()
    },
    "mc_error_p50_wh": ("Monte Carlo error of the median", digits(2)),
    "n_draws": ("Draws", decimals(0)),
}


@table(
    "throughput",
    "Throughput rows of the published analysis, with the log-linear fit of each model; "
    "a constant takes the largest row.",
    {
        "model": "Model",
        "gpu": "GPU",
        "gpus": "GPUs",
        "precision": "Precision",
        "input_tokens": ("Input tokens", as_given),
        "output_tokens": ("Output tokens", as_given),
        "output_tokens_per_s": ("Output tokens/s", decimals(0)),
        "used_by_authors": "Used",
        "intercept": ("Intercept", decimals(3)),
        "slope_input": ("Slope, ln input", decimals(3)),
        "slope_output": ("Slope, ln output", decimals(3)),
        "source": "Source",
    },
)
def throughput_fits(throughput: pd.DataFrame, published_throughput_fit: pd.DataFrame) -> pd.DataFrame:
    """The authors' rows, each with the coefficients of its model's fit where it took part in one."""
    rows = throughput[throughput["set"] == "published_analysis"]
    fits = published_throughput_fit[["model", *COEFFICIENTS]]
    joined = rows.merge(fits, how="left", on="model", validate="many_to_one")
    joined.loc[joined["used_by_authors"] != "yes", COEFFICIENTS] = None
    joined = joined.sort_values(["model", "precision", "input_tokens", "output_tokens"], kind="stable")
    columns = ["key", "model", "gpu", "gpus", "precision", "input_tokens", "output_tokens"]
    columns += ["output_tokens_per_s", "used_by_authors", *COEFFICIENTS, "source", "document_version"]
    return joined[columns]


@table(
    "energy_per_query",
    "Energy per query in Wh (facility: node times PUE) as published, by model and for the blend and its "
    "pathways, recomputed with many draws.",
    {"regime": "Queries", "subject": "Model or blend", **SUMMARY},
)
def by_model(energy_per_query: pd.DataFrame) -> pd.DataFrame:
    """The variant of the paper."""
    rows = energy_per_query[energy_per_query["analysis"] == ANALYSIS]
    return rows[rows["variant"] == VARIANT]


@table(
    "variants",
    "Energy per query of the blend in Wh (facility) in every variant of the published analysis; those "
    f"ending in {AUTHORS_STREAM} take the authors' random numbers.",
    {"variant": "Variant", "regime": "Queries", **SUMMARY},
)
def by_variant(energy_per_query: pd.DataFrame) -> pd.DataFrame:
    """The blend, short queries first."""
    rows = energy_per_query[energy_per_query["analysis"] == ANALYSIS]
    return rows[rows["subject"] == BLEND].sort_values("regime", ascending=False, kind="stable")


@table(
    "fleet",
    "Energy of a fleet of a billion queries a day in GWh/day; the interval is that of the sampling, "
    "not of the assumptions.",
    {
        "variant": "Variant",
        "scenario": "Scenario",
        "component": "Part",
        "value_gwh_per_day": ("GWh/day", digits(4)),
        "p5_gwh_per_day": ("P5", digits(4)),
        "p95_gwh_per_day": ("P95", digits(4)),
        "n_draws": ("Draws", decimals(0)),
    },
)
def of_fleet(fleet: pd.DataFrame) -> pd.DataFrame:
    """The published analysis."""
    return fleet[fleet["analysis"] == ANALYSIS]


@table(
    "table_1",
    "Table 1 of the published analysis: each comparator as printed, as its source's own row has it, and "
    "per output token at one boundary. Of a source's batch sizes the row that takes least is shown; a "
    "dash: no row at hand. The facility over the accelerators is the ratio of our medians.",
    {
        "model": "Model",
        "comparator": "Measured by",
        "printed_wh": ("Printed (Wh)", as_given),
        "boundary": "Boundary",
        "source_wh": ("Source's row (Wh)", digits(3)),
        "concurrency": ("its requests", decimals(0)),
        "output_tokens": ("its output tokens", decimals(0)),
        "recomputed_wh": ("on the printed accelerator (Wh)", digits(3)),
        "recomputed_j_per_output_token": ("J per output token", digits(3)),
        "ours_j_per_output_token": ("Ours, same boundary", digits(3)),
        "recomputed_facility_j_per_output_token": ("at the facility", digits(3)),
        "paper_j_per_output_token": ("Paper, facility", digits(3)),
        "paper_over_recomputed": ("Paper over source", digits(3)),
    },
)
def comparators(table_1: pd.DataFrame) -> pd.DataFrame:
    """As computed."""
    return table_1


@table(
    "claims",
    "Every published number beside ours: a verdict where it can be computed again; else how far evidence "
    "supports it, with the least and largest of our medians. The tolerances stand in the CSV.",
    {
        "key": "Claim",
        "where": "Where",
        "unit": "Unit",
        "published_value": ("Published", as_given),
        "published_low": ("low", as_given),
        "published_high": ("high", as_given),
        "ours_value": ("Ours", digits(4)),
        "ours_low": ("ours, low", digits(4)),
        "ours_high": ("ours, high", digits(4)),
        "verdict": "Verdict",
        "support": "Support",
        "reason": "Reason",
    },
)
def claims(results__claims: pd.DataFrame) -> pd.DataFrame:
    """The whole ledger."""
    return results__claims


@numbers("published")
def of_published(
    energy_per_query: pd.DataFrame,
    fleet: pd.DataFrame,
    published_throughput_fit: pd.DataFrame,
    results__claims: pd.DataFrame,
    *,
    published: AsPublished,
) -> dict[str, Number]:
    """All keys and values."""
    ledger = results__claims
    at_facility = energy_per_query[energy_per_query["boundary"] == "facility"]
    found = by_keys(
        ("energy", at_facility, ["variant", "regime", "subject"]),
        ("fleet", fleet, ["variant", "scenario", "component"]),
        ("fit", published_throughput_fit, ["model"]),
        ("claims", ledger, ["key"]),
    )
    for by, verdicts in counts(ledger).items():
        found[f"claims.count.{by}.all"] = sum(verdicts.values())
        found |= {f"claims.count.{by}.{slug(verdict)}": count for verdict, count in verdicts.items()}
    found["claims.count.all"] = len(ledger)
    for kind, part in ledger.groupby("kind"):
        found[f"claims.count.kind.{kind}"] = len(part)
        found[f"claims.count.kind.{kind}.exact"] = int((part["verdict"] == "exact").sum())
    for name, variant in published.variants.items():
        found |= dict(assumed(f"assumed.{name}", variant))
    return found | dict(assumed("assumed.stream", published.authors_stream))
