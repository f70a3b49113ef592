"""Contracts of the published analysis: its results and ours in one table each, and what it is compared with.

Table 1 of the paper sets its energy per query at the facility beside values of others, most of the
accelerators alone: its comparators are traced to their sources' own rows.
"""

import pandera.pandas as pa

from pipeline.core.catalogue import Table, transcribed
from pipeline.core.columns import (
    ANALYSES,
    ENERGY_PER_QUERY,
    FLEET,
    POSITIVE,
    REGIMES,
    TOKEN_LENGTHS,
    count,
    key,
    number,
    origin,
    row_check,
    schema,
    text,
    word,
    yes_no,
)
from pipeline.ingest.contract import BOUNDARIES, PRECISIONS

AUTHORS_STREAM = "_authors_stream"  # suffix of a variant computed with the authors' random numbers

COMPARATORS = schema(
    {
        "key": key(),  # of claims.csv
        "comparator": text("whose value, as Table 1 names it"),
        "model": text("model, as in energy_per_query.csv"),
        "regime": word("queries of the paper that it is compared with", list(REGIMES)),
        "measured_rows": text("start of the keys of the serving measurements", nullable=True),
        "value_wh": number("the source's own row, where no table of ours has it", nullable=True),
        "output_tokens": number("of a request, mean, of that row", nullable=True),
        "concurrency": number("requests in flight, of that row", nullable=True),
        "gpu": text("accelerator of the source's rows", nullable=True),
        "precision": word("of the weights in the source's rows", PRECISIONS, nullable=True),
        "paper_gpu": text("accelerator that the printed value is for", nullable=True),
        "boundary": word("what the source's value includes", BOUNDARIES),
        **origin(),
    },
    "The comparators of Table 1 and where their own rows are.",
    checks=[
        row_check(
            "value_wh", "blank where measured_rows is given", "~(measured_rows.notna() & value_wh.notna())"
        ),
        row_check(
            "output_tokens", "a number where value_wh is given", "value_wh.isna() | output_tokens.notna()"
        ),
    ],
)

TABLE_1 = schema(
    {
        "key": key(),  # of claims.csv
        "comparator": text("whose value"),
        "model": text("model"),
        "regime": word("queries of the paper", list(REGIMES)),
        "printed_wh": number("comparator as printed in Table 1"),
        "boundary": word("what the comparator includes", BOUNDARIES),
        "source_row": text("the source's row that takes least energy; blank: none at hand", nullable=True),
        "gpu": text("accelerator of that row", nullable=True),
        "precision": text("of the weights; blank: not stated", nullable=True),
        "concurrency": number("requests in flight of that row", nullable=True),
        "output_tokens": number("of a request of that row, mean", nullable=True),
        "source_wh": number("energy per query of that row", nullable=True),
        "highest_wh": number("the most among the source's rows of that configuration", nullable=True),
        "between_gpus": number("factor from that accelerator to the printed one", nullable=True),
        "between_gpus_low": number("least such factor at any model and batch", nullable=True),
        "between_gpus_high": number("most such factor", nullable=True),
        "recomputed_wh": number("source_wh on the printed accelerator", nullable=True),
        "recomputed_j_per_output_token": number(
            "the same per output token, source's boundary", nullable=True
        ),
        "paper_p50_wh": number("median of the paper, facility, recomputed"),
        "paper_j_per_output_token": number("the paper's mean energy over mean output tokens, facility"),
        "ours_j_per_output_token": number("the same of the re-estimate, at the boundary of the accelerators"),
        "ours_facility_over_gpu": number("ratio of our medians, facility over accelerators"),
        "recomputed_facility_j_per_output_token": number("recomputed times that ratio", nullable=True),
        "paper_over_recomputed": number(
            "paper over recomputed per output token, both facility", nullable=True
        ),
        "ours_over_recomputed": number("ours over recomputed per output token, both GPU", nullable=True),
    },
    "Table 1 as printed, from its sources' rows, and at one boundary.",
)

