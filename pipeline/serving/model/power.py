"""GPU power as a fraction of rated power, from how busy memory and arithmetic are.

    p = idle + exp(effects) (powered u^a + compute u_compute^b),    u = u_memory + u_compute

u is the time of bytes or FLOPs at rated speed over the time of a step, so that a slower step draws less:
the errors of throughput and power are tied through it, and eight accelerators that serve four requests draw
less than ones that serve forty. Coefficients and effects are fitted as those of step time are. A chip draws
somewhat less than it is rated for in the mean of any load that was measured (`held_at`), and all of a limit
that is set below that. A row that a limit holds says only that the chip wanted more, so that the fit does
not see it.
"""

import numpy as np

from pipeline.serving.model.architecture import Array
from pipeline.serving.model.prepare import Prepared
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.terms import INDEX

BYTES, FLOPS = ("weights", "kv"), ("matmul", "prefill")


def features(x: Array, step_s: Array, settings: Serving) -> Array:
    """Columns as POWER_TERMS, (n, 3), of x (n, K) and step times (n,); or all by draw, (n, 3, D)."""

    def busy(names: tuple[str, ...], power: float) -> Array:
        seconds = np.asarray(sum(x[:, INDEX[name]] for name in names))
        return np.clip(seconds / step_s, 0, 1) ** power

    exponent = settings.power.exponent.values
    parts = busy(BYTES + FLOPS, exponent["powered"]), busy(FLOPS, exponent["compute"])
    return np.stack([np.ones_like(step_s), *parts], axis=1)


def wanted(gpu_w: Array, p: Prepared, settings: Serving) -> Array:
    """Measured power of all accelerators over their rated power, (n,); missing where a limit holds it."""
    held = (p.limit_w < p.rated_w) & (gpu_w > settings.power.held_at.distribution.median() * p.limit_w)
    return np.where(held, np.nan, gpu_w / p.rated_w)
