"""Contracts of the two logs that `python -m pipeline.logs` reads, and of what comes out.

The logs can be larger than memory, so they are checked inside the engine, row by row; the tables that come
out are small and are checked with pandera. Every row of a log is used or set aside under one of the reasons
named here, or the log is refused.
"""

from dataclasses import dataclass
from typing import Literal

import pandera.pandas as pa

Kind = Literal["time", "text", "count", "number"]


@dataclass(frozen=True)
class LogColumn:
    """One column of a log: what it holds, whether it must be there, and what it means."""

    kind: Kind
    required: bool
    description: str


REQUESTS = {
    "time": LogColumn(
        "time",
        True,
        "when the request started; ISO 8601 in text; all times of both logs have a zone, or none has: UTC",
    ),
    "end": LogColumn("time", False, "when it ended; without this column all tokens count at `time`"),
    "node": LogColumn("text", True, "the machine that served it"),
    "model": LogColumn("text", True, "the model that served it"),
    "input_tokens": LogColumn("count", True, "prompt tokens"),
    "output_tokens": LogColumn("count", True, "output tokens"),
    "request": LogColumn("text", False, "an id; one that stands again is the same request, and counts once"),
    "status": LogColumn(
        "text", False, "failed requests (failed, error, 429, ...) hold energy and are no queries"
    ),
    "cached_input_tokens": LogColumn(
        "count", False, "input tokens read from a prefix cache; part of input_tokens"
    ),
    "reasoning_tokens": LogColumn("count", False, "tokens of hidden reasoning; part of output_tokens"),
    "device": LogColumn("text", False, "the accelerators of the node that serve the model, such as 0,1,2,3"),
    "gpus": LogColumn("count", False, "how many accelerators serve the model"),
    "instance": LogColumn("text", False, "the instance of a model; its nodes stand in deployment.yaml"),
}

POWER_SERIES = {
    "time": LogColumn("time", True, "when the sample was taken; same rules as in `requests`"),
    "node": LogColumn("text", True, "the machine"),
    "watts": LogColumn("number", True, "mean power since the last sample, W"),
    "scope": LogColumn("text", True, "`gpu` or `node_wall`"),
    "device": LogColumn("text", False, "which meter; without this column one meter covers all of the scope"),
    "gpu": LogColumn("text", False, "the name of the accelerator, as nvidia-smi gives it"),
}

SCOPES = ["gpu", "node_wall"]

# A cell that cannot be read: the log is refused, with file, row, column and value.
REFUSED_REQUESTS = {
    "time_not_a_time": "time", "end_not_a_time": "end", "input_tokens_not_a_number": "input_tokens",
    "output_tokens_not_a_number": "output_tokens",
    "cached_input_tokens_not_a_number": "cached_input_tokens",
    "reasoning_tokens_not_a_number": "reasoning_tokens", "status_unknown": "status",
}  # fmt: skip
REFUSED_POWER = {"time_not_a_time": "time", "watts_not_a_number": "watts", "scope_unknown": "scope"}

# A row that can be read and not be used: it is set aside and counted.
REQUEST_REASONS = [
    *REFUSED_REQUESTS, "time_missing", "end_missing", "node_missing", "model_missing", "tokens_missing",
    "tokens_negative", "tokens_not_whole", "tokens_out_of_range", "cached_more_than_input",
    "ends_before_start", "outside_power_log", "failed_request", "no_tokens",
]  # fmt: skip
POWER_REASONS = [
    *REFUSED_POWER, "time_missing", "node_missing", "watts_missing", "watts_negative", "watts_zero",
    "watts_too_low", "watts_too_high",
]  # fmt: skip


def _wh(nullable: bool = False) -> pa.Column:
    return pa.Column("float64", pa.Check.ge(0), nullable=nullable)


_ENERGY = {
    "queries": pa.Column("int64", pa.Check.gt(0)), "input_tokens": pa.Column("int64", pa.Check.ge(0)),
    "output_tokens": pa.Column("int64", pa.Check.ge(0)), "node_mean_wh": _wh(), "mean_wh": _wh(),
    "p5_wh": _wh(), "p50_wh": _wh(), "p95_wh": _wh(), "idle_wh": _wh(),
    "j_per_output_token": _wh(nullable=True), "onsite_ml": _wh(), "offsite_ml": _wh(),
    "queries_under_power": pa.Column("float64", pa.Check.gt(0)), "low_wh": _wh(), "high_wh": _wh(),
    "carbon_g": _wh(), "wh_per_1000_input": _wh(), "wh_per_1000_cached": _wh(),
    "wh_per_1000_output": _wh(),
    "low_wh_per_1000_input": _wh(), "high_wh_per_1000_input": _wh(),
    "low_wh_per_1000_output": _wh(), "high_wh_per_1000_output": _wh(),
}  # fmt: skip

# mean_wh, p5_wh, p50_wh, p95_wh: Wh per query at the facility (node x PUE), of the windows that served it;
# queries_under_power: a query whose power is known in part counts with that part, in means too; low_*,
# high_*: 5th and 95th percentile over what was modelled: accelerators to node (where the wall is not
# metered), and prices of tokens (of a query: where models share a node);
# carbon_g: g of CO2e per query; wh_per_1000_*: facility Wh of 1,000 tokens by their prices.
# node_mean_wh: the same mean at the node; idle_wh: its share of idle energy, at the facility, on top;
# j_per_output_token: facility J; onsite_ml: mL of water per query at the site, WUE x node energy; offsite_ml:
# in its electricity, water intensity x facility energy; both without idle.
HOURS = pa.DataFrameSchema(
    {"hour": pa.Column("str"), "model": pa.Column("str"), **_ENERGY},
    unique=["hour", "model"],
    strict=True,
    ordered=True,
)
# weight_input: output tokens of the model that an input token counted as; weight_output: what its output
# token counted
# as beside those of other models; weight_basis: where that number comes from
WEIGHT_BASES = [
    "fitted to this model", "fitted to other models", "params", "model of serving",
    "model of serving, by the size in the name", "deployment",
]  # fmt: skip
MODELS = pa.DataFrameSchema(
    {"model": pa.Column("str"), **_ENERGY, "weight_input": pa.Column("float64", pa.Check.ge(0)),
    "weight_basis": pa.Column("str", pa.Check.isin(WEIGHT_BASES)),
    "weight_output": pa.Column("float64", pa.Check.gt(0))}, unique=["model"], strict=True, ordered=True,
)  # fmt: skip

# rows: rows of the log; node_wh: energy at the node. The rows "in" equal the sum of the others of their log;
# so does the energy "in" of power_series, of which `requests` says how much reached requests.
ACCOUNT = pa.DataFrameSchema(
    {"log": pa.Column("str", pa.Check.isin(["requests", "power_series"])),
    "outcome": pa.Column("str", pa.Check.isin(["in", "used", "set_aside"])), "reason": pa.Column("str"),
    "rows": pa.Column("int64", pa.Check.ge(0)),
    "node_wh": pa.Column("float64", pa.Check.ge(0), nullable=True)},
    unique=["log", "outcome", "reason"], strict=True, ordered=True,
)  # fmt: skip


@dataclass(frozen=True)
class Flag:
    """kind: a few words that name the doubt; text: what was seen."""

    kind: str
    text: str