PRIOR_ESTIMATES_COMPARED = schema(
    {
        "key": text("row of prior_estimates.csv, or ours"),
        "group": text("boundary and method, as rows of the forest plot"),
        "subject": text("model or service"),
        "quantity": text("as the source calls it"),
        "output_tokens": text("as the source gives them", nullable=True),
        "value_wh": number("Wh/query"),
        "low_wh": number("lower end, of what `interval` says", None, nullable=True),
        "high_wh": number("upper end", None, nullable=True),
        "interval": text("what low and high are", nullable=True),
        "boundary": text("what the energy includes"),
        "method": text("how it was made"),
        "year": pa.Column("int64", description="of publication"),
        "source": text("key of the bibliography; blank: this project", nullable=True),
        "workload": word("short or long queries, or not said", [*REGIMES, "not-stated"]),
        "ratio_to_published": number("value over the published median of the same workload"),
        "ratio_to_ours": number("value over ours of the same workload and boundary", nullable=True),
        "at_least_4_times": yes_no("value is four times the published median or more"),
    },
    "Every published energy per query, by boundary and method, against the published median and ours.",
    ["key"],
)

THROUGHPUT_FIT = schema(
    {
        "model": text("name as in throughput.csv"),
        "method": word("how throughput follows from lengths", ["regression", "constant"]),
        "rows": count("rows of the authors' table behind it", POSITIVE),
        "largest_tokens_per_s": number("the largest row, which caps every prediction, output tokens/s"),
        **{
            f"{term}{suffix}": number(f"{words} of ln tokens/s{of}", None, nullable=True)
            for suffix, of in (("", ""), ("_se", ", standard error"))
            for term, words in (
                ("intercept", "intercept"),
                ("slope_input", "slope on ln input tokens"),
                ("slope_output", "slope on ln output tokens"),
            )
        },
        "residual_sd": number("standard deviation of the residuals of ln tokens/s", nullable=True),
        "pi90_factor_short": number("half width of a 90 % prediction interval, short", nullable=True),
        "pi90_factor_long": number("the same for long queries, as a factor of tokens/s", nullable=True),
    },
    "Throughput of each model as the published analysis fits it; blank: no regression, no freedom left.",
    ["model"],
)


def _histogram(of: str, unit: str) -> pa.DataFrameSchema:
    return schema(
        {
            "analysis": word("as published, or estimated anew", ANALYSES),
            "variant": text("choices of the analysis"),
            "regime": word("short: standard query; long: reasoning", list(REGIMES)),
            "subject": text("model, blend of models, or blend with a lever"),
            f"{unit}_low": number("lower edge of the bin; infinite below the first", None),
            f"{unit}_high": number("upper edge of the bin; infinite above the last", None),
            "count": count("draws in the bin", POSITIVE),
        },
        f"{of}: bins that hold draws.",
    )


ENERGY_HISTOGRAMS = _histogram("Energy per query at the facility", "log10_wh")
TOKEN_HISTOGRAMS = _histogram("Output tokens per query", "tokens")

TABLES = {
    **transcribed({"comparators": COMPARATORS}),
    "throughput_fit": Table(THROUGHPUT_FIT, "published", "build/as_published", ".parquet"),
    "published_throughput_fit": Table(THROUGHPUT_FIT, "published"),
    "energy_per_query": Table(ENERGY_PER_QUERY, "energy"),
    "fleet": Table(FLEET, "energy"),
    "results/token_lengths": Table(TOKEN_LENGTHS, "energy"),
    "energy_histograms": Table(ENERGY_HISTOGRAMS, "energy", "build/results", ".parquet"),
    "token_histograms": Table(TOKEN_HISTOGRAMS, "energy", "build/results", ".parquet"),
    "table_1": Table(TABLE_1, "claims"),
    "prior_estimates_compared": Table(PRIOR_ESTIMATES_COMPARED, "claims"),
}
