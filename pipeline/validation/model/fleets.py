"""Two operators: DeepSeek's service of February 2025, and Google's ratio of facility to accelerator energy.

DeepSeek states output tokens per node of all nodes in use, prefill included, the speed that a user sees and
the context per output token. Requests in flight follow from Little's law, lengths from

    context = I + O (1 + cv^2) / 2,    I = O * (input tokens / output tokens),

and prompts found in the cache are read but not computed. DeepSeek serves answers on 18 nodes of eight H800
whose experts are spread over all 144 accelerators, and prompts on other nodes; the model knows no such
exchange between nodes. It is asked for stand-ins, prompts and answers together: a node of eight H200 (the
same chip with memory for the weights) on either engine, and two nodes of H800 (an H100 with slower links; the
fewest that hold the weights). All share the H100's server. The published 0.33 Wh per 1,000 output tokens
takes nodes at rated power: an upper bound.

Google's 0.24 Wh is a median over prompts of models, accelerators and lengths that are not published: no
throughput model can be tested on it. What can be is the ratio of the whole to its accelerators, here for
servers of H100 and B200 at the accelerator power that ML.ENERGY measured, with load and PUE as assumed for
the re-estimate.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.units import JOULES_PER_WH, SECONDS_PER_DAY, WATTS_PER_KW, Array
from pipeline.energy.model.load import part_load
from pipeline.energy.model.samples import utilisation
from pipeline.energy.model.settings import ReEstimate
from pipeline.ingest.sources import with_role
from pipeline.servers.model.power import SERVER_GPUS, ServerFit
from pipeline.validation.model.score import Predictor, score

MODEL = "DeepSeek-R1"
GOOGLE = ("H100", "B200")  # servers that stand in for its own
STAND_INS = (("H200", 8, "TensorRT-LLM"), ("H200", 8, "vLLM"), ("H800", 16, "TensorRT-LLM"))


@dataclass(frozen=True)
class Fleet:
    """DeepSeek's statements, and lengths and requests in flight that follow from them."""

    output_tokens_per_s_node: float
    in_flight_per_node: float
    input_tokens: float
    output_tokens: float


def deepseek_fleet(facts: pd.DataFrame, output_cv: float) -> Fleet:
    """From published token_lengths; output_cv: of the answers."""
    values = facts.set_index("key")["value"]
    per_node = values["dsv3_out"] / SECONDS_PER_DAY / values["dsv3_nodes"]
    ratio = values["dsv3_in"] / values["dsv3_out"]
    output_tokens = values["dsv3_kv"] / (ratio + (1 + output_cv**2) / 2)
    return Fleet(per_node, per_node / values["dsv3_speed"], ratio * output_tokens, output_tokens)


def deepseek_rows(facts: pd.DataFrame, predictor: Predictor, servers: dict[str, ServerFit]) -> pd.DataFrame:
    """VALIDATION rows: output tokens/s and Wh per 1,000 output tokens of a node, for each stand-in."""
    stated = predictor.lacking.deepseek
    fleet = deepseek_fleet(facts, predictor.settings.output_cv.distribution.median())
    cached = stated.cached_input_share.distribution.median()
    eight = np.array(SERVER_GPUS)
    rates, watts, basis = [], [], []
    for gpu, gpus, engine in STAND_INS:
        nodes = gpus / SERVER_GPUS
        unit = _unit(fleet, gpu, gpus, engine)
        cost = predictor.cost(unit.assign(cached_input_tokens=cached * fleet.input_tokens))
        rates.append(cost.output_tokens_per_s[0] / nodes)
        server = servers[gpu]
        watts.append(server.node_w(cost.gpu_w[0] / nodes, eight, predictor.server_uniforms()))
        basis.append(cost.basis[0])
    rate, node_w = np.stack(rates), np.stack(watts)
    rated_w = stated.rated_node_kw.distribution.median() * WATTS_PER_KW
    common = pd.DataFrame(
        {
            "set": "deepseek_fleet",
            "configuration": [f"{MODEL} FP8, {n} {gpu}, {engine}" for gpu, n, engine in STAND_INS],
            "output_tokens": fleet.output_tokens,
            "engine_stated": "yes",
            "basis": basis,
            "note": (
                f"{fleet.in_flight_per_node:.0f} requests in flight a node, {fleet.input_tokens:.0f} tokens "
                f"in, {fleet.output_tokens:.0f} out, {cached:.1%} of the input cached"
            ),
        }
    )
    throughput = common.assign(
        quantity="output_tokens_per_s",
        boundary="none",
        measured=fleet.output_tokens_per_s_node,
        unit="tokens/s a node",
        bound="no",
    )
    energy = common.assign(
        quantity="node_wh_per_1000_output_tokens",
        boundary="node",
        measured=1000.0 * rated_w / fleet.output_tokens_per_s_node / JOULES_PER_WH,
        unit="Wh/1000 output tokens",
        bound="yes",
        note=common["note"] + "; measured: nodes at rated power, an upper bound",
    )
    per_1000 = 1000.0 * node_w / rate / JOULES_PER_WH
    return pd.concat([score(throughput, rate), score(energy, per_1000)], ignore_index=True)


