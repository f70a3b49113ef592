"""The measured rows that the serving model is fitted to, from three sources in one table.

    mlenergy_v3    vLLM chat on H100 and B200: batch, throughput and GPU power under constant load
    tensorrt_llm   NVIDIA's tables: saturated throughput by input and output length, batch not stated
    argonne        static batches of 1 to 64 at four lengths (A100, H100, GH200): identify the cost of context

Not fitted: ML.ENERGY v2 (its token rate is a factor of three to four below today's vLLM), Splitwise (static
engine of 2023), AI Energy Score (no throughput), other accelerators.
"""

import numpy as np
import pandas as pd

from pipeline.assumptions.serving import ResidualScale
from pipeline.fit.serving.prepare import TENSORRT, VLLM, Tables

PRECISIONS = {"FP4": "fp4", "FP8": "fp8", "FP16": "bf16", "BF16": "bf16"}
ARGONNE_GPUS = ["A100", "H100", "GH200"]
ARGONNE_STACKS = {"vLLM": "vLLM 2024", "TensorRT-LLM": "TensorRT-LLM 2024"}
DRAFT = "v0.20-draft"  # measured without CUDA graphs
UNKNOWN_CV = 0.9  # of answers to chat prompts where no histogram is given: the middle of those that are
# Requests of a run of ML.ENERGY v3 (the lengths that it counts): as many, and from about 512 in flight on,
# about as many more than run at once.
CHAT_REQUESTS = 1024
COLUMNS = [
    "key", "source", "model", "total_params_b", "active_params_b", "gpu", "gpus", "precision", "stack",
    "version", "concurrency", "input_tokens", "output_tokens", "output_cv", "age_share", "split_by_request",
    "output_tokens_per_s", "gpu_w",
]  # fmt: skip


def training_rows(
    throughput: pd.DataFrame,
    measurements: pd.DataFrame,
    histograms: pd.DataFrame,
    tables: Tables,
    chat_input_tokens: float,
) -> pd.DataFrame:
    """All rows of models whose shape is known, columns COLUMNS; sorted by key.

    Tables in the contracts THROUGHPUT, SERVING_MEASUREMENTS and TOKEN_LENGTH_HISTOGRAMS.
    """
    parts = [
        chat_rows(measurements, histograms, chat_input_tokens),
        tensorrt_rows(throughput),
        argonne_rows(measurements),
    ]
    rows = pd.concat([part[COLUMNS] for part in parts], ignore_index=True)
    known = rows["model"].map(tables.names.resolve) != ""
    return rows[known].sort_values("key", ignore_index=True)


def chat_rows(measurements: pd.DataFrame, histograms: pd.DataFrame, chat_input_tokens: float) -> pd.DataFrame:
    """ML.ENERGY v3; the source gives no input length."""
    rows = measurements[measurements["source"] == "mlenergy_v3"]
    return rows.assign(
        stack=VLLM,
        version="2025",
        precision=rows["precision"].map(PRECISIONS),
        concurrency=rows["average_batch"],
        input_tokens=chat_input_tokens,
        output_cv=rows["upstream_model"].map(output_cv(histograms)).fillna(UNKNOWN_CV),
        age_share=age_share(rows["average_batch"].to_numpy(float)),
        split_by_request=0.0,
    )


def tensorrt_rows(throughput: pd.DataFrame) -> pd.DataFrame:
    """Saturated rows of the performance overview; DEP: attention split by request."""
    rows = throughput[
        (throughput["set"] == "tensorrt_llm_overview") & (throughput["document_version"] != DRAFT)
    ]
    return rows.assign(
        source="tensorrt_llm",
        stack=TENSORRT,
        version=rows["document_version"],
        precision=rows["precision"].map(PRECISIONS),
        concurrency=np.nan,
        output_cv=0.0,
        age_share=1.0,
        split_by_request=rows["parallelism"].str.startswith("DEP").astype(float),
        gpu_w=np.nan,
    )


def argonne_rows(measurements: pd.DataFrame) -> pd.DataFrame:
    """Static batches; 16 bits throughout."""
    rows = measurements[
        (measurements["source"] == "argonne")
        & measurements["gpu"].isin(ARGONNE_GPUS)
        & measurements["engine"].isin(ARGONNE_STACKS)
    ]
    return rows.assign(
        stack=rows["engine"].map(ARGONNE_STACKS),
        version="2024",
        precision="bf16",
        concurrency=rows["average_batch"],
        output_cv=0.0,
        age_share=1.0,
        split_by_request=0.0,
        gpu_w=np.nan,  # of few configurations, as a maximum of the run
    )


def age_share(batch: np.ndarray) -> np.ndarray:
    """Mean age of running requests in a chat run over that in steady state, (n,); batch: requests in flight.

    All start together, and the run is measured while others wait to follow: for t = (requests - batch) /
    batch mean lengths. The age after s lengths is 1 - exp(-s) of the steady one where lengths are
    exponential, as they nearly are; this is its mean over s from 0 to t.
    """
    requests = np.where(batch > CHAT_REQUESTS / 2, batch + CHAT_REQUESTS, CHAT_REQUESTS)
    t = (requests - batch) / batch
    return np.asarray(1 + np.expm1(-t) / t)


def output_cv(histograms: pd.DataFrame) -> dict[str, float]:
    """Coefficient of variation of the output length by ML.ENERGY's model id."""
    rows = histograms[
        histograms["key"].str.startswith("mlenergy_v3/") & (histograms["quantity"] == "output_tokens")
    ]
    middle = (rows["from_tokens"] + rows["to_tokens"]) / 2
    moments = pd.DataFrame(
        {"key": rows["key"], "w": rows["share"], "x": rows["share"] * middle, "xx": rows["share"] * middle**2}
    )
    sums = moments.groupby("key").sum()
    mean = sums["x"] / sums["w"]
    cv = np.sqrt(sums["xx"] / sums["w"] - mean**2) / mean
    return {str(key).removeprefix("mlenergy_v3/"): float(value) for key, value in cv.items()}


def residual_scale(rows: pd.DataFrame, scales: ResidualScale) -> np.ndarray:
    """Scale of the residual in ln, (n,), by source."""
    by_source = {name: getattr(scales, name).distribution.median() for name in ResidualScale.model_fields}
    return rows["source"].map(by_source).to_numpy(float)
