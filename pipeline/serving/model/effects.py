"""What the logarithm of step time and of power is made of, beside the sum of physical terms.

    ln y_i = ln sum_k x_ik exp(c_k + sum of the effects on term k) + sum of the effects on all terms + e_i

Every coefficient and effect has a normal prior. An effect has one level for each laboratory, engine, version,
model, chip or configuration; a level without rows is drawn from the prior, so that what nobody measured has
the mean and the spread of what was. The effects of a chip and the trend of software in time are apart: a chip
whose only rows are old does not carry their engine's age.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.serving.model.settings import Serving
from pipeline.serving.model.terms import TERMS

Array = NDArray[np.float64]
NONE = ""  # the level of rows without the effect
CONFIGURATION = "configuration"
PROMPT = "prompt length"
OVERHEADS = ("kernels", "sync", "step", "exchange")
PER_REQUEST = ("token", "request")
MATRICES = ("weights", "matmul", "prefill")
POWER_TERMS = ("idle", "powered", "compute")
ACTIVE = POWER_TERMS[1:]


def joined(*parts: pd.Series) -> NDArray[np.object_]:
    """One text a row from several columns, the level of an effect, (n,)."""
    texts = zip(*(part.astype(object).tolist() for part in parts), strict=True)
    return np.array(["|".join(map(str, row)) for row in texts], dtype=object)


@dataclass(frozen=True)
class Effect:
    """Deviation of `terms` (all where empty) by the level of column `key`, or per unit of column `slope`."""

    name: str
    key: str = ""
    slope: str = ""
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """A sum of terms and its effects; `prior` gives centre and sd, ln, of a coefficient or an effect."""

    name: str
    terms: tuple[str, ...]
    effects: tuple[Effect, ...]  # that of configurations last
    prior: Callable[[Serving, str], tuple[float, float]]

    def mask(self, effect: Effect) -> NDArray[np.bool_]:
        """Which terms the effect acts on, (K,)."""
        return np.array([not effect.terms or term in effect.terms for term in self.terms])


def _middle(settings: Serving, group: str, name: str) -> float:
    return float(getattr(getattr(settings, group), name).distribution.median())


def _ln(values: Mapping[Any, float], name: str) -> float:
    return float(np.log(values[name]))


def step_prior(settings: Serving, name: str) -> tuple[float, float]:
    """Of the model of step time."""
    if name in TERMS:
        return _ln(settings.step.median.values, name), _middle(settings, "step", "spread")
    if name == PROMPT:
        return 0.0, 1.0  # in units of the prior of the task: the slope has its spread
    if name.startswith("trend"):
        year = settings.trend.a_year.values
        return year["centre"], year["spread"]
    return 0.0, _middle(settings, "spreads", name)


def power_prior(settings: Serving, name: str) -> tuple[float, float]:
    """Of the model of power."""
    if name in POWER_TERMS:
        spread = "idle_spread" if name == "idle" else "spread"
        return _ln(settings.power.median.values, name), _middle(settings, "power", spread)
    kind = "properties" if name.startswith("by ") else name.split()[0]
    spreads: Mapping[Any, float] = settings.power_spreads.values
    return 0.0, spreads[kind]


STEP = Form(
    "step",
    tuple(TERMS),
    (
        Effect("trend of overheads", slope="years", terms=OVERHEADS),
        Effect("trend of requests", slope="years", terms=PER_REQUEST),
        Effect(PROMPT, "prompt", slope="prompt_slope"),
        Effect("engine_token", "engine", terms=PER_REQUEST),
        Effect("version_token", "version", terms=PER_REQUEST),
        Effect("experts", slope="experts", terms=MATRICES),
        Effect("version_experts", "version", slope="experts", terms=MATRICES),
        Effect("tuned", slope="tuned"),
        Effect("laboratory", "laboratory"),
        Effect("version", "version"),
        Effect("port", "port"),
        Effect("model", "model_level"),
        Effect("chip", "gpu"),
        Effect("pairing", "pairing"),
        Effect("guessed_shape", "guessed"),
        Effect("protocol", "protocol"),
        Effect("batch", "protocol", slope="decades"),
        Effect("rest", "run"),
        Effect("extrapolated", "beyond"),
        Effect(CONFIGURATION, CONFIGURATION),
    ),
    step_prior,
)
# The plain form that it is compared with: the same terms, and what a laboratory has in all of its rows.
PLAIN = Form("plain", STEP.terms, (Effect("laboratory", "laboratory"),), step_prior)
POWER = Form(
    "power",
    POWER_TERMS,
    (
        Effect("by accelerators", slope="ln_gpus", terms=ACTIVE),
        Effect("by experts", slope="experts", terms=ACTIVE),
        Effect("by narrow weights", slope="narrow", terms=ACTIVE),
        Effect("generation powered", "generation", terms=("powered",)),
        Effect("generation compute", "generation", terms=("compute",)),
        Effect("laboratory", "laboratory", terms=ACTIVE),
        Effect("version", "version", terms=ACTIVE),
        Effect("model", "model_level", terms=ACTIVE),
        Effect("chip", "gpu", terms=ACTIVE),
        Effect("protocol", "protocol", terms=ACTIVE),
        Effect("batch", "protocol", slope="decades", terms=ACTIVE),
        Effect("rest", "run", terms=ACTIVE),
        Effect("extrapolated", "beyond", terms=ACTIVE),
        Effect(CONFIGURATION, CONFIGURATION, terms=ACTIVE),
    ),
    power_prior,
)
