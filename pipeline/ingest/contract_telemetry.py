"""Contracts of the measured telemetry: what readers return, stages write and data/telemetry/README.md lists.

Every column carries its meaning and unit as its description. A blank means "the source does not say".
"""

from typing import Any

import pandera.pandas as pa

from pipeline.core.catalogue import TELEMETRY, Table

SCOPES = ["gpu", "node_wall"]
RUN_FLAGS = [
    "gap_too_long",
    "window_not_covered",
    "wrong_feed_count",
    "negative_sample",
    "stuck_samples",
    "clock_backwards",
]
TRAFFIC = ["conversation", "code", "reasoning", "chat_benchmark"]
QUANTITIES = ["input_tokens", "output_tokens"]
PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)


def _text(description: str, values: list[str] | None = None, nullable: bool = False) -> pa.Column:
    checks = pa.Check.isin(values) if values else None
    return pa.Column("str", checks, nullable=nullable, description=description)


def _number(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    return pa.Column("float64", list(checks), nullable=nullable, description=description)


def _count(description: str, minimum: int = 0, **options: Any) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(minimum), description=description, **options)


def _codes(description: str, values: list[str]) -> pa.Column:
    """Reason codes joined with ';', blank when there is none."""
    pattern = rf"^({'|'.join(values)})(;({'|'.join(values)}))*$"
    return pa.Column("str", pa.Check.str_matches(pattern), nullable=True, description=description)


def _schema(columns: dict[str, pa.Column], unique: list[str], description: str) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, unique=unique, strict=True, ordered=True, description=description)


POSITIVE = pa.Check.gt(0)
NOT_NEGATIVE = pa.Check.ge(0)

MODELS = _schema(
    {
        "upstream_model": _text("model id as the source writes it"),
        "model": _text("the name used here, the same for all precisions and for base and instruct weights"),
        "total_params_b": _number("parameters, 10^9", POSITIVE),
        "active_params_b": _number("parameters active per token, 10^9", POSITIVE),
        "architecture": _text("dense or mixture of experts", ["dense", "moe"]),
        "params_source": _text("where the parameter counts stand"),
        "note": _text("what else matters", nullable=True),
    },
    ["upstream_model"],
    "Model ids of the serving measurements: one name and one size per model.",
)

POWER_SERIES = _schema(
    {
        "time": pa.Column("datetime64[us]", description="when the sample was taken, by the clock of the log"),
        "node": _text("the machine"),
        "watts": _number("mean power since the last sample, W"),
        "scope": _text("one GPU, or the whole node at the wall", SCOPES),
    },
    [],
    "Power samples as logged, good or bad; too many to commit, node_power.csv is their summary.",
)

NODE_POWER = _schema(
    {
        "run": _text("system, model and scenario"),
        "model": _text("name as in models.csv"),
        "scenario": _text("MLPerf scenario"),
        "node": _text("the machine"),
        "gpu": _text("accelerator"),
        "gpus": _count("accelerators in the node", 1),
        "precision": _text("weights"),
        "scope": _text("one GPU, or the whole node at the wall", SCOPES),
        "window_s": _number("length of the timed window, s", POSITIVE),
        "samples": _count("power samples in the window", 1),
        "mean_w": _number("mean power in the window, W", NOT_NEGATIVE),
        "mean_mw": _count("the same in mW, to the last digit that is published"),
        "published_mw": _count("power as published for this run, mW"),
        "floor_w": _number("lowest sample of the whole log, before, in or after the window, W"),
        "p5_w": _number("5th percentile in the window, W"),
        "p95_w": _number("95th percentile in the window, W"),
        "requests": _count("requests completed in the window", 1),
        "output_tokens": _count(
            "output tokens of all requests: reported tokens/s over requests/s, times requests", 1
        ),
        "output_tokens_per_s": _number(
            "output tokens/s as the log reports them; Server: until the last query issued", POSITIVE
        ),
        "j_per_output_token": _number("node energy at the wall, J/output token", NOT_NEGATIVE),
        "wh_per_request": _number("node energy at the wall, Wh/request", NOT_NEGATIVE),
        "valid": pa.Column(
            "str", pa.Check.isin(["yes", "no"]), description="no flag: fit for use in a model"
        ),
        "flags": _codes("why not, as codes", RUN_FLAGS),
    },
    ["run"],
    "Wall power of a whole server while it serves, from 1 Hz logs; flagged runs are kept, not fitted.",
)

