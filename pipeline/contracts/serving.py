"""Contracts of what the validation of the serving model writes."""

import pandera.pandas as pa

from pipeline.contracts.columns import number, text, word

QUANTITIES = ["output_tokens_per_s", "gpu_w", "gpu_j_per_output_token"]
LEFT_OUT = ["cell", "configuration", "model", "model and shape"]
ROWS = ["ML.ENERGY v3", "TensorRT-LLM"]
QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
# Whether the 90 % intervals cover what they should: 85 to 97 % of the rows.
AIMS = ["met", "too narrow", "too wide", "too few rows"]
ANY = pa.Check(lambda values: values.notna(), error="a number")

HELD_OUT = pa.DataFrameSchema(
    {
        "key": text("measured row, as in its table"),
        "rows": word("measurements that the errors are of", ROWS),
        "left_out": word("what the fit did not see", LEFT_OUT),
        "form": text("model that predicts"),
        "quantity": word("what is predicted", QUANTITIES),
        "model": text("name as in the tables"),
        "gpu": text("accelerator"),
        "gpus": number("accelerators"),
        "precision": text("of the weights"),
        "concurrency": number("requests in flight; blank: saturated", nullable=True),
        "input_tokens": number("mean prompt"),
        "output_tokens": number("mean output"),
        "measured": number("measured value, unit of the quantity"),
        **{
            f"predicted_{name}": number(f"quantile {name[1:]} %; blank: no interval", nullable=name != "p50")
            for name in QUANTILES
        },
        "basis": text("what the prediction rests on", nullable=True),
    },
    unique=["key", "left_out", "form", "quantity"],
    strict=True,
    ordered=True,
    description="Predictions of rows that the fit did not see, beside what was measured.",
)

COMPARISON = pa.DataFrameSchema(
    {
        "rows": word("measurements that the errors are of", ROWS),
        "left_out": word("what the fit did not see", LEFT_OUT),
        "quantity": word("what is predicted", QUANTITIES),
        "form": text("model that predicts"),
        "chosen": word("the form that predicts elsewhere", ["yes", "no"]),
        "n": pa.Column("int64", pa.Check.gt(0), description="rows"),
        "median_abs_ln_error": number("median of |ln(measured / predicted)|"),
        "rmse_ln": number("root mean square of the same"),
        "p90_abs_ln_error": number("its 90th percentile"),
        "bias_ln": number("mean of ln(measured / predicted)", ANY),
        "coverage_50": number("share within the 50 % interval", pa.Check.in_range(0, 1), nullable=True),
        "coverage_90": number("share within the 90 % interval", pa.Check.in_range(0, 1), nullable=True),
        "aim": word("whether that is 0.85 to 0.97; blank: no interval", AIMS, nullable=True),
    },
    unique=["rows", "left_out", "quantity", "form"],
    strict=True,
    ordered=True,
    description="Held-out errors of the serving model and of its alternatives.",
)
