"""MLPerf Inference v5.1, datacentre: saturated throughput, and wall power of the servers that report it.

Offline feeds a system as fast as it takes: it is predicted at saturation. Server and Interactive are held to
latency limits below that; Server is shown against the saturated prediction, as a bound, Interactive is not.
A node runs copies of the model; submitters choose how many accelerators a copy gets, so the prediction takes
the choice that it finds fastest. Output lengths are those of the submission; input lengths are in params.

The server's share of wall power is fitted to some of these runs (pipeline/servers/model/power.py):
each run is predicted from a fit that leaves out all runs of its model. The idle floor of the logged server
stays in.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.units import Array
from pipeline.servers.model.power import (
    SERVER_GPUS,
    ServerFit,
    b200_conditions,
    fit_server,
    rated,
    saturated_share,
)
from pipeline.servers.model.settings import ServerPower
from pipeline.serving.model.costs import RequestCost
from pipeline.validation.model.score import Predictor, score

GPUS = {"NVIDIA H100-SXM-80GB": "H100", "NVIDIA H200-SXM-141GB": "H200", "NVIDIA B200-SXM-180GB": "B200"}
ENGINE = "TensorRT-LLM"
LAYOUTS = (1, 2, 4, 8)  # accelerators of one copy
SATURATED = 1e5  # more requests than any memory holds: the model serves as many as fit
SAME_RUN = ["platform", "submitter", "model", "scenario", "output_tokens_per_s"]


@dataclass(frozen=True)
class Systems:
    """MLPerf runs with what a prediction needs, and its draws for the fastest layout, (n, D)."""

    runs: pd.DataFrame
    output_tokens_per_s: Array
    gpu_w: Array


def mlperf_rows(
    mlperf: pd.DataFrame,
    logs: pd.DataFrame,
    measurements: pd.DataFrame,
    prior: ServerPower,
    predictor: Predictor,
) -> list[pd.DataFrame]:
    """VALIDATION rows of throughput and of wall power.

    Tables: MLPERF_THROUGHPUT, NODE_POWER, SERVING_MEASUREMENTS; prior: of the B200 server.
    """
    runs = comparable(mlperf, logs, list(predictor.lacking.mlperf_input_tokens))
    systems = predict(runs, predictor)
    metered = sorted(runs.loc[runs["published_w"].notna(), "model"].unique())
    rated_w = rated(predictor.model.tables.hardware.reset_index())
    servers = servers_without(metered, logs, mlperf, measurements, rated_w, prior)
    return [throughput_rows(systems), power_rows(systems, servers, predictor.server_uniforms())]


def comparable(mlperf: pd.DataFrame, node_power: pd.DataFrame, known: list[str]) -> pd.DataFrame:
    """Closed runs on H100, H200 and B200 with TensorRT-LLM and a model of known input length.

    Two accuracy targets of one run count once. Output tokens of a sample: as submitted, else from the logs.
    """
    tensorrt = mlperf["software"].str.startswith("TensorRT", na=False)
    offline = node_power[node_power["scenario"] == "Offline"]  # the others' rates leave out the last requests
    sums = offline.groupby("model")[["output_tokens", "requests"]].sum()
    logged = sums["output_tokens"] / sums["requests"]
    runs = mlperf.assign(
        accelerator=mlperf["gpu"].map(GPUS),
        output_tokens=mlperf["output_tokens"].fillna(mlperf["model"].map(logged)),
    )
    wanted = (
        (runs["category"] == "closed")
        & tensorrt
        & runs[["accelerator", "output_tokens", "precision", "gpus_per_node"]].notna().all(axis=1)
        & runs["model"].isin(known)
        & runs["scenario"].isin(["Offline", "Server"])
    )
    return runs[wanted].sort_values("key").drop_duplicates(SAME_RUN).reset_index(drop=True)


def predict(runs: pd.DataFrame, predictor: Predictor) -> Systems:
    """Throughput and accelerator power of whole systems at saturation; runs: from `comparable`."""
    assumed = predictor.lacking.mlperf_input_tokens
    uniforms = predictor.uniforms("MLPerf input tokens")
    input_tokens = np.stack([assumed[m].distribution.ppf(uniforms) for m in runs["model"]])
    usual = np.median(input_tokens, axis=1)
    rates, watts = [], []
    for gpus in LAYOUTS:
        copies = (runs["gpus_per_node"] * runs["nodes"] / gpus).to_numpy(float)[:, None]
        cost = predictor.cost(_saturated(runs, gpus, usual))
        possible = (runs["gpus_per_node"] % gpus == 0).to_numpy()[:, None]
        rates.append(np.where(possible, copies * _rate(cost, runs, input_tokens - usual[:, None]), 0.0))
        watts.append(copies * cost.gpu_w)
    best = np.argmax([np.median(rate, axis=1) for rate in rates], axis=0)
    at = np.arange(len(runs))
    chosen = runs.assign(gpus_per_copy=np.array(LAYOUTS)[best])
    return Systems(chosen, np.stack(rates)[best, at], np.stack(watts)[best, at])


def _saturated(runs: pd.DataFrame, gpus: int, input_tokens: Array) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": runs["model"],
            "total_params_b": np.nan,
            "active_params_b": np.nan,
            "gpu": runs["accelerator"],
            "gpus": gpus,
            "precision": runs["precision"],
            "concurrency": SATURATED,
            "input_tokens": input_tokens,
            "output_tokens": runs["output_tokens"],
            "engine": ENGINE,
            "tuned": 1.0,  # submitters run the recipes of the maker of chip and engine
        }
    )


def _rate(cost: RequestCost, runs: pd.DataFrame, more_input: Array) -> Array:
    """Output tokens/s of a copy when requests have that many more input tokens than the row's, (n, D)."""
    output = runs["output_tokens"].to_numpy(float)[:, None]
    extra_s = (cost.a_s_per_input_token + cost.k_s_per_token2 * output) * more_input
    return np.asarray(output / (output / cost.output_tokens_per_s + extra_s))


