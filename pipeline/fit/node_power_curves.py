"""Wall power of an eight-accelerator server over the load of its accelerators, for tables and figures."""

import numpy as np
import pandas as pd
from scipy.stats import qmc

from pipeline.contracts.servers import NODE_POWER_CURVES
from pipeline.fit.node_power import RATED_W, SERVER_GPUS, ServerFit

SHARES = np.round(np.arange(0.1, 1.01, 0.05), 2)
POINTS = 4096
RATED_NODE = {"A100": "dgx_a100", "H100": "dgx_h100", "B200": "dgx_b200"}


def curves(fits: list[ServerFit], facts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """NODE_POWER_CURVES; `facts` (published node_power.csv) has the rated power of the DGX servers."""
    uniforms = qmc.Sobol(4, rng=np.random.default_rng(seed)).random(POINTS)
    rated_kw = facts.set_index("key")["value"]
    rows = []
    for one in fits:
        for share in SHARES:
            gpu_w = float(share * RATED_W[one.gpu] * SERVER_GPUS)
            node_w = one.node_w(np.array(gpu_w), np.array(SERVER_GPUS), uniforms)
            quantiles = dict(zip((5, 50, 95), np.quantile(node_w, [0.05, 0.5, 0.95]), strict=True))
            rows.append(
                {"gpu": one.gpu, "gpu_share": share, "gpu_w": gpu_w}
                | {f"node_w_p{q}": watts for q, watts in quantiles.items()}
                | {f"ratio_p{q}": watts / gpu_w for q, watts in quantiles.items()}
                | {"rated_node_w": rated_kw[RATED_NODE[one.gpu]] * 1000.0}
            )
    return pd.DataFrame(rows)[list(NODE_POWER_CURVES.columns)]
