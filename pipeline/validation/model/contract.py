"""Contracts of the tables that compare predictions with measurements and with other estimates.

Errors are ln(measured / predicted median): positive where more was measured than predicted.
"""

from pipeline.core.catalogue import Table
from pipeline.core.columns import POSITIVE, SHARE, count, number, schema, text, word, yes_no
from pipeline.serving.model.contract import AIMS

SETS = [
    "mlperf_offline",
    "mlperf_server",
    "mlperf_wall_power",
    "deepseek_fleet",
    "google_overhead",
    "online_serving",
    "ai_energy_score",
    "static_batches",
    "prefix_cache",
]
QUANTITIES = [
    "output_tokens_per_s",
    "gpu_w",
    "node_w",
    "node_j_per_output_token",
    "node_wh_per_1000_output_tokens",
    "gpu_j_per_output_token",
    "facility_over_gpu",
    "cached_over_computed",
]
BOUNDARIES = ["gpu", "node", "facility", "none"]
PEER_BATCHES = ["default", "measured", "none"]
PEER_QUANTITIES = ["output_tokens_per_s", "gpu_j_per_output_token"]

VALIDATION = schema(
    {
        "set": word("where the measurement comes from", SETS),
        "configuration": text("what was measured; the same in all quantities of one run"),
        "quantity": word("what is compared", QUANTITIES),
        "boundary": word("what an energy or power includes; none: a throughput", BOUNDARIES),
        "measured": number("as published"),
        "unit": text("of measured and predicted values"),
        "output_tokens": number("of a request, mean", nullable=True),
        **{f"p{q}": number(f"predicted, {q}th percentile") for q in (5, 25, 50, 75, 95)},
        "ln_error": number("ln(measured / p50)", None),
        "inside_90": yes_no("measured value within p5 to p95"),
        "engine_stated": yes_no("prediction told which engine ran"),
        "basis": text("evidence of the throughput prediction", nullable=True),
        "bound": yes_no("the prediction or the measurement is a bound, no match is expected"),
        "note": text("how the comparison was set up", nullable=True),
    },
    "Predictions against measurements that the serving model was not fitted to.",
    ["set", "configuration", "quantity"],
)

VALIDATION_SUMMARY = schema(
    {
        "set": word("as in validation.csv", SETS),
        "quantity": word("as in validation.csv", QUANTITIES),
        "bound": yes_no("as in validation.csv"),
        "n": count("rows", POSITIVE),
        "median_abs_ln_error": number("median of |ln_error|", None),
        "rmse_ln": number("root mean square of ln_error", None),
        "bias_ln": number("mean of ln_error", None),
        "coverage_50": number("share of measurements within p25 to p75", SHARE),
        "coverage_90": number("share of measurements within p5 to p95", SHARE),
        "aim": word("whether that is 0.85 to 0.97; blank: a bound, not to be covered", AIMS, nullable=True),
    },
    "Errors and interval coverage by set and quantity.",
    ["set", "quantity", "bound"],
)

PEERS = schema(
    {
        "method": text("who predicts"),
        "batch": word("batch that the method was given", PEER_BATCHES),
        "held_out": yes_no("the rows of the model were left out of the method's fit"),
        "quantity": word("what is compared", PEER_QUANTITIES),
        "key": text("row of the serving measurements"),
        "model": text("model"),
        "gpu": text("accelerator"),
        "measured": number("GPU energy per output token, J, or output tokens/s"),
        "predicted": number("the same, predicted"),
        "ln_error": number("ln(measured / predicted)", None),
    },
    "Estimators on the same measured chat rows.",
    ["method", "batch", "quantity", "key"],
)

PEERS_SUMMARY = schema(
    {
        "method": text("as in peers.csv"),
        "batch": word("as in peers.csv", PEER_BATCHES),
        "held_out": yes_no("as in peers.csv"),
        "quantity": word("as in peers.csv", PEER_QUANTITIES),
        "gpu": text("accelerator, or all"),
        "n": count("rows", POSITIVE),
        "median_abs_ln_error": number("median of |ln_error|", None),
        "rmse_ln": number("root mean square of ln_error", None),
        "bias_ln": number("mean of ln_error", None),
    },
    "Errors of each estimator by accelerator.",
    ["method", "batch", "quantity", "gpu"],
)

TABLES = {
    "validation": Table(VALIDATION, "validation"),
    "validation_summary": Table(VALIDATION_SUMMARY, "validation"),
    "peers": Table(PEERS, "validation"),
    "peers_summary": Table(PEERS_SUMMARY, "validation"),
}
