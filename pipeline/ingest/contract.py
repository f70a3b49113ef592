"""Contracts of the hand-transcribed tables in data/published.

Five of them are value tables with the same columns, one value a row; the throughput rows and the claims have
columns of their own. A blank means "the source does not say". Vocabularies are closed: a new word goes here.
"""

from collections.abc import Iterable

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import Table, transcribed
from pipeline.core.columns import (
    CONFIDENCES,
    EVERY_REGIME,
    PLAUSIBLE,
    POSITIVE,
    count,
    ends,
    key,
    number,
    origin,
    row_check,
    schema,
    text,
    word,
)

THROUGHPUT_SETS = ["published_analysis", "tensorrt_llm_overview", "tensorrt_llm_serving"]
PRECISIONS = ["FP16", "BF16", "FP8", "FP4"]
CLAIM_INTERVALS = [
    "IQR",
    "IQR after the double trim",
    "P5-P95 of a bootstrap of the mean",
    "range as stated",
    "upper bound",
]
METHODS = [
    "measured-production",
    "measured-benchmark",
    "bottom-up-model",
    "simulation",
    "vendor-specification",
    "model-assumption",
    "statement",
    "quoted",  # another author's figure as the source quotes it
    "derived",
]
BOUNDARIES = [
    "gpu",  # accelerators alone
    "board",
    "superchip",
    "gpu+host",  # accelerators, processors and memory, without fans and power supplies
    "node",
    "rack",
    "cluster",  # several nodes or racks
    "facility",  # node or its share, times PUE or provisioned with it
    "component",  # one part of a total
    "not-applicable",  # not an energy or a power
    "not-stated",
]
UNITS = {
    "published/node_power": ["W", "kW", "fraction", "ratio"],
    "pue": ["ratio"],
    "prior_estimates": [
        "Wh/query",
        "Wh/session",
        "Wh/1000 output tokens",
        "Wh/million tokens",
        "J/output token",
        "J/token",
        "GWh/day",
        "tokens/s/MW",
        "ratio",
    ],
    "levers": [
        "x less energy",
        "x throughput",
        "x throughput per watt",
        "x performance per dollar",
        "x lower latency",
        "x less cost",
        "x less carbon",
        "x power",
        "tokens/s more",
        "fraction",
        "billion parameters",
        "steps/task",
        "USD/task",
    ],
    "published/token_lengths": [
        "tokens",
        "tokens/s",
        "tokens/day",
        "requests",
        "queries/day",
        "turns",
        "nodes",
        "ratio",
        "fraction",
    ],
    "published/claims": ["Wh", "GWh/day", "x", "mL", "s", "tokens"],
}


def _between(table: pd.DataFrame) -> pd.Series:
    low = table["low"].isna() | table["value"].isna() | (table["low"] <= table["value"])
    high = table["high"].isna() | table["value"].isna() | (table["value"] <= table["high"])
    return low & high & ~(table["low"] > table["high"])


def _explained(table: pd.DataFrame) -> pd.Series:
    return table["interval"].notna() == (table["low"].notna() | table["high"].notna())


LEVER_GROUPS = ["scale", "models", "routing", "serving", "hardware", "datacentre", "combined"]
LEVER_REGIMES = ["short", "long", "both"]
# How far a number about energy may be relied on; the weakest part of the evidence decides.
GRADES = {
    "A": "energy measured in production or by an independent benchmark",
    "B": "throughput, or energy by the authors or the vendor, measured in a stated set-up; or a model fitted "
    "to such measurements, on accelerators and kinds of models that they cover",
    "C": "simulated, or a fitted model beyond the measured accelerators",
    "D": "a statement, a specification, a price, or an assumption",
}
WORST = max(GRADES)


def weakest(grades: Iterable[str]) -> str:
    """The grade that decides: the last one of GRADES."""
    return max(grades, key=list(GRADES).index)


# The one wording, for captions, tables, pages and README.
GRADES_IN_WORDS = (
    "Grades: " + ". ".join(f"{name}, {what}" for name, what in GRADES.items()) + ". The weakest part decides."
)


