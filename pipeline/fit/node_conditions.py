"""What was observed of whole servers, as conditions for pipeline.fit.node_power."""

import numpy as np
import pandas as pd

from pipeline.assumptions.re_estimate import ServerPower
from pipeline.errors import InputError
from pipeline.fit.node_power import RATED_W, SERVER_GPUS, Condition

# MLPerf model -> models of ML.ENERGY with the same layers: their accelerators were measured when saturated.
TWINS = {
    "Llama 3.1 405B": ["Llama 3.1 405B"],
    "Llama 2 70B": ["Llama 3.1 70B", "Llama 3.3 70B"],
}
SATURATED_BATCH = 256
IDLE_SPREAD = 0.02  # ln; the lowest samples of four logs of one server differ by 0.002


def saturated_share(serving: pd.DataFrame, engine_spread: float) -> tuple[float, float]:
    """Mean and spread, in ln, of the share of rated power that B200 draw on the twins at large batch.

    serving: SERVING_MEASUREMENTS. The spread holds that of the configurations and that between engines.
    """
    models = sorted({model for twins in TWINS.values() for model in twins})
    rows = serving[
        (serving["source"] == "mlenergy_v3")
        & (serving["gpu"] == "B200")
        & serving["model"].isin(models)
        & (serving["average_batch"] >= SATURATED_BATCH)
    ]
    if rows.empty:
        raise InputError(
            f"no ML.ENERGY row of {', '.join(models)} on B200 at batch {SATURATED_BATCH} or more"
        )
    ln_share = np.log(rows["gpu_w"] / rows["gpus"] / RATED_W["B200"])
    return float(ln_share.mean()), float(np.hypot(ln_share.std(), engine_spread))


def b200_conditions(node_power: pd.DataFrame, mlperf: pd.DataFrame, prior: ServerPower) -> list[Condition]:
    """Idle floor of the logged server, and the mean of saturated runs (Offline) of each server and model.

    node_power: NODE_POWER; mlperf: MLPERF_THROUGHPUT, whose published watts cover a server without logs.
    The 8B runs are left out: ML.ENERGY's accelerators wait for the host there, so their share says nothing.
    """
    idle = node_power.loc[node_power["valid"] == "yes", "floor_w"]
    runs = mlperf[
        mlperf["published_w"].notna()
        & mlperf["gpu"].str.contains("B200")
        & (mlperf["gpus_per_node"] == SERVER_GPUS)
        & (mlperf["nodes"] == 1)
        & mlperf["model"].isin(list(TWINS))
        & (mlperf["scenario"] == "Offline")
    ]
    spread = prior.server_spread.distribution.median()
    conditions = [Condition("MLPerf idle floor", float(np.exp(np.log(idle).mean())), "idle", IDLE_SPREAD)]
    for (platform, model), group in runs.groupby(["platform", "model"]):
        wall_w = float(group["published_w"].mean())
        # `server_spread` is of the part beside the accelerators; here it is wanted of the whole.
        whole = spread * (1 - SERVER_GPUS * RATED_W["B200"] * 0.95 / wall_w)
        conditions.append(Condition(f"MLPerf {model} on {platform}", wall_w, "saturated", whole))
    return conditions


def h100_conditions(facts: pd.DataFrame, prior: ServerPower) -> list[Condition]:
    """Training nodes of the published node_power table: highest power, and mean under heavy load."""
    values = facts.set_index("key")["value"]
    spread = prior.training_spread.distribution.median()
    rated_w = values["dgx_h100"] * 1000.0
    return [
        Condition("Latif et al. 2025, highest", values["latif_max"] * 1000.0, "training_peak", spread),
        Condition("Newkirk et al. 2025, heavy training", values["newk_76"] * rated_w, "training", spread),
    ]
