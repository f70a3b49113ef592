"""Contracts of the measured sources: what each is and is good for, and the rows of serving that they hold.

A source is a row of data/telemetry/sources.csv. One that measures serving has its rows in
data/telemetry/serving/<source>.csv, in the contract SERVING_FILE: a file of our own or a user's, or one that
a reader derives from upstream files. Stage `inputs` joins them into SERVING_MEASUREMENTS, where every row
carries what its source is and is for. A blank means "the source does not say".
"""

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import NOT_NEGATIVE, codes, number, row_check, schema, text, word

TELEMETRY = "data/telemetry"
MEASURES = ["throughput", "gpu_power", "node_power", "lengths", "requests"]
LOADS = [
    "constant",  # as many requests in flight throughout, measured after the first filling
    "saturated",  # all requests offered at once, as many in flight as fit; how many is not stated
    "static",  # one batch from prompt to last token, none follows
    "online",  # a client keeps requests coming, in a closed loop or at a rate, and times them
    "burst",  # a client sends all requests at once: filling and draining count
    "single",  # one request at a time
    "production",  # users
]
TASKS = ["chat", "code", "video", "reasoning", "synthetic"]
FITS = [
    "step",  # time of a step, hence throughput
    "power",  # power of the accelerators
    "node",  # power of the whole server
    "lengths",  # token lengths
]
CHECKS = [
    "chat",  # chat under constant load with power: curves, factors, peers and pairs of chips rest on it
    "online",
    "saturated",
    "static_power",
    "single_query",
    "wall_power",
    "load",  # mean over peak of demand
]
SET_ASIDE = {
    "next_model": "enters with the next serving model",
    "older_engine": "an engine several times slower than today's",
    "other_engine": "an engine that the fit does not span",
    "other_accelerator": "an accelerator that the fit does not span",
    "no_cuda_graphs": "a draft, measured without CUDA graphs",
    "no_gpu_count": "the number of accelerators is not stated",
    "speculation": "several tokens a step, by speculative decoding",
    "unknown_shape": "a model whose layers are not known",
    "not_steady": "requests pile up: the first token waits for longer than the assumption allows",
    "restated": "one run under another key",
    "other_rules": "an open submission, or a scenario that no prediction answers",
    "length_not_stated": "output length or accelerators are not stated",
    "beyond_roofline": "more tokens a second than rated memory and arithmetic allow",
    "idle_counted": "more watts than the limit of the accelerators in use: idle ones are counted",
    "flagged": "the log has a defect, named by its flags",
}
BOUNDARIES = ["gpu", "node", "facility", "none"]
PRECISIONS = ["BF16", "FP16", "FP8", "INT8", "FP4", "INT4"]
MEASUREMENT_FLAGS = ["throughput_below_batch_over_tpot", "energy_disagrees_with_power", "early_stops"]
YES_NO = ["yes", "no"]
DATE = pa.Check.str_matches(r"^\d{4}(-\d{2}(-\d{2})?)?$", error="a date as YYYY, YYYY-MM or YYYY-MM-DD")
NAME = pa.Check.str_matches(r"^[a-z0-9][a-z0-9_.]*$", error="small letters, digits, dot or underscore")


def _serves_a_purpose(table: pd.DataFrame) -> pd.Series:
    """A source has a role, or is set aside and has none."""
    role = table["fits"].notna() | table["checks"].notna()
    return role != table["set_aside"].notna()


SOURCES = schema(
    {
        "source": text("names the source", NAME),
        "title": text("what figures and tables call it"),
        "laboratory": text("who ran the measurements; 'submitter': each submitter of a benchmark is one"),
        "measures": codes("what was measured", MEASURES),
        "load": word("under which load", LOADS),
        "task": word("of which prompts", TASKS, nullable=True),
        "engine": text("serving software, where all rows have one", nullable=True),
        "engine_version": text("its version, where all rows have one", nullable=True),
        "run_date": text("when it was measured or published, where rows do not say", DATE, nullable=True),
        "boundary": word("what the energy includes", BOUNDARIES),
        "lengths": word("whether rows state the length of prompts", ["stated", "not stated"]),
        "fits": codes("fits that its rows enter", FITS),
        "checks": codes("checks that its rows are scored by or give the measured side of", CHECKS),
        "set_aside": word("why, where it has no role", list(SET_ASIDE), nullable=True),
        "upstream": text("data set in registry.yaml that its rows are derived from", nullable=True),
        "origin": text("where a table without upstream files was taken from", nullable=True),
        "licence": text("licence, as the source states it"),
        "citation": text("key of paper/references.bib"),
        "note": text("what to mind", nullable=True),
    },
    "What each measured source is and is good for; kept by hand, a row a source.",
    checks=[
        row_check(
            "set_aside", "a reason where there are no fits and checks, else a blank", _serves_a_purpose
        ),
        row_check("source", "each source once", lambda table: ~table.duplicated("source")),
    ],
)

ENGINES = schema(
    {
        "engine": text("serving software"),
        "engine_version": text("as the sources write it"),
        "released": text("when it was published", DATE),
        "note": text("what else matters", nullable=True),
    },
    "When versions of the engines were published, from the dates of their packages.",
    checks=[
        row_check(
            "engine_version",
            "each version once",
            lambda table: ~table.duplicated(["engine", "engine_version"]),
        )
    ],
)

