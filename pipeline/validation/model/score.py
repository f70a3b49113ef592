"""Predictions against measurements: score each comparison, then sum up by set.

A comparison is a row that says what was measured and the draws of its prediction. Errors are ln(measured /
median of the draws). Here too: servers under a stated load. Requests in flight of online rows follow from
measured times where the source gives no batch, so they test the step time at a known batch, not the batch.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.draws import generator, uniforms
from pipeline.core.errors import InputError
from pipeline.core.units import Array
from pipeline.ingest.chips import gpu_key, gpu_names
from pipeline.ingest.sources import with_role
from pipeline.servers.model.power import SERVER
from pipeline.serving.model.costs import RequestCost, request_cost
from pipeline.serving.model.held_out import coverage_aim
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.settings import ENGINES, Serving
from pipeline.serving.model.training import PRECISIONS
from pipeline.validation.model.contract import VALIDATION, VALIDATION_SUMMARY
from pipeline.validation.model.settings import Validation

PERCENTILES = (5, 25, 50, 75, 95)
MS = 1e-3
CACHED_PREFIXES = "irminsul_"  # beginning of the keys of these rows of prior_estimates
SIZES = ["total_params_b", "active_params_b"]


@dataclass(frozen=True)
class Predictor:
    """The fitted serving model with what it is told where a measurement does not say it.

    Draws are asked for by name; names of the re-estimate have the same values as there.
    """

    model: ServingModel
    settings: Serving
    lacking: Validation
    seed: int

    def cost(self, configurations: pd.DataFrame) -> RequestCost:
        """Cost of a request on each row, (n, D)."""
        rng = generator(self.seed, "serving model")
        return request_cost(configurations, self.model, self.settings, rng, self.settings.draws)

    def uniforms(self, name: str) -> Array:
        """Of one quantity, (D,)."""
        return uniforms(self.seed, name, 1, self.settings.draws)[0]

    def server_uniforms(self) -> Array:
        """Of what ServerFit takes, (D, 4)."""
        return np.stack([self.uniforms(name) for name in SERVER], axis=-1)


def score(rows: pd.DataFrame, draws: Array) -> pd.DataFrame:
    """The rows in the contract VALIDATION.

    rows: its columns without percentiles and what follows from them; draws: (n, D) predictions in the unit of
    `measured`.
    """
    if draws.shape[0] != len(rows):
        raise InputError(f"{len(rows)} comparisons, but predictions of {draws.shape[0]}")
    quantiles = np.quantile(draws, np.array(PERCENTILES) / 100, axis=1)
    table = rows.assign(**{f"p{p}": quantiles[i] for i, p in enumerate(PERCENTILES)})
    inside = table["measured"].between(table["p5"], table["p95"])
    scored = table.assign(
        ln_error=np.log(table["measured"] / table["p50"]), inside_90=np.where(inside, "yes", "no")
    )
    return scored[list(VALIDATION.columns)]


def summarise(scored: pd.DataFrame) -> pd.DataFrame:
    """Errors and coverage by set, quantity and whether a bound is compared; VALIDATION_SUMMARY."""
    rows = []
    for keys, group in scored.groupby(["set", "quantity", "bound"], sort=True):
        error = group["ln_error"].to_numpy()
        rows.append(
            dict(zip(["set", "quantity", "bound"], keys, strict=True))
            | {
                "n": len(group),
                "median_abs_ln_error": float(np.median(np.abs(error))),
                "rmse_ln": float(np.sqrt(np.mean(error**2))),
                "bias_ln": float(error.mean()),
                "coverage_50": float(group["measured"].between(group["p25"], group["p75"]).mean()),
                "coverage_90": float(group["measured"].between(group["p5"], group["p95"]).mean()),
            }
        )
    table = pd.DataFrame(rows)
    matched = table["coverage_90"].where(table["bound"] == "no")
    return table.assign(aim=coverage_aim(table["n"], matched))[list(VALIDATION_SUMMARY.columns)]


def online_configurations(measurements: pd.DataFrame, steady_first_token_s: float) -> pd.DataFrame:
    """Steady online rows; measurements: SERVING_MEASUREMENTS."""
    rows = with_role(measurements, "online")
    rows = rows.assign(precision=rows["precision"].map(PRECISIONS))
    return rows[rows["ttft_ms"] * MS < steady_first_token_s].reset_index(drop=True)


def online_rows(measurements: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """VALIDATION rows of online serving."""
    steady = predictor.lacking.steady_first_token_s.distribution.median()
    configurations = online_configurations(measurements, steady)
    # One server under rising request rates: no point is tuned.
    cost = predictor.cost(configurations.assign(tuned=0.0))
    in_flight = configurations["concurrency"].map("{:.1f}".format)
    rows = pd.DataFrame(
        {
            "set": "online_serving",
            "configuration": configurations["key"],
            "quantity": "output_tokens_per_s",
            "boundary": "none",
            "measured": configurations["output_tokens_per_s"],
            "unit": "tokens/s",
            "output_tokens": configurations["output_tokens"],
            "engine_stated": "yes",
            "basis": cost.basis,
            "bound": "no",
            "note": in_flight + " requests in flight, from measured rate and times",
        }
    )
    return score(rows, cost.output_tokens_per_s)


def single_query_rows(measurements: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """One query at a time, ten tokens, an engine that is not stated.

    The measurement is an upper bound for a served query: the prompt is spread over ten tokens only.
    """
    rows = with_role(measurements, "single_query").reset_index(drop=True)
    configurations = rows.assign(
        concurrency=1.0,
        precision="bf16",
        input_tokens=predictor.lacking.ai_energy_score_input_tokens.distribution.median(),
        engine=np.nan,
        output_cv=0.0,
    )
    cost = predictor.cost(configurations)
    table: dict[str, Any] = {
        "set": "ai_energy_score",
        "configuration": rows["key"],
        "quantity": "gpu_j_per_output_token",
        "boundary": "gpu",
        "measured": rows["gpu_j_per_output_token"],
        "unit": "J/output token",
        "output_tokens": rows["output_tokens"],
        "engine_stated": "no",
        "basis": cost.basis,
        "bound": "yes",
        "note": "batch 1, ten output tokens, prompt included; engine and precision not given, 16 bits taken",
    }
    return score(pd.DataFrame(table), cost.gpu_w / cost.output_tokens_per_s)


def prefix_rows(estimates: pd.DataFrame, models: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """VALIDATION rows of prefill whose prefix is in the cache, over that of the same prompt computed.

    estimates: prior_estimates; models: telemetry/models, for the sizes. One request at a time, an accelerator
    and precision that are not stated, and one token after the prefix: more would raise the prediction.
    """
    values = estimates[estimates["key"].str.startswith(CACHED_PREFIXES)]
    prompts = values["input_tokens"].astype(float).to_numpy() + 1
    sizes = models.drop_duplicates("model").set_index("model").loc[values["subject"], SIZES].reset_index()
    configurations = sizes.assign(
        gpu="H100", gpus=1, precision="bf16", engine="SGLang", concurrency=1.0, input_tokens=prompts,
        output_tokens=1.0, output_cv=0.0,
    )  # fmt: skip
    computed = predictor.cost(configurations)
    cached = predictor.cost(configurations.assign(cached_input_tokens=prompts - 1))
    table: dict[str, Any] = {
        "set": "prefix_cache",
        "configuration": values["subject"].to_numpy(),
        "quantity": "cached_over_computed",
        "boundary": "gpu",
        "measured": values["value"].to_numpy(float),
        "unit": "ratio",
        "output_tokens": 1.0,
        "engine_stated": "yes",
        "basis": cached.basis,
        "bound": "no",
        "note": "the prior of cached_work was set with these rows in sight; one new token, one H100, 16 bits",
    }
    joules = [cost.gpu_w / cost.output_tokens_per_s for cost in (cached, computed)]
    return score(pd.DataFrame(table), joules[0] / joules[1])


def static_power_rows(measurements: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """VALIDATION rows of accelerator power in static batches of 1 to 64.

    No power of these laboratories was fitted, and little below 8 requests or on A100. Engines of 2023 and
    2024 on 16 bits; some are not stated, or none that is modelled: then any engine of that year.
    """
    model = predictor.model
    names = gpu_names(model.tables.hardware.reset_index())
    rows = with_role(measurements, "static_power")
    rows = rows.assign(gpu=rows["gpu"].map(gpu_key).map(names))
    rows = rows[rows["gpu_w"].notna() & rows["gpu"].isin(model.support["gpu"])].reset_index(drop=True)
    stated = rows["engine"].isin(ENGINES)
    configurations = rows.assign(precision="bf16", engine=rows["engine"].where(stated), output_cv=0.0)
    cost = predictor.cost(configurations)
    table: dict[str, Any] = {
        "set": "static_batches",
        "configuration": rows["key"],
        "quantity": "gpu_w",
        "boundary": "gpu",
        "measured": rows["gpu_w"],
        "unit": "W",
        "output_tokens": rows["output_tokens"],
        "engine_stated": np.where(stated, "yes", "no"),
        "basis": cost.basis,
        "bound": "no",
        "note": rows["concurrency"].map("batch of {:.0f}, prompt and answer together".format),
    }
    return score(pd.DataFrame(table), cost.gpu_w)