def _unit(fleet: Fleet, gpu: str, gpus: int, engine: str) -> pd.DataFrame:
    """The configuration that stands in for the fleet's nodes."""
    values = {
        "model": MODEL,
        "total_params_b": np.nan,
        "active_params_b": np.nan,
        "gpu": gpu,
        "gpus": gpus,
        "precision": "fp8",
        "concurrency": fleet.in_flight_per_node * gpus / SERVER_GPUS,
        "input_tokens": fleet.input_tokens,
        "output_tokens": fleet.output_tokens,
        "engine": engine,
    }
    return pd.DataFrame([values])


def google_rows(
    estimates: pd.DataFrame,
    measurements: pd.DataFrame,
    assumed: ReEstimate,
    predictor: Predictor,
    servers: dict[str, ServerFit],
) -> pd.DataFrame:
    """VALIDATION rows: facility energy over energy of the active accelerators, H100 and B200."""
    values = estimates.set_index("key")["value"]
    measured = values["google_median"] / values["google_accel"]
    chat = with_role(measurements, "chat")
    ratios = [
        _facility_over_gpu(chat[chat["gpu"] == gpu], assumed, predictor, servers[gpu]) for gpu in GOOGLE
    ]
    rows = pd.DataFrame(
        {
            "set": "google_overhead",
            "configuration": [f"servers of eight {gpu}" for gpu in GOOGLE],
            "quantity": "facility_over_gpu",
            "boundary": "facility",
            "measured": measured,
            "unit": "ratio",
            "output_tokens": np.nan,
            "engine_stated": "no",
            "basis": None,
            "bound": "no",
            "note": "measured on Google's own accelerators; the 0.24 Wh itself cannot be predicted",
        }
    )
    return score(rows, np.stack(ratios))


def _facility_over_gpu(
    chat: pd.DataFrame, assumed: ReEstimate, predictor: Predictor, server: ServerFit
) -> Array:
    """Draws (D,) over servers, part load, PUE and the measured accelerator power of chat configurations."""
    share = np.sort(chat["gpu_w"] / chat["gpus"] / server.rated_w)
    measured = (predictor.uniforms("measured power") * len(share)).astype(int)
    gpu_w = share[measured] * server.rated_w * SERVER_GPUS
    uniforms, eight = predictor.server_uniforms(), np.array(SERVER_GPUS)
    state = part_load(
        utilisation(assumed, predictor.uniforms("utilisation"), predictor.uniforms("reallocates")),
        assumed.load.idle_share.distribution.ppf(predictor.uniforms("idle share")),
    )
    pue = assumed.pue.distribution.ppf(predictor.uniforms("PUE"))
    wall = state.watts_per_serving_node(server.node_w(gpu_w, eight, uniforms), server.idle_w(eight, uniforms))
    return np.asarray(pue * wall / gpu_w)
