"""Servers under a stated load: online rows of TensorRT-LLM, single queries (AI Energy Score), static batches.

Requests in flight of the online rows follow from Little's law, rate times time in the system:

    in flight = output tokens/s * (time between tokens) + requests/s * (time to first token)

which uses measured times, so these rows test the step time at a known batch, not the batch itself.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from pipeline.assumptions.serving import Serving
from pipeline.assumptions.validation import Validation
from pipeline.errors import InputError
from pipeline.estimate.validation import score
from pipeline.fit.serving.costs import request_cost
from pipeline.fit.serving.model import ServingModel
from pipeline.fit.serving.names import gpu_key, gpu_names
from pipeline.fit.serving.training import PRECISIONS

TIMES = re.compile(r"mean time to first token ([\d.,]+) ms, between tokens ([\d.,]+) ms")
MS = 1e-3


def online_configurations(throughput: pd.DataFrame, steady_first_token_s: float) -> pd.DataFrame:
    """Steady online rows with `concurrency` from Little's law; throughput: THROUGHPUT."""
    rows = throughput[throughput["set"] == "tensorrt_llm_serving"].reset_index(drop=True)
    times = rows["note"].str.extract(TIMES)
    if times.isna().any(axis=None):
        raise InputError("throughput.csv: an online row whose note does not give its times")
    first_s, between_s = (times[i].str.replace(",", "").astype(float) * MS for i in (0, 1))
    per_s = rows["output_tokens_per_s"]
    waiting = per_s / rows["output_tokens"] * first_s
    rows = rows.assign(
        concurrency=per_s * between_s + waiting,
        precision=rows["precision"].map(PRECISIONS),
        engine="TensorRT-LLM",
    )
    return rows[first_s < steady_first_token_s].reset_index(drop=True)


def online_rows(
    throughput: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    validation: Validation,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """VALIDATION rows of online serving."""
    steady = validation.steady_first_token_s.distribution.median()
    configurations = online_configurations(throughput, steady)
    cost = request_cost(configurations, model, settings, rng, settings.draws)
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


def single_query_rows(
    measurements: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    validation: Validation,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """AI Energy Score: one query at a time, ten tokens, another engine; rows without GPU count are left out.

    The measurement is an upper bound for a served query: the prompt is spread over ten tokens only.
    """
    rows = measurements[
        (measurements["source"] == "ai_energy_score") & measurements["gpus"].notna()
    ].reset_index(drop=True)
    configurations = rows.assign(
        concurrency=1.0,
        precision="bf16",
        input_tokens=validation.ai_energy_score_input_tokens.distribution.median(),
        engine=np.nan,
        output_cv=0.0,
    )
    cost = request_cost(configurations, model, settings, rng, settings.draws)
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


def static_power_rows(
    measurements: pd.DataFrame, model: ServingModel, settings: Serving, rng: np.random.Generator
) -> pd.DataFrame:
    """VALIDATION rows of accelerator power in static batches of 1 to 64 (Splitwise, Argonne).

    All rows with power that were fitted are chat on H100 and B200 from 8 requests on: this tests power below,
    and on an accelerator without such rows. Engines of 2023 and 2024 on 16 bits; one is not stated.
    """
    names = gpu_names(model.tables.hardware.reset_index())
    gpu = measurements["gpu"].map(gpu_key).map(names)
    wanted = (
        measurements["source"].isin(["splitwise", "argonne"])
        & measurements["gpu_w"].notna()
        & gpu.isin(model.measured_gpus)
    )
    rows = measurements.assign(gpu=gpu)[wanted].reset_index(drop=True)
    configurations = rows.assign(
        concurrency=rows["average_batch"], precision="bf16", engine=np.nan, output_cv=0.0
    )
    cost = request_cost(configurations, model, settings, rng, settings.draws)
    table: dict[str, Any] = {
        "set": "static_batches",
        "configuration": rows["key"],
        "quantity": "gpu_w",
        "boundary": "gpu",
        "measured": rows["gpu_w"],
        "unit": "W",
        "output_tokens": rows["output_tokens"],
        "engine_stated": "no",
        "basis": cost.basis,
        "bound": "no",
        "note": rows["average_batch"].map("batch of {:.0f}, prompt and answer together".format),
    }
    return score(pd.DataFrame(table), cost.gpu_w)