ORDERED = row_check("value", "low <= value <= high", _between)
EXPLAINED = row_check("interval", "a word when low or high is given, else a blank", _explained)
STATED = row_check(
    "value", "a value or a range", lambda table: table[["value", "low", "high"]].notna().any(axis="columns")
)


def _value_table(
    name: str,
    description: str,
    minimum: pa.Check = POSITIVE,
    first: dict[str, pa.Column] | None = None,
    last: dict[str, pa.Column] | None = None,
) -> pa.DataFrameSchema:
    where = origin(placed=False)
    note = where.pop("note")
    return schema(
        {
            "key": key(),
            **(first or {}),
            "quantity": text("what the value is"),
            "subject": text("of what: model, service, machine, site"),
            "hardware": text("on which machine, as stated", nullable=True),
            "setup": text("how it was run, as stated", nullable=True),
            "input_tokens": text("prompt length, as stated", nullable=True),
            "output_tokens": text("output length, as stated", nullable=True),
            "value": number("the value; the midpoint where only a range is given", minimum),
            "unit": word("unit of value, low and high", UNITS[name]),
            **ends(minimum),
            "method": word("how the source came to the value", METHODS),
            "boundary": word("what the energy or power includes", BOUNDARIES),
            "year": count("year the value is about, else of publication", pa.Check.in_range(2000, 2035)),
            **where,
            **(last or {}),
            "note": note,
        },
        description,
        checks=[ORDERED, EXPLAINED, *PLAUSIBLE],
    )


def grade() -> pa.Column:
    """How far the evidence carries: GRADES."""
    return word("evidence: " + "; ".join(f"{name} {what}" for name, what in GRADES.items()), list(GRADES))


