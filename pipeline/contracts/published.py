"""Contracts of the hand-transcribed tables in data/published.

Five of them are value tables with the same columns, one value a row; the throughput rows and the claims have
columns of their own. A blank means "the source does not say". Vocabularies are closed: a new word goes here.
"""

import pandas as pd
import pandera.pandas as pa

THROUGHPUT_SETS = ["published_analysis", "tensorrt_llm_overview", "tensorrt_llm_serving"]
PRECISIONS = ["FP16", "BF16", "FP8", "FP4"]
# seen-primary: read in the source itself; seen-secondary: read in somebody's account of it
CONFIDENCES = ["seen-primary", "seen-secondary", "computed-from-primary-data"]
INTERVALS = [
    "IQR",
    "P5-P95",
    "1 sd",
    "min-max",
    "range as stated",
    "scenario range",
    "upper bound",  # "up to": high repeats the value
    "lower bound",  # "more than": low repeats the value
]
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
    "node_power": ["W", "kW", "fraction", "ratio"],
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
        "fraction",
        "steps/task",
        "USD/task",
    ],
    "token_lengths": [
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
    "claims": ["Wh", "GWh/day", "x", "mL", "s", "tokens"],
}

POSITIVE = pa.Check.gt(0)
KEY = pa.Check.str_matches(r"^[a-z0-9][A-Za-z0-9._-]*$", error="letters, digits, dot, hyphen or underscore")


def _key() -> pa.Column:
    return pa.Column("str", KEY, unique=True, description="names the row")


def _text(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    return pa.Column("str", list(checks), nullable=nullable, description=description)


def _word(description: str, words: list[str], nullable: bool = False) -> pa.Column:
    return _text(description, pa.Check.isin(words), nullable=nullable)


def _number(description: str, check: pa.Check | None = POSITIVE, nullable: bool = False) -> pa.Column:
    return pa.Column("float64", check, nullable=nullable, description=description)


def _count(description: str, check: pa.Check) -> pa.Column:
    return pa.Column("int64", check, description=description)


def _between(table: pd.DataFrame) -> pd.Series:
    low = table["low"].isna() | table["value"].isna() | (table["low"] <= table["value"])
    high = table["high"].isna() | table["value"].isna() | (table["value"] <= table["high"])
    return low & high & ~(table["low"] > table["high"])


def _explained(table: pd.DataFrame) -> pd.Series:
    return table["interval"].notna() == (table["low"].notna() | table["high"].notna())


# The name of a check over whole rows is the column that its message points at.
ORDERED = pa.Check(_between, name="value", error="low <= value <= high")
EXPLAINED = pa.Check(_explained, name="interval", error="a word when low or high is given, else a blank")
STATED = pa.Check(
    lambda table: table[["value", "low", "high"]].notna().any(axis="columns"),
    name="value",
    error="a value or a range",
)


def _schema(columns: dict[str, pa.Column], checks: list[pa.Check], description: str) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, checks=checks, strict=True, ordered=True, description=description)


def _value_table(name: str, description: str, minimum: pa.Check = POSITIVE) -> pa.DataFrameSchema:
    return _schema(
        {
            "key": _key(),
            "quantity": _text("what the value is"),
            "subject": _text("of what: model, service, machine, site"),
            "hardware": _text("on which machine, as stated", nullable=True),
            "setup": _text("how it was run, as stated", nullable=True),
            "input_tokens": _text("prompt length, as stated", nullable=True),
            "output_tokens": _text("output length, as stated", nullable=True),
            "value": _number("the value; the midpoint where only a range is given", minimum),
            "unit": _word("unit of value, low and high", UNITS[name]),
            "low": _number("lower end of the interval", minimum, nullable=True),
            "high": _number("upper end of the interval", minimum, nullable=True),
            "interval": _word("what low and high mean", INTERVALS, nullable=True),
            "method": _word("how the source came to the value", METHODS),
            "boundary": _word("what the energy or power includes", BOUNDARIES),
            "year": _count("year the value is about, else of publication", pa.Check.in_range(2000, 2035)),
            "source": _text("key of paper/references.bib"),
            "where": _text("version, table, page or address within the source", nullable=True),
            "confidence": _word("how it was read", CONFIDENCES),
            "note": _text("what else matters", nullable=True),
        },
        [ORDERED, EXPLAINED],
        description,
    )


THROUGHPUT = _schema(
    {
        "key": _key(),
        "set": _word("which table the row stands in", THROUGHPUT_SETS),
        "model": _text("one name per model in all tables"),
        "total_params_b": _number("parameters, 10^9"),
        "active_params_b": _number("parameters active per token, 10^9"),
        "architecture": _word("dense or mixture of experts", ["dense", "moe"]),
        "gpu": _word("accelerator", ["H100", "H200", "B200", "GB200"]),
        "gpus": _count("accelerators of the instance", pa.Check.gt(0)),
        "parallelism": _text("TP: tensor, DEP: expert with attention data parallel"),
        "precision": _word("of the weights", PRECISIONS),
        "input_tokens": _number("prompt tokens a request", nullable=True),
        "output_tokens": _number("output tokens a request"),
        "concurrency": _number("requests at once; blank: saturated or not stated", nullable=True),
        "output_tokens_per_s": _number("output tokens/s of all GPUs of the instance"),
        "used_by_authors": _word("row of the authors' fit", ["yes", "no"]),
        "source": _text("key of paper/references.bib"),
        "document_version": _text("version of the document"),
        "where": _text("table, figure or file within the document"),
        "confidence": _word("how it was read", CONFIDENCES),
        "note": _text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: table["active_params_b"] <= table["total_params_b"],
            name="active_params_b",
            error="at most total_params_b",
        ),
        pa.Check(
            lambda table: (
                (table["active_params_b"] == table["total_params_b"]) == (table["architecture"] == "dense")
            ),
            name="architecture",
            error="dense when all parameters are active, else moe",
        ),
    ],
    "Published throughput: one measured serving configuration a row.",
)

CLAIMS = _schema(
    {
        "key": _key(),
        "version": _word("version of the analysis", ["v1", "v2", "blog"]),
        "where": _text("place in the document"),
        "quantity": _text("what the value is"),
        "unit": _word("unit of value, low and high", UNITS["claims"]),
        "value": _number("the published value", nullable=True),
        "low": _number("lower end of the interval", pa.Check.ge(0), nullable=True),
        "high": _number("upper end of the interval", nullable=True),
        "interval": _word("what low and high mean", CLAIM_INTERVALS, nullable=True),
        "kind": _word("in the text, or printed by the released code", ["printed", "released_code"]),
        "source": _text("key of paper/references.bib"),
        "note": _text("what else matters", nullable=True),
    },
    [ORDERED, EXPLAINED, STATED],
    "Every published number of the analysis that is reproduced.",
)

TABLES = {
    "throughput": THROUGHPUT,
    "claims": CLAIMS,
    "node_power": _value_table("node_power", "Rated and measured power of nodes, boards and racks."),
    "pue": _value_table("pue", "Power usage effectiveness by company, region and year.", pa.Check.ge(1)),
    "prior_estimates": _value_table("prior_estimates", "Energy per query, token or day by many authors."),
    "levers": _value_table("levers", "What improves efficiency by how much; read the unit."),
    "token_lengths": _value_table("token_lengths", "Token lengths and request volumes."),
}