_IDENTITY = {
    "gpu": text("accelerator; A100 with its memory where the source states it"),
    "gpus": number("accelerators that serve the model", pa.Check.ge(1), nullable=True),
    "tensor_parallel": number("accelerators that share a layer", pa.Check.ge(1), nullable=True),
    "pipeline_parallel": number("groups of layers", pa.Check.ge(1), nullable=True),
    "data_parallel": number("groups that split attention by request", pa.Check.ge(1), nullable=True),
    "expert_parallel": number("groups that split experts", pa.Check.ge(1), nullable=True),
    "precision": word("weights", PRECISIONS, nullable=True),
    "cache_precision": word("key-value cache", PRECISIONS, nullable=True),
    "engine": text("serving software", nullable=True),
    "engine_version": text("its version as the source writes it", nullable=True),
    "run_date": text("when it was measured, or published", DATE, nullable=True),
    "speculation": word("several tokens a step by speculative decoding", YES_NO, nullable=True),
}
_MEASURED = {
    "max_concurrency": number("largest number of requests the engine may run at once", nullable=True),
    "concurrency": number("requests in flight, mean", nullable=True),
    "input_tokens": number("prompt tokens a request, mean", nullable=True),
    "cached_input_tokens": number("of these read from a cache", NOT_NEGATIVE, nullable=True),
    "output_tokens": number("output tokens a request, mean"),
    "output_tokens_per_s": number("output tokens/s of all GPUs", nullable=True),
    "ttft_ms": number("time to first token, mean, ms", nullable=True),
    "tpot_ms": number("time per output token after the first, mean, ms", nullable=True),
    "gpu_w": number("power of all GPUs together, mean, W", nullable=True),
    "gpu_j_per_output_token": number("energy of all GPUs, J/output token", nullable=True),
    "wh_per_request": number("energy of all GPUs, Wh/request", nullable=True),
    "gpu_power_limit_w": number("power limit set on a GPU, W", nullable=True),
    "node_w": number("power of the whole server, mean, W", nullable=True),
}
_REMARKS = {
    "derived": text("columns computed here from others of the same source", nullable=True),
    "flags": codes("what to mind, as codes", MEASUREMENT_FLAGS),
    "setup": text("task and layout as the source names them", nullable=True),
    "where": text("file of the origin", nullable=True),
}
QUANTITIES = ["output_tokens_per_s", "gpu_w", "gpu_j_per_output_token", "wh_per_request", "node_w"]


def _measured(table: pd.DataFrame) -> pd.Series:
    """Whether any quantity is measured, (n,)."""
    return table[QUANTITIES].notna().any(axis=1)


# Only `model`, `gpu` and `output_tokens` must be there: other columns may be left out of a file.
SERVING_FILE = schema(
    {
        "key": text("names the row; source and number of the row where left out", nullable=True),
        "model": text("model id as the source writes it, or a name of data/telemetry/models.csv"),
        "total_params_b": number("parameters, 10^9, as the source states them", nullable=True),
        "active_params_b": number("parameters active per token, 10^9, likewise", nullable=True),
        "task": word("of which prompts, where it differs from the source's", TASKS, nullable=True),
        "load": word("under which load, where it differs from the source's", LOADS, nullable=True),
        **_IDENTITY,
        **_MEASURED,
        **_REMARKS,
        "set_aside": word("why a row is not used", list(SET_ASIDE), nullable=True),
    },
    "One row a measured serving configuration, as one source has it.",
    checks=[
        row_check("output_tokens_per_s", f"a value here or in one of {', '.join(QUANTITIES[1:])}", _measured)
    ],
)
SERVING_FILE.ordered = False
for _name, _column in SERVING_FILE.columns.items():
    _column.required = _name in ("model", "gpu", "output_tokens")

SERVING_MEASUREMENTS = schema(
    {
        "key": text("names the row"),
        "source": text("row of sources.csv"),
        "title": text("what figures and tables call the source"),
        "laboratory": text("who ran it"),
        "task": word("of which prompts", TASKS, nullable=True),
        "load": word("under which load", LOADS),
        "fits": codes("fits that the row enters", FITS),
        "checks": codes("checks that it serves", CHECKS),
        "set_aside": word("why it is not used", list(SET_ASIDE), nullable=True),
        "citation": text("key of paper/references.bib"),
        "model": text("name as in models.csv"),
        "upstream_model": text("model id as the source writes it"),
        "total_params_b": number("parameters, 10^9"),
        "active_params_b": number("parameters active per token, 10^9"),
        "architecture": word("dense or mixture of experts", ["dense", "moe"]),
        **_IDENTITY,
        "engine_date": text("when the version was published, else the run date", DATE, nullable=True),
        **_MEASURED,
        "boundary": word("what the energy includes", BOUNDARIES),
        **_REMARKS,
    },
    "One row a measured serving configuration of every source; energy of the GPUs includes prefill.",
)

SOURCE_COUNTS = schema(
    {
        "source": text("row of sources.csv"),
        "laboratory": text("who ran it"),
        "table": text("the table that holds its rows"),
        "rows": number("rows of the table"),
        "fitted": number("rows that a fit used", NOT_NEGATIVE),
        "scored": number("rows that no fit used and a check scored", NOT_NEGATIVE),
        "set_aside": number("rows set aside", NOT_NEGATIVE),
        "reasons": text("why, with the number of rows", nullable=True),
    },
    "What became of every measured row, by source.",
)


TABLES = {
    "sources": Table(SOURCES, "", TELEMETRY),
    "engines": Table(ENGINES, "", TELEMETRY),
    "serving_measurements": Table(SERVING_MEASUREMENTS, "inputs", "build/telemetry", ".parquet"),
    "results/sources": Table(SOURCE_COUNTS, "validation"),
}
