"""The tables of the as-published analysis: which columns they show, under which headings."""

from collections.abc import Mapping

import pandas as pd

from pipeline.assumptions.base import Section
from pipeline.assumptions.published import AsPublished
from pipeline.present.assumption_rows import assumption_rows
from pipeline.present.claims.evidence import AUTHORS_STREAM
from pipeline.present.claims.table import BLEND
from pipeline.present.prior_rows import prior_rows
from pipeline.present.tables import Table, as_given, decimals, digits

AS_PUBLISHED = "v2"
ENERGY_COLUMNS = {
    "variant": "Variant",
    "regime": "Queries",
    "subject": "Model or blend",
    "mean_wh": "Mean",
    "p5_wh": "P5",
    "p25_wh": "P25",
    "p50_wh": "Median",
    "p75_wh": "P75",
    "p95_wh": "P95",
    "mc_error_p50_wh": "Monte Carlo error of the median",
    "n_draws": "Draws",
}
ENERGY_FORMATS = {
    **dict.fromkeys([column for column in ENERGY_COLUMNS if column.endswith("_wh")], digits(3)),
    "mc_error_p50_wh": digits(2),
    "n_draws": decimals(0),
}
ANALYSIS = "as_published"
COEFFICIENTS = ["method", "intercept", "slope_input", "slope_output", "residual_sd", "largest_tokens_per_s"]


def all_tables(
    energy: pd.DataFrame,
    fleet: pd.DataFrame,
    throughput: pd.DataFrame,
    fits: pd.DataFrame,
    ledger: pd.DataFrame,
    table_1: pd.DataFrame,
    published: AsPublished,
    ours: Mapping[str, Section],
) -> list[Table]:
    """The tables in the order in which the paper names them.

    Of the published analysis alone, but for the claims and for what is taken for granted by `ours`: sections
    of params.yaml by what they are for.
    """
    energy, fleet = (table[table["analysis"] == ANALYSIS] for table in (energy, fleet))
    return [
        _assumptions(published),
        _throughput(throughput, fits),
        _models(energy),
        _variants(energy),
        _fleet(fleet),
        _table_1(table_1),
        _claims(ledger),
        _priors(ours),
    ]


def _assumptions(published: AsPublished) -> Table:
    headings = {
        "key": "Assumption",
        "variant": "Variant",
        "value": "Value",
        "unit": "Unit",
        "source": "Source",
    }
    return Table(
        "assumptions",
        "Assumptions of the published analysis; a variant replaces only what is listed under it.",
        assumption_rows(published),
        {**headings, "reason": "Reason"},
    )


def _priors(ours: Mapping[str, Section]) -> Table:
    headings = {
        "section": "Part",
        "key": "Quantity",
        "of": "Of",
        "value": "Value",
        "unit": "Unit",
        "source": "Source",
        "reason": "Reason",
    }
    return Table(
        "priors",
        "What the re-estimate, its validation, water, levers and fleets take for granted: distributions and "
        "constants of params.yaml.",
        prior_rows(ours),
        headings,
    )


def _throughput(throughput: pd.DataFrame, fits: pd.DataFrame) -> Table:
    """The authors' rows, each with the coefficients of its model's fit where it took part in one."""
    rows = throughput[throughput["set"] == "published_analysis"].copy()
    used = rows["used_by_authors"] == "yes"
    joined = rows.merge(fits[["model", *COEFFICIENTS]], how="left", on="model", validate="many_to_one")
    joined.loc[~used.to_numpy(), COEFFICIENTS] = None
    joined = joined.sort_values(["model", "precision", "input_tokens", "output_tokens"], kind="stable")
    columns = ["key", "model", "gpu", "gpus", "precision", "input_tokens", "output_tokens"]
    columns += ["output_tokens_per_s", "used_by_authors", *COEFFICIENTS, "source", "document_version"]
    return Table(
        "throughput",
        "Throughput rows of the published analysis, with the log-linear fit of each model; "
        "a constant takes the largest row.",
        joined[columns],
        {
            "model": "Model",
            "gpu": "GPU",
            "gpus": "GPUs",
            "precision": "Precision",
            "input_tokens": "Input tokens",
            "output_tokens": "Output tokens",
            "output_tokens_per_s": "Output tokens/s",
            "used_by_authors": "Used",
            "intercept": "Intercept",
            "slope_input": "Slope, ln input",
            "slope_output": "Slope, ln output",
            "source": "Source",
        },
        {
            "input_tokens": as_given,
            "output_tokens": as_given,
            "output_tokens_per_s": decimals(0),
            **dict.fromkeys(["intercept", "slope_input", "slope_output"], decimals(3)),
        },
    )


