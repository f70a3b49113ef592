"""Contracts of Table 1 of the published analysis: its comparators, traced to their sources' own rows.

The paper sets its energy per query at the facility beside values of others, most of the accelerators alone.
"""

import pandera.pandas as pa

from pipeline.contracts.columns import CONFIDENCES, key, number, schema, text, word
from pipeline.contracts.published import BOUNDARIES, PRECISIONS
from pipeline.contracts.results import REGIMES

COMPARATORS = schema(
    {
        "key": key(),  # of claims.csv
        "comparator": text("whose value, as Table 1 names it"),
        "model": text("model, as in energy_per_query.csv"),
        "regime": word("queries of the paper that it is compared with", list(REGIMES)),
        "measured_rows": text("start of the keys in serving_measurements.csv", nullable=True),
        "value_wh": number("the source's own row, where no table of ours has it", nullable=True),
        "output_tokens": number("of a request, mean, of that row", nullable=True),
        "concurrency": number("requests in flight, of that row", nullable=True),
        "gpu": text("accelerator of the source's rows", nullable=True),
        "precision": word("of the weights in the source's rows", PRECISIONS, nullable=True),
        "paper_gpu": text("accelerator that the printed value is for", nullable=True),
        "boundary": word("what the source's value includes", BOUNDARIES),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: ~(table["measured_rows"].notna() & table["value_wh"].notna()),
            name="value_wh",
            error="blank where measured_rows is given",
        ),
        pa.Check(
            lambda table: table["value_wh"].isna() | table["output_tokens"].notna(),
            name="output_tokens",
            error="a number where value_wh is given",
        ),
    ],
    "The comparators of Table 1 and where their own rows are.",
)
TABLE_1_TABLES = {"comparators": COMPARATORS}

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
    [],
    "Table 1 as printed, from its sources' rows, and at one boundary.",
)