MLPERF_THROUGHPUT = _schema(
    {
        "key": _text("round, id, platform, model and scenario"),
        "id": _text("MLPerf result id; several platforms and models share one"),
        "category": _text("rules the run follows", ["closed", "open"]),
        "submitter": _text("who submitted it"),
        "platform": _text("system as submitted"),
        "upstream_model": _text("benchmark, with its accuracy target"),
        "model": _text("name as in models.csv"),
        "scenario": _text("MLPerf scenario", ["Offline", "Server", "Interactive"]),
        "gpu": _text("accelerator as submitted", nullable=True),
        "gpus_per_node": _number("accelerators per node as submitted", NOT_NEGATIVE, nullable=True),
        "nodes": _count("nodes", 1),
        "precision": _text("weights as submitted", nullable=True),
        "software": _text("as submitted", nullable=True),
        "output_tokens": _number("output tokens per sample, accuracy run", POSITIVE, nullable=True),
        "output_tokens_per_s": _number("output tokens/s of the system", POSITIVE),
        "published_w": _number("power at the wall, W, where submitted", POSITIVE, nullable=True),
    },
    ["key"],
    "MLPerf Inference v5.1, datacentre, language models: throughput as published.",
)

REQUESTS = _schema(
    {
        "time": pa.Column("datetime64[us]", description="when the request came in"),
        "node": _text("the machine; the service where the source does not say"),
        "model": _text("the model; blank where the source does not say", nullable=True),
        "input_tokens": _count("prompt tokens"),
        "output_tokens": _count("output tokens"),
    },
    [],
    "Requests with their token counts; token_lengths.csv is their summary.",
)

TOKEN_LENGTHS = _schema(
    {
        "key": _text("source and workload"),
        "source": _text("data set in registry.yaml"),
        "workload": _text("service or task, and model where known"),
        "traffic": _text("kind of requests", TRAFFIC),
        "quantity": _text("which tokens", QUANTITIES),
        "requests": _number("requests behind the row (rate times time for ServeGen)", POSITIVE),
        "mean": _number("mean, tokens", NOT_NEGATIVE),
        **{
            f"p{q}": _number(f"{q}th percentile, tokens", NOT_NEGATIVE)
            for q in (1, 5, 10, 25, 50, 75, 90, 95, 99)
        },
        "resolution": _text("exact, or interpolated inside the source's bins", ["exact", "binned"]),
        "spearman_input_output": _number(
            "rank correlation of input and output tokens", pa.Check.in_range(-1, 1), nullable=True
        ),
        "note": _text("how the row was made", nullable=True),
    },
    ["key", "quantity"],
    "How long prompts and answers are.",
)

TOKEN_LENGTH_HISTOGRAMS = _schema(
    {
        "key": _text("as in token_lengths.csv"),
        "quantity": _text("which tokens", QUANTITIES),
        "from_tokens": _number("lower edge of the bin, included", NOT_NEGATIVE),
        "to_tokens": _number("upper edge of the bin, not included", POSITIVE),
        "share": _number("share of the requests", pa.Check.in_range(0, 1)),
    },
    ["key", "quantity", "from_tokens"],
    "The same as shares per bin; the shares of one key and quantity add up to 1.",
)

TOKEN_LENGTH_PARTS = _schema(
    {
        "traffic": _text("kind of requests", TRAFFIC),
        "part": _text("half hour of the trace, or group of clients: a fit to the others is scored on it"),
        "quantity": _text("which tokens", QUANTITIES),
        "from_tokens": _number("lower edge of the bin, included", NOT_NEGATIVE),
        "to_tokens": _number("upper edge of the bin, not included", NOT_NEGATIVE),
        "requests": _number("requests in the bin (rate times time for ServeGen)", NOT_NEGATIVE),
    },
    ["traffic", "part", "quantity", "from_tokens"],
    "Histograms of token lengths, split so that a fit can be tested on requests it has not seen.",
)

REQUEST_RATES = _schema(
    {
        "service": _text("the traced service"),
        "start_s": _number("start of the window after the first whole one, s", NOT_NEGATIVE),
        "window_s": _number("length of the window, s", NOT_NEGATIVE),
        "requests": _number("requests that came in (rate times time for ServeGen)", NOT_NEGATIVE),
        "input_tokens": _number("prompt tokens of these requests", NOT_NEGATIVE, nullable=True),
        "output_tokens": _number("output tokens of these requests", NOT_NEGATIVE, nullable=True),
    },
    ["service", "start_s"],
    "How demand moves within the traced time; blank where the source gives requests alone.",
)

_TABLES = {
    "telemetry/node_power": NODE_POWER,
    "mlperf_throughput": MLPERF_THROUGHPUT,
    "telemetry/token_lengths": TOKEN_LENGTHS,
    "token_length_histograms": TOKEN_LENGTH_HISTOGRAMS,
    "token_length_parts": TOKEN_LENGTH_PARTS,
    "request_rates": REQUEST_RATES,
}
TABLES = {name: Table(contract, "telemetry", TELEMETRY) for name, contract in _TABLES.items()}
TABLES |= {"telemetry/models": Table(MODELS, "", TELEMETRY)}
