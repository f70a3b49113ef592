"""Contracts of what the validation of the serving model writes."""

import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import POSITIVE, count, number, schema, text, word

QUANTITIES = ["output_tokens_per_s", "gpu_w", "gpu_j_per_output_token"]
LEFT_OUT = ["cell", "configuration", "model", "chip", "laboratory"]
QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
# Whether the 90 % intervals cover what they should: 85 to 97 % of the rows.
AIMS = ["met", "too narrow", "too wide", "too few rows"]
ANY = pa.Check(lambda values: values.notna(), error="a number")

HELD_OUT = schema(
    {
        "key": text("measured row, as in its table"),
        "laboratory": text("who measured it"),
        "rows": text("measurements that the errors are of: title of their source"),
        "left_out": word("what the fit did not see", LEFT_OUT),
        "form": text("model that predicts"),
        "quantity": word("what is predicted", QUANTITIES),
        "model": text("name as in the tables"),
        "gpu": text("accelerator"),
        "gpus": number("accelerators"),
        "precision": text("of the weights"),
        "engine": text("serving software"),
        "concurrency": number("requests in flight; blank: saturated", nullable=True),
        "input_tokens": number("mean prompt; blank: not stated", nullable=True),
        "output_tokens": number("mean output"),
        "measured": number("measured value, unit of the quantity"),
        **{
            f"predicted_{name}": number(f"quantile {name[1:]} %; blank: no interval", nullable=name != "p50")
            for name in QUANTILES
        },
        "basis": text("what the prediction rests on", nullable=True),
    },
    "Predictions of rows that the fit did not see, beside what was measured.",
    ["key", "left_out", "form", "quantity"],
)

COMPARISON = schema(
    {
        "rows": text("measurements that the errors are of: title of their source"),
        "left_out": word("what the fit did not see", LEFT_OUT),
        "quantity": word("what is predicted", QUANTITIES),
        "form": text("model that predicts"),
        "chosen": word("the form that predicts elsewhere", ["yes", "no"]),
        "n": pa.Column("int64", pa.Check.gt(0), description="rows"),
        "median_abs_ln_error": number("median of |ln(measured / predicted)|"),
        "rmse_ln": number("root mean square of the same"),
        "p90_abs_ln_error": number("its 90th percentile"),
        "bias_ln": number("median of ln(measured / predicted)", ANY),
        "coverage_50": number("share within the 50 % interval", pa.Check.in_range(0, 1), nullable=True),
        "coverage_90": number("share within the 90 % interval", pa.Check.in_range(0, 1), nullable=True),
        "p95_over_p5": number("median width of the 90 % interval, as a factor", nullable=True),
        "interval_score": number("mean of the 90 % interval, ln: width + 20 times a miss", nullable=True),
        "aim": word("whether the coverage is 0.85 to 0.97; blank: no interval", AIMS, nullable=True),
    },
    "Held-out errors of the serving model and of its alternatives.",
    ["rows", "left_out", "quantity", "form"],
)

BATCH_CURVES = schema(
    {
        "configuration": text("model, accelerators, precision"),
        "model": text("model"),
        "gpu": text("accelerator"),
        "gpus": count("accelerators", POSITIVE),
        "total_params_b": number("parameters, 10^9"),
        "concurrency": number("requests in flight"),
        **{f"gpu_j_per_output_token_p{q}": number(f"predicted, {q}th percentile") for q in (5, 50, 95)},
        **{f"gpu_power_fraction_p{q}": number(f"of rated power, {q}th percentile") for q in (5, 50, 95)},
    },
    "Energy per output token and power of measured chat configurations over the batch, as fitted.",
    ["configuration", "concurrency"],
)

ANY_OTHER_MODEL = "any other model"
TOKEN_WEIGHTS = schema(
    {
        "model": text(f"a measured model, or `{ANY_OTHER_MODEL}`"),
        "configurations": count("measured, that the row rests on", POSITIVE),
        "requests_in_flight": number("mean over these, of those that the cache holds", pa.Check.ge(1)),
        "weight_input_p5": number("5th percentile of the weight, over configurations and draws"),
        "weight_input": number("output tokens that an input token counts as; median"),
        "weight_input_p95": number("95th percentile"),
    },
    "What an input token costs in output tokens, as fitted.",
)
TOKEN_WEIGHTS.unique = ["model"]

SHARE = pa.Check.in_range(0, 1)

