"""Contracts of the tables that compare predictions with measurements and with other estimates.

Errors are ln(measured / predicted median): positive where more was measured than predicted.
"""

import pandera.pandas as pa

from pipeline.contracts.serving import AIMS

SETS = [
    "mlperf_offline",
    "mlperf_server",
    "mlperf_wall_power",
    "deepseek_fleet",
    "google_overhead",
    "online_serving",
    "ai_energy_score",
    "static_batches",
]
QUANTITIES = [
    "output_tokens_per_s",
    "gpu_w",
    "node_w",
    "node_j_per_output_token",
    "node_wh_per_1000_output_tokens",
    "gpu_j_per_output_token",
    "facility_over_gpu",
]
BOUNDARIES = ["gpu", "node", "facility", "none"]
PEER_BATCHES = ["default", "measured", "none"]
PEER_QUANTITIES = ["output_tokens_per_s", "gpu_j_per_output_token"]
YES_NO = ["yes", "no"]


def _text(description: str, values: list[str] | None = None, nullable: bool = False) -> pa.Column:
    checks = pa.Check.isin(values) if values else None
    return pa.Column("str", checks, nullable=nullable, description=description)


def _number(description: str, positive: bool = True, nullable: bool = False) -> pa.Column:
    checks = pa.Check.gt(0) if positive else None
    return pa.Column("float64", checks, nullable=nullable, description=description)


def _share(description: str, nullable: bool = False) -> pa.Column:
    return pa.Column("float64", pa.Check.in_range(0, 1), nullable=nullable, description=description)


def _schema(columns: dict[str, pa.Column], unique: list[str], description: str) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, unique=unique, strict=True, ordered=True, description=description)


VALIDATION = _schema(
    {
        "set": _text("where the measurement comes from", SETS),
        "configuration": _text("what was measured; the same in all quantities of one run"),
        "quantity": _text("what is compared", QUANTITIES),
        "boundary": _text("what an energy or power includes; none: a throughput", BOUNDARIES),
        "measured": _number("as published"),
        "unit": _text("of measured and predicted values"),
        "output_tokens": _number("of a request, mean", nullable=True),
        **{f"p{q}": _number(f"predicted, {q}th percentile") for q in (5, 25, 50, 75, 95)},
        "ln_error": _number("ln(measured / p50)", positive=False),
        "inside_90": _text("measured value within p5 to p95", YES_NO),
        "engine_stated": _text("prediction told which engine ran", YES_NO),
        "basis": _text("evidence of the throughput prediction", nullable=True),
        "bound": _text("the prediction or the measurement is a bound, no match is expected", YES_NO),
        "note": _text("how the comparison was set up", nullable=True),
    },
    ["set", "configuration", "quantity"],
    "Predictions against measurements that the serving model was not fitted to.",
)

VALIDATION_SUMMARY = _schema(
    {
        "set": _text("as in validation.csv", SETS),
        "quantity": _text("as in validation.csv", QUANTITIES),
        "bound": _text("as in validation.csv", YES_NO),
        "n": pa.Column("int64", pa.Check.gt(0), description="rows"),
        "median_abs_ln_error": _number("median of |ln_error|", positive=False),
        "rmse_ln": _number("root mean square of ln_error", positive=False),
        "bias_ln": _number("mean of ln_error", positive=False),
        "coverage_50": _share("share of measurements within p25 to p75"),
        "coverage_90": _share("share of measurements within p5 to p95"),
        "aim": _text("whether that is 0.85 to 0.97; blank: a bound, not to be covered", AIMS, nullable=True),
    },
    ["set", "quantity", "bound"],
    "Errors and interval coverage by set and quantity.",
)

PEERS = _schema(
    {
        "method": _text("who predicts"),
        "batch": _text("batch that the method was given", PEER_BATCHES),
        "held_out": _text("the rows of the model were left out of the method's fit", YES_NO),
        "quantity": _text("what is compared", PEER_QUANTITIES),
        "key": _text("row of serving_measurements.csv"),
        "model": _text("model"),
        "gpu": _text("accelerator"),
        "measured": _number("GPU energy per output token, J, or output tokens/s"),
        "predicted": _number("the same, predicted"),
        "ln_error": _number("ln(measured / predicted)", positive=False),
    },
    ["method", "batch", "quantity", "key"],
    "Estimators on the same measured chat rows.",
)

PEERS_SUMMARY = _schema(
    {
        "method": _text("as in peers.csv"),
        "batch": _text("as in peers.csv", PEER_BATCHES),
        "held_out": _text("as in peers.csv", YES_NO),
        "quantity": _text("as in peers.csv", PEER_QUANTITIES),
        "gpu": _text("accelerator, or all"),
        "n": pa.Column("int64", pa.Check.gt(0), description="rows"),
        "median_abs_ln_error": _number("median of |ln_error|", positive=False),
        "rmse_ln": _number("root mean square of ln_error", positive=False),
        "bias_ln": _number("mean of ln_error", positive=False),
    },
    ["method", "batch", "quantity", "gpu"],
    "Errors of each estimator by accelerator.",
)

BATCH_CURVES = _schema(
    {
        "configuration": _text("model, accelerators, precision"),
        "model": _text("model"),
        "gpu": _text("accelerator"),
        "gpus": pa.Column("int64", pa.Check.gt(0), description="accelerators"),
        "total_params_b": _number("parameters, 10^9"),
        "concurrency": _number("requests in flight"),
        **{f"gpu_j_per_output_token_p{q}": _number(f"predicted, {q}th percentile") for q in (5, 50, 95)},
        **{f"gpu_power_fraction_p{q}": _number(f"of rated power, {q}th percentile") for q in (5, 50, 95)},
    },
    ["configuration", "concurrency"],
    "Energy per output token and power of measured chat configurations over the batch, as fitted.",
)

PRIOR_ESTIMATES_COMPARED = _schema(
    {
        "key": _text("row of prior_estimates.csv, or ours"),
        "group": _text("boundary and method, as rows of the forest plot"),
        "subject": _text("model or service"),
        "quantity": _text("as the source calls it"),
        "output_tokens": _text("as the source gives them", nullable=True),
        "value_wh": _number("Wh/query"),
        "low_wh": _number("lower end, of what `interval` says", positive=False, nullable=True),
        "high_wh": _number("upper end", positive=False, nullable=True),
        "interval": _text("what low and high are", nullable=True),
        "boundary": _text("what the energy includes"),
        "method": _text("how it was made"),
        "year": pa.Column("int64", description="of publication"),
        "source": _text("key of the bibliography; blank: this project", nullable=True),
        "workload": _text(
            "short queries, long or reasoning ones, or not said", ["short", "long", "not-stated"]
        ),
        "ratio_to_published": _number("value over the published median of the same workload"),
        "ratio_to_ours": _number("value over ours of the same workload and boundary", nullable=True),
        "at_least_4_times": _text("value is four times the published median or more", YES_NO),
    },
    ["key"],
    "Every published energy per query, by boundary and method, against the published median and ours.",
)