def throughput_rows(systems: Systems) -> pd.DataFrame:
    """VALIDATION rows of throughput, Offline and Server."""
    runs = systems.runs
    offline = runs["scenario"] == "Offline"
    layout = runs["gpus_per_copy"].astype(str) + " accelerators a copy"
    rows = pd.DataFrame(
        {
            "set": np.where(offline, "mlperf_offline", "mlperf_server"),
            "configuration": runs["key"],
            "quantity": "output_tokens_per_s",
            "boundary": "none",
            "measured": runs["output_tokens_per_s"],
            "unit": "tokens/s",
            "output_tokens": runs["output_tokens"],
            "engine_stated": "yes",
            "basis": "extrapolated to saturation",
            "bound": np.where(offline, "no", "yes"),
            "note": layout + np.where(offline, "", "; predicted without the latency limits"),
        }
    )
    return score(rows, systems.output_tokens_per_s)


def power_rows(systems: Systems, servers: dict[str, ServerFit], uniforms: Array) -> pd.DataFrame:
    """VALIDATION rows of wall power and J/output token.

    servers: a fit without the model's runs, by model; uniforms: (D, 4) as ServerFit takes them.
    """
    metered = systems.runs["published_w"].notna().to_numpy()
    runs = systems.runs[metered].reset_index(drop=True)
    gpu_w, rate = systems.gpu_w[metered], systems.output_tokens_per_s[metered]
    node_w = np.stack(
        [
            servers[model].node_w(watts, np.array(SERVER_GPUS), uniforms)
            for model, watts in zip(runs["model"], gpu_w, strict=True)
        ]
    )
    offline = (runs["scenario"] == "Offline").to_numpy()
    common = pd.DataFrame(
        {
            "set": "mlperf_wall_power",
            "configuration": runs["key"],
            "boundary": "node",
            "output_tokens": runs["output_tokens"],
            "engine_stated": "yes",
            "basis": "extrapolated to saturation",
            "bound": np.where(offline, "no", "yes"),
            "note": np.where(
                offline,
                "server fitted without runs of this model",
                "server fitted without runs of this model; predicted at saturation",
            ),
        }
    )
    watts = common.assign(quantity="node_w", measured=runs["published_w"], unit="W")
    energy = common.assign(
        quantity="node_j_per_output_token",
        measured=runs["published_w"] / runs["output_tokens_per_s"],
        unit="J/output token",
    )
    return pd.concat([score(watts, node_w), score(energy, node_w / rate)], ignore_index=True)


def servers_without(
    models: list[str],
    node_power: pd.DataFrame,
    mlperf: pd.DataFrame,
    serving: pd.DataFrame,
    rated_w: dict[str, float],
    prior: ServerPower,
) -> dict[str, ServerFit]:
    """A fit of the B200 server for each model, from the runs of all others."""
    known = {"saturated": saturated_share(serving, rated_w["B200"], prior)}
    found = {}
    for model in models:
        conditions = b200_conditions(node_power, mlperf[mlperf["model"] != model], rated_w["B200"], prior)
        found[model] = fit_server("B200", rated_w["B200"], prior, conditions, known)
    return found