SELECTION = schema(
    {
        "left_out": word("what the fit did not see", LEFT_OUT),
        "quantity": word("what is predicted", QUANTITIES),
        "form": text("model that predicts"),
        "chosen": word("the form that predicts elsewhere", ["yes", "no"]),
        "laboratories": count("laboratories with rows", POSITIVE),
        "n": count("rows", POSITIVE),
        "mean_median_abs_ln_error": number("median of each laboratory, mean over laboratories"),
        "sd_of_bias_ln": number("of the laboratories' median ln(measured / predicted)", nullable=True),
        "mean_coverage_90": number("share within the 90 % interval, mean over laboratories", SHARE, True),
        "mean_interval_score": number("of the 90 % interval, ln, mean over laboratories", nullable=True),
        "coverage_90": number("share of all rows within the 90 % interval", SHARE, True),
        "p95_over_p5": number("median width of the 90 % interval, as a factor", nullable=True),
        "interval_score": number("of the 90 % interval, ln, mean over rows", nullable=True),
    },
    "How the form of the serving model was chosen: every laboratory weighs the same.",
    ["left_out", "quantity", "form"],
)

LABORATORIES = schema(
    {
        "laboratory": text("who measured"),
        "n": count("rows with throughput", POSITIVE),
        "first_year": number("date of the oldest engine"),
        "last_year": number("date of the newest engine"),
        "step_factor": number("time of a step over the common one, as fitted"),
        "step_factor_low": number("its 5th percentile"),
        "step_factor_high": number("its 95th percentile"),
        "left_out_bias_ln": number("median ln(measured / predicted tokens/s), left out of the fit", ANY),
        "left_out_median_abs_ln_error": number("median |ln(measured / predicted)|, left out"),
        "left_out_coverage_90": number("share within the 90 % interval, left out", SHARE),
    },
    "What each laboratory has in all of its rows, and how well it is predicted by the others.",
    ["laboratory"],
)

COMPONENTS = schema(
    {
        "component": text("what varies"),
        "levels": count("how many there are", POSITIVE),
        "sd_ln": number("standard deviation of ln step time, restricted maximum likelihood", pa.Check.ge(0)),
        "prior_sd_ln": number("as the model takes it (params.yaml)", nullable=True),
        "ratio_90": number("factor between the 5th and 95th percentile of it alone", pa.Check.ge(1)),
        "meaning": text("what it means to a reader"),
    },
    "Variance components of what the plain form leaves of ln step time, by MixedLM.",
    ["component"],
)

CALIBRATION = schema(
    {
        "own_rows": count("measured rows of one's own that the model was told", pa.Check.ge(0)),
        "configurations": count("configurations of laboratories left out", POSITIVE),
        "median_abs_ln_error": number(
            "median over configurations of the median |ln error| of their other rows"
        ),
        "coverage_90": number("share within the 90 % interval, mean over configurations", SHARE),
        "width_ratio": number("of the interval in ln, over that without own rows, median"),
        "offset_median_abs_ln_error": number(
            "the error with a mere offset from the same rows", nullable=True
        ),
    },
    "Error against the number of measurements of one's own, of laboratories that the fit did not see.",
    ["own_rows"],
)

BASIS_ERRORS = schema(
    {
        "quantity": word("what is predicted", QUANTITIES),
        "basis": text("what a prediction rests on"),
        "n": count("rows left out, in all ways", POSITIVE),
        "median_abs_ln_error": number("median of |ln(measured / predicted)|"),
        "coverage_90": number("share within the 90 % interval", SHARE),
        "p95_over_p5": number("median width of the 90 % interval, as a factor"),
        "interval_score": number("mean of the 90 % interval, ln"),
    },
    "The label of a prediction against measured error and coverage.",
    ["quantity", "basis"],
)

TABLES = {
    "heldout_predictions": Table(HELD_OUT, "validate_serving"),
    "model_comparison": Table(COMPARISON, "validate_serving"),
    "model_selection": Table(SELECTION, "validate_serving"),
    "serving_laboratories": Table(LABORATORIES, "validate_serving"),
    "variance_components": Table(COMPONENTS, "validate_serving"),
    "calibration_curve": Table(CALIBRATION, "validate_serving"),
    "basis_errors": Table(BASIS_ERRORS, "validate_serving"),
    "batch_curves": Table(BATCH_CURVES, "fit_serving"),
    "token_weights": Table(TOKEN_WEIGHTS, "fit_serving"),
}
