"""Contracts of the measured telemetry: what readers return, stages write and data/telemetry/README.md lists.

Every column carries its meaning and unit as its description. A blank means "the source does not say".
"""

import pandera.pandas as pa

from pipeline.core.catalogue import TELEMETRY, Table
from pipeline.core.columns import NOT_NEGATIVE, POSITIVE, codes, count, number, schema, text, word, yes_no
from pipeline.core.units import QUANTITIES

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
PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)

MODELS = schema(
    {
        "upstream_model": text("model id as the source writes it"),
        "model": text("the name used here, the same for all precisions and for base and instruct weights"),
        "total_params_b": number("parameters, 10^9", POSITIVE),
        "active_params_b": number("parameters active per token, 10^9", POSITIVE),
        "architecture": word("dense or mixture of experts", ["dense", "moe"]),
        "params_source": text("where the parameter counts stand"),
        "note": text("what else matters", nullable=True),
    },
    "Model ids of the serving measurements: one name and one size per model.",
    ["upstream_model"],
)

POWER_SERIES = schema(
    {
        "time": pa.Column("datetime64[us]", description="when the sample was taken, by the clock of the log"),
        "node": text("the machine"),
        "watts": number("mean power since the last sample, W", None),
        "scope": word("one GPU, or the whole node at the wall", SCOPES),
    },
    "Power samples as logged, good or bad; too many to commit, node_power.csv is their summary.",
)

NODE_POWER = schema(
    {
        "run": text("system, model and scenario"),
        "model": text("name as in models.csv"),
        "scenario": text("MLPerf scenario"),
        "node": text("the machine"),
        "gpu": text("accelerator"),
        "gpus": count("accelerators in the node", POSITIVE),
        "precision": text("weights"),
        "scope": word("one GPU, or the whole node at the wall", SCOPES),
        "window_s": number("length of the timed window, s", POSITIVE),
        "samples": count("power samples in the window", POSITIVE),
        "mean_w": number("mean power in the window, W", NOT_NEGATIVE),
        "mean_mw": count("the same in mW, to the last digit that is published", NOT_NEGATIVE),
        "published_mw": count("power as published for this run, mW", NOT_NEGATIVE),
        "floor_w": number("lowest sample of the whole log, before, in or after the window, W", None),
        "p5_w": number("5th percentile in the window, W", None),
        "p95_w": number("95th percentile in the window, W", None),
        "requests": count("requests completed in the window", POSITIVE),
        "output_tokens": count(
            "output tokens of all requests: reported tokens/s over requests/s, times requests", POSITIVE
        ),
        "output_tokens_per_s": number(
            "output tokens/s as the log reports them; Server: until the last query issued", POSITIVE
        ),
        "j_per_output_token": number("node energy at the wall, J/output token", NOT_NEGATIVE),
        "wh_per_request": number("node energy at the wall, Wh/request", NOT_NEGATIVE),
        "valid": yes_no("no flag: fit for use in a model"),
        "flags": codes("why not, as codes", RUN_FLAGS),
    },
    "Wall power of a whole server while it serves, from 1 Hz logs; flagged runs are kept, not fitted.",
    ["run"],
)

MLPERF_THROUGHPUT = schema(
    {
        "key": text("round, id, platform, model and scenario"),
        "id": text("MLPerf result id; several platforms and models share one"),
        "category": word("rules the run follows", ["closed", "open"]),
        "submitter": text("who submitted it"),
        "platform": text("system as submitted"),
        "upstream_model": text("benchmark, with its accuracy target"),
        "model": text("name as in models.csv"),
        "scenario": word("MLPerf scenario", ["Offline", "Server", "Interactive"]),
        "gpu": text("accelerator as submitted", nullable=True),
        "gpus_per_node": number("accelerators per node as submitted", NOT_NEGATIVE, nullable=True),
        "nodes": count("nodes", POSITIVE),
        "precision": text("weights as submitted", nullable=True),
        "software": text("as submitted", nullable=True),
        "output_tokens": number("output tokens per sample, accuracy run", POSITIVE, nullable=True),
        "output_tokens_per_s": number("output tokens/s of the system", POSITIVE),
        "published_w": number("power at the wall, W, where submitted", POSITIVE, nullable=True),
    },
    "MLPerf Inference v5.1, datacentre, language models: throughput as published.",
    ["key"],
)

REQUESTS = schema(
    {
        "time": pa.Column("datetime64[us]", description="when the request came in"),
        "node": text("the machine; the service where the source does not say"),
        "model": text("the model; blank where the source does not say", nullable=True),
        "input_tokens": count("prompt tokens", NOT_NEGATIVE),
        "output_tokens": count("output tokens", NOT_NEGATIVE),
    },
    "Requests with their token counts; token_lengths.csv is their summary.",
)

TOKEN_LENGTHS = schema(
    {
        "key": text("source and workload"),
        "source": text("data set in registry.yaml"),
        "workload": text("service or task, and model where known"),
        "traffic": word("kind of requests", TRAFFIC),
        "quantity": word("which tokens", QUANTITIES),
        "requests": number("requests behind the row (rate times time for ServeGen)", POSITIVE),
        "mean": number("mean, tokens", NOT_NEGATIVE),
        **{f"p{q}": number(f"{q}th percentile, tokens", NOT_NEGATIVE) for q in PERCENTILES},
        "resolution": word("exact, or interpolated inside the source's bins", ["exact", "binned"]),
        "spearman_input_output": number(
            "rank correlation of input and output tokens", pa.Check.in_range(-1, 1), nullable=True
        ),
        "note": text("how the row was made", nullable=True),
    },
    "How long prompts and answers are.",
    ["key", "quantity"],
)

TOKEN_LENGTH_HISTOGRAMS = schema(
    {
        "key": text("as in token_lengths.csv"),
        "quantity": word("which tokens", QUANTITIES),
        "from_tokens": number("lower edge of the bin, included", NOT_NEGATIVE),
        "to_tokens": number("upper edge of the bin, not included", POSITIVE),
        "share": number("share of the requests", pa.Check.in_range(0, 1)),
    },
    "The same as shares per bin; the shares of one key and quantity add up to 1.",
    ["key", "quantity", "from_tokens"],
)

TOKEN_LENGTH_PARTS = schema(
    {
        "traffic": word("kind of requests", TRAFFIC),
        "part": text("half hour of the trace, or group of clients: a fit to the others is scored on it"),
        "quantity": word("which tokens", QUANTITIES),
        "from_tokens": number("lower edge of the bin, included", NOT_NEGATIVE),
        "to_tokens": number("upper edge of the bin, not included", NOT_NEGATIVE),
        "requests": number("requests in the bin (rate times time for ServeGen)", NOT_NEGATIVE),
    },
    "Histograms of token lengths, split so that a fit can be tested on requests it has not seen.",
    ["traffic", "part", "quantity", "from_tokens"],
)

REQUEST_RATES = schema(
    {
        "service": text("the traced service"),
        "start_s": number("start of the window after the first whole one, s", NOT_NEGATIVE),
        "window_s": number("length of the window, s", NOT_NEGATIVE),
        "requests": number("requests that came in (rate times time for ServeGen)", NOT_NEGATIVE),
        "input_tokens": number("prompt tokens of these requests", NOT_NEGATIVE, nullable=True),
        "output_tokens": number("output tokens of these requests", NOT_NEGATIVE, nullable=True),
    },
    "How demand moves within the traced time; blank where the source gives requests alone.",
    ["service", "start_s"],
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
