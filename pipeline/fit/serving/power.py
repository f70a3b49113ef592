"""GPU power as a fraction of rated power, two ways.

    utilisation   p = a_g + m_g sqrt(u_memory) + f_g sqrt(u_matmul) + e sqrt(u_link)
                      + s experts + l ln(GPUs) + q quantised
    statistical   p = a_g + b_g ln B + (s + t ln B) experts + (c + d ln B) ln(active)
                      + l ln(GPUs) + q quantised

B is the batch, at least 8. u is the time of a term at rated speed over the step time, so that a slower step
draws less power: the errors of throughput and power are tied through T. g is the family, Blackwell or older.
Ridge least squares on p.
Which form predicts is set in params; data/results/model_comparison.csv compares them on held-out rows. The
geometric mean of both sees context, which the statistical form does not.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.assumptions.serving import PowerForm
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.prepare import Prepared
from pipeline.fit.serving.terms import INDEX

# Accelerators of 2024 and after are taken to draw as B200 does, the newest that was measured.
BLACKWELL = (
    "B200", "GB200", "B300", "GB300", "RTX PRO 6000", "MI355X", "TPU7x", "Maia 200", "Rubin",
)  # fmt: skip
RIDGE = {"utilisation": 0.1, "statistical": 0.01}
LOWEST, HIGHEST = 0.15, 1.0  # of rated power: powered and idle, and the limit that the chip keeps
# Rows with power begin at 8 requests. Below, static batches on A100 (Splitwise, 1 to 8) draw the same within
# 5 %, since what a step reads hardly changes: the slope over ln B is not carried on.
LEAST_BATCH = 8.0
MOST_BUSY = 1.5  # time at rated speed over step time, where a coefficient is below one
COLUMNS = {
    "utilisation": (
        "older",
        "Blackwell",
        "older: memory",
        "Blackwell: memory",
        "older: matmul",
        "Blackwell: matmul",
        "link",
        "experts",
        "ln GPUs",
        "quantised",
    ),
    "statistical": (
        "older",
        "Blackwell",
        "older: ln batch",
        "Blackwell: ln batch",
        "experts",
        "experts: ln batch",
        "ln active",
        "ln active: ln batch",
        "ln GPUs",
        "quantised",
    ),
}


@dataclass(frozen=True)
class PowerFit:
    """Coefficients of both forms, in the order of COLUMNS."""

    utilisation: Array
    statistical: Array
    form: PowerForm

    def fraction(self, p: Prepared, step_s: Array) -> Array:
        """Fraction of rated power; step_s (n,) or (n, draws), result alike."""
        shape = step_s if step_s.ndim == 2 else step_s[:, None]
        parts = {
            "utilisation": _weighted(utilisation_features(p, shape), self.utilisation),
            "statistical": np.broadcast_to(
                (statistical_features(p) @ self.statistical)[:, None], shape.shape
            ),
        }
        used = {name: np.clip(value, LOWEST, HIGHEST) for name, value in parts.items()}
        both = np.sqrt(used["utilisation"] * used["statistical"])
        chosen = both if self.form == "mean of both" else used[self.form]
        return np.asarray(chosen if step_s.ndim == 2 else chosen[:, 0])

    def table(self) -> pd.DataFrame:
        """One row a coefficient."""
        rows = [
            (form, name, value)
            for form in COLUMNS
            for name, value in zip(COLUMNS[form], getattr(self, form), strict=True)
        ]
        return pd.DataFrame(rows, columns=["form", "coefficient", "value"])


def power_from_table(table: pd.DataFrame, form: PowerForm) -> PowerFit:
    """The fit from its table."""
    values = {
        name: table[table["form"] == name].set_index("coefficient")["value"].loc[list(columns)].to_numpy()
        for name, columns in COLUMNS.items()
    }
    return PowerFit(values["utilisation"], values["statistical"], form)


def fit_power(p: Prepared, step_s: Array, fraction: Array, form: PowerForm) -> PowerFit:
    """Both forms on the same rows: measured step time and fraction of rated power, (n,)."""
    return PowerFit(
        _ridge(np.column_stack(utilisation_features(p, step_s[:, None])), fraction, RIDGE["utilisation"]),
        _ridge(statistical_features(p), fraction, RIDGE["statistical"]),
        form,
    )


def _ridge(design: Array, y: Array, ridge: float) -> Array:
    gram = design.T @ design + ridge * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(gram, design.T @ y), dtype=float)


def _groups(p: Prepared) -> tuple[Array, Array, Array, Array]:
    """Blackwell, experts, ln GPUs, quantised; each (n,)."""
    return (
        np.asarray(p.rows["gpu"].isin(BLACKWELL), dtype=float),
        np.asarray(p.arch.is_moe, dtype=float),
        np.log(p.load.gpus),
        np.asarray(p.load.weight_bits < 9, dtype=float),
    )


def utilisation_features(p: Prepared, step_s: Array) -> list[Array]:
    """Ten, each (n, draws) from step times (n, draws), or (n, 1) where it does not depend on them."""

    def busy(*names: str) -> Array:
        seconds = sum(p.x[:, INDEX[name]] for name in names)
        return np.sqrt(np.clip(np.asarray(seconds)[:, None] / step_s, 0, MOST_BUSY))

    blackwell, experts, log_gpus, quantised = (v[:, None] for v in _groups(p))
    memory, matmul, link = busy("weights", "kv"), busy("matmul", "prefill"), busy("exchange")
    older = 1 - blackwell
    parts = [older, blackwell, older * memory, blackwell * memory, older * matmul, blackwell * matmul]
    return [*parts, link, experts, log_gpus, quantised]


def _weighted(features: list[Array], weights: Array) -> Array:
    """Their weighted sum, (n, draws), those that do not depend on draws first: they take next to nothing."""
    pairs = sorted(zip(features, weights, strict=True), key=lambda pair: pair[0].shape[1])
    return np.asarray(sum(feature * weight for feature, weight in pairs))


def statistical_features(p: Prepared) -> Array:
    """(n, 10)."""
    blackwell, experts, log_gpus, quantised = _groups(p)
    log_batch = np.log(np.maximum(p.load.concurrency, LEAST_BATCH))
    log_active = np.log(p.arch.active_params / 1e9)
    older = 1 - blackwell
    parts = [older, blackwell, older * log_batch, blackwell * log_batch, experts, experts * log_batch]
    return np.column_stack([*parts, log_active, log_active * log_batch, log_gpus, quantised])