def _models(energy: pd.DataFrame) -> Table:
    rows = energy[energy["variant"] == AS_PUBLISHED]
    headings = {name: text for name, text in ENERGY_COLUMNS.items() if name != "variant"}
    return Table(
        "energy_per_query",
        "Energy per query in Wh (facility: node times PUE) as published, by model and for the blend and its "
        "pathways, recomputed with many draws.",
        rows,
        headings,
        ENERGY_FORMATS,
    )


def _variants(energy: pd.DataFrame) -> Table:
    return Table(
        "variants",
        "Energy per query of the blend in Wh (facility) in every variant of the published analysis; those "
        f"ending in {AUTHORS_STREAM} take the authors' random numbers.",
        energy[energy["subject"] == BLEND].sort_values("regime", ascending=False, kind="stable"),
        {name: text for name, text in ENERGY_COLUMNS.items() if name != "subject"},
        ENERGY_FORMATS,
    )


def _fleet(fleet: pd.DataFrame) -> Table:
    values = ["value_gwh_per_day", "p5_gwh_per_day", "p95_gwh_per_day"]
    return Table(
        "fleet",
        "Energy of a fleet of a billion queries a day in GWh/day; the interval is that of the sampling, "
        "not of the assumptions.",
        fleet,
        {
            "variant": "Variant",
            "scenario": "Scenario",
            "component": "Part",
            "value_gwh_per_day": "GWh/day",
            "p5_gwh_per_day": "P5",
            "p95_gwh_per_day": "P95",
            "n_draws": "Draws",
        },
        {**dict.fromkeys(values, digits(4)), "n_draws": decimals(0)},
    )


def _table_1(table_1: pd.DataFrame) -> Table:
    headings = {
        "model": "Model",
        "comparator": "Measured by",
        "printed_wh": "Printed (Wh)",
        "boundary": "Boundary",
        "source_wh": "Source's row (Wh)",
        "concurrency": "its requests",
        "output_tokens": "its output tokens",
        "recomputed_wh": "on the printed accelerator (Wh)",
        "recomputed_j_per_output_token": "J per output token",
        "ours_j_per_output_token": "Ours, same boundary",
        "recomputed_facility_j_per_output_token": "at the facility",
        "paper_j_per_output_token": "Paper, facility",
        "paper_over_recomputed": "Paper over source",
    }
    unrounded = ("printed_wh", "boundary", "model", "comparator", "concurrency", "output_tokens")
    return Table(
        "table_1",
        "Table 1 of the published analysis: each comparator as printed, as its source's own row has it, and "
        "per output token at one boundary. Of a source's batch sizes the row that takes least is shown; a "
        "dash: no row at hand. The facility over the accelerators is the ratio of our medians.",
        table_1,
        headings,
        {
            **{name: digits(3) for name in headings if name not in unrounded},
            "printed_wh": as_given,
            "concurrency": decimals(0),
            "output_tokens": decimals(0),
        },
    )


def _claims(ledger: pd.DataFrame) -> Table:
    numbers = {
        "published_value": "Published",
        "published_low": "low",
        "published_high": "high",
        "ours_value": "Ours",
        "ours_low": "ours, low",
        "ours_high": "ours, high",
    }
    return Table(
        "claims",
        "Every published number beside ours: a verdict where it can be computed again; else how far evidence "
        "supports it, with the least and largest of our medians. The tolerances stand in the CSV.",
        ledger,
        {
            "key": "Claim",
            "where": "Where",
            "unit": "Unit",
            **numbers,
            "verdict": "Verdict",
            "support": "Support",
            "reason": "Reason",
        },
        {column: digits(4) if column.startswith("ours") else as_given for column in numbers},
    )