THROUGHPUT = schema(
    {
        "key": key(),
        "set": word("which table the row stands in", THROUGHPUT_SETS),
        "model": text("one name per model in all tables"),
        "total_params_b": number("parameters, 10^9"),
        "active_params_b": number("parameters active per token, 10^9"),
        "architecture": word("dense or mixture of experts", ["dense", "moe"]),
        "gpu": word("accelerator", ["A100", "H100", "GH200", "H200", "B200", "GB200"]),
        "gpus": count("accelerators of the instance", pa.Check.gt(0)),
        "parallelism": text("TP: tensor, DEP: expert with attention data parallel"),
        "precision": word("of the weights", PRECISIONS),
        "input_tokens": number("prompt tokens a request", nullable=True),
        "output_tokens": number("output tokens a request"),
        "concurrency": number("requests at once; blank: saturated or not stated", nullable=True),
        "output_tokens_per_s": number("output tokens/s of all GPUs of the instance"),
        "used_by_authors": word("row of the authors' fit", ["yes", "no"]),
        "source": text("key of paper/references.bib"),
        "document_version": text("version of the document"),
        "where": text("table, figure or file within the document"),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    "Published throughput: one measured serving configuration a row.",
    checks=[
        row_check("active_params_b", "at most total_params_b", "active_params_b <= total_params_b"),
        row_check(
            "architecture",
            "dense when all parameters are active, else moe",
            "(active_params_b == total_params_b) == (architecture == 'dense')",
        ),
    ],
)

# What the results of fleets are set beside; apart, so that other claims rerun no fleet.
FLEET_UNIT = "GWh/day"
CLAIMS = schema(
    {
        "key": key(),
        "version": word("version of the analysis", ["v1", "v2", "blog"]),
        "where": text("place in the document"),
        "quantity": text("what the value is"),
        "unit": word("unit of value, low and high", UNITS["published/claims"]),
        "value": number("the published value", nullable=True),
        "low": number("lower end of the interval", pa.Check.ge(0), nullable=True),
        "high": number("upper end of the interval", nullable=True),
        "interval": word("what low and high mean", CLAIM_INTERVALS, nullable=True),
        "kind": word("in the text, or printed by the released code", ["printed", "released_code"]),
        "source": text("key of paper/references.bib"),
        "note": text("what else matters", nullable=True),
    },
    "Every published number of the analysis that is reproduced.",
    checks=[ORDERED, EXPLAINED, STATED],
)

CLASSES_OF_TRAFFIC = ["chat", "reasoning", "code", "agent", "API"]
SERVICE_LENGTHS = schema(
    {
        "key": key(),
        "class": word("kind of traffic", CLASSES_OF_TRAFFIC),
        "service": text("whose requests"),
        "year": count("of the requests", pa.Check.ge(2020)),
        "requests": number("behind the means", nullable=True),
        "input_tokens": number(
            "mean a request, what is cached included; blank: prompts alone", nullable=True
        ),
        "output_tokens": number("mean a request, reasoning included"),
        **origin(placed=False),
    },
    "Mean lengths of the requests of services in production.",
)
PRACTICES = ["load kept", "load reallocated", "cached share", "agent cached share", "level correlation"]
SERVICE_PRACTICE = schema(
    {
        "key": key(),
        "quantity": word(
            "load kept, reallocated: over what nodes are configured for, where nodes are kept for the "
            "service or do other work; cached share: of the input, or an agent's; level correlation: of "
            "mean lengths",
            PRACTICES,
        ),
        "service": text("which one"),
        "year": count("of the value", pa.Check.ge(2020)),
        "value": number("fraction or correlation", pa.Check.in_range(-1, 1)),
        "low": number("of the range as stated", pa.Check.in_range(-1, 1), nullable=True),
        "high": number("of the range as stated", pa.Check.in_range(-1, 1), nullable=True),
        **origin(placed=False),
    },
    "How services are run, one value of one service a row.",
    checks=[ORDERED],
)

PER_QUERY, PER_1000_OUTPUT, TOKENS_PER_S = "Wh/query", "Wh/1000 output tokens", "tokens/s"
BEFORE = "of the same quantity, or of what stood for it, in release 0.1.0"
ANCHORS = schema(
    {
        "key": key(),
        "title": text("whose figure of what"),
        "value": number("as published or derived, in `unit`"),
        "low": number("lower end, where a range", nullable=True),
        "high": number("upper end, where a range", nullable=True),
        "unit": word("of the value", [PER_QUERY, PER_1000_OUTPUT, TOKENS_PER_S]),
        "subject": text("model or class of ours that it is nearest to"),
        "regime": word("queries of ours", [*EVERY_REGIME]),
        "lengths": word("of ours", ["published", "production"]),
        "statistic": text("of ours"),
        "boundary": word("of ours", ["gpu", "node", "facility"]),
        "gpu": text("accelerator, of a throughput", nullable=True),
        "gpus": number("how many", nullable=True),
        "requests": number("in flight", nullable=True),
        "input_tokens": number("mean, of a throughput", nullable=True),
        "output_tokens": number("mean, of a throughput", nullable=True),
        "before_p5": number(f"5th percentile {BEFORE}; blank: not there then", nullable=True),
        "before_p50": number(f"median {BEFORE}; likewise", nullable=True),
        "before_p95": number(f"95th percentile {BEFORE}; likewise", nullable=True),
        **origin(placed=False),
    },
    "Published figures to compare with that nothing is fitted to.",
    checks=[ORDERED],
)

TABLES = transcribed(
    {
        "anchors": ANCHORS,
        "service_lengths": SERVICE_LENGTHS,
        "service_practice": SERVICE_PRACTICE,
        "throughput": THROUGHPUT,
        "published/claims": CLAIMS,
        "published/node_power": _value_table(
            "published/node_power", "Rated and measured power of nodes, boards and racks."
        ),
        "prior_estimates": _value_table("prior_estimates", "Energy per query, token or day by many authors."),
        "levers": _value_table(
            "levers",
            "What improves efficiency by how much; read the unit.",
            first={
                "group": word("kind of lever", LEVER_GROUPS),
                "system": text("named system; one name in all rows that are about it"),
                "regime": word("queries for which it was shown: short, long, or either", LEVER_REGIMES),
                "load": text("requests in flight for which it was shown", nullable=True),
            },
            last={"grade": grade()},
        ),
        "published/token_lengths": _value_table(
            "published/token_lengths", "Token lengths and request volumes."
        ),
    }
)
TABLES |= transcribed(
    {"pue": _value_table("pue", "Power usage effectiveness by company, region and year.", pa.Check.ge(1))},
    "sites",
)
TABLES |= {"claims_gwh_per_day": Table(CLAIMS, "inputs", "build/published", ".parquet")}
