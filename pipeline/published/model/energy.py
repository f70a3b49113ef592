"""The published model: throughput from regressions, energy of a query and of the fleet from it.

ln TPS = intercept + slope_input ln(input tokens) + slope_output ln(output tokens), ordinary least squares per
model on its rows; predictions are capped at the model's largest row. A model with two rows has no regression:
its larger row stands for every query (Oviedo et al. 2026, released code).

Energies are Wh a query at the facility (node power times PUE), in arrays of (replicates, draws).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.assumption import Distribution
from pipeline.core.columns import Regime
from pipeline.core.errors import InputError
from pipeline.core.summaries import sorted_quantiles
from pipeline.core.units import SECONDS_PER_HOUR, WATTS_PER_KW, WH_PER_GWH, Array
from pipeline.published.model.settings import Base, PublishedModel, Trim, known

PREDICTORS = ["input_tokens", "output_tokens"]
COEFFICIENTS = ["intercept", "slope_input", "slope_output"]
# A query of 0 tokens has no logarithm; the released code puts a millionth of a token in its place.
FEWEST_TOKENS = 1e-6
PREDICTION_ALPHA = 0.1


@dataclass(frozen=True)
class ThroughputFit:
    """Output tokens/s of one model's node; the coefficients are missing where `method` is constant.

    Standard errors, residual spread and prediction interval are missing where no degree of freedom is left.
    """

    model: str
    method: str
    rows: int
    largest_tokens_per_s: float
    intercept: float = np.nan
    slope_input: float = np.nan
    slope_output: float = np.nan
    intercept_se: float = np.nan
    slope_input_se: float = np.nan
    slope_output_se: float = np.nan
    residual_sd: float = np.nan  # of ln TPS
    # TPS may be this many times larger or smaller: 90 % prediction interval of one query's throughput
    pi90_factor_short: float = np.nan
    pi90_factor_long: float = np.nan

    def tokens_per_s(self, input_tokens: float, output_tokens: Array) -> Array:
        """Predicted throughput for output lengths of any shape."""
        if self.method == "constant":
            return np.full_like(output_tokens, self.largest_tokens_per_s)
        log_output = np.log(np.maximum(output_tokens, FEWEST_TOKENS))
        log_rate = self.intercept + self.slope_input * np.log(input_tokens) + self.slope_output * log_output
        return np.minimum(np.exp(log_rate), self.largest_tokens_per_s)


def rows_of(throughput: pd.DataFrame, model: PublishedModel) -> pd.DataFrame:
    """The rows of the authors' table that a model's throughput rests on; raises InputError without any."""
    own = {"set": "published_analysis", "used_by_authors": "yes", "model": model.name}
    own |= {"precision": model.precision}
    chosen = throughput[(throughput[[*own]] == pd.Series(own)).all(axis=1)]
    needed = len(PREDICTORS) + 1 if model.throughput == "regression" else 1
    if len(chosen) < needed:
        expected = f"at least {needed} rows of {model.name} in {model.precision} that the authors used"
        raise InputError(f"data/published/throughput.csv: {len(chosen)} rows, expected {expected}")
    return chosen


def fit_model(
    rows: pd.DataFrame,
    model: PublishedModel,
    *,
    input_tokens: float,
    output_tokens_short: float,
    output_tokens_long: float,
) -> ThroughputFit:
    """Fit one model; the token lengths say where the prediction interval is taken."""
    largest = float(rows["output_tokens_per_s"].max())
    if model.throughput == "constant":
        return ThroughputFit(model.name, "constant", len(rows), largest)
    import statsmodels.api as sm  # a second, which the stages that only read fits need not spend

    log_rate = np.log(rows["output_tokens_per_s"].to_numpy(dtype=float))
    fitted = sm.OLS(log_rate, _design(rows[PREDICTORS].to_numpy(dtype=float))).fit()
    coefficients = dict(zip(COEFFICIENTS, map(float, fitted.params), strict=True))
    points = _design(np.array([[input_tokens, output_tokens_short], [input_tokens, output_tokens_long]]))
    spread = _spread(fitted, points) if fitted.df_resid > 0 else {}
    return ThroughputFit(model.name, "regression", len(rows), largest, **coefficients, **spread)


def fit_all(
    throughput: pd.DataFrame, models: Iterable[PublishedModel], **lengths: float
) -> list[ThroughputFit]:
    """Fit every model, in the given order."""
    return [fit_model(rows_of(throughput, model), model, **lengths) for model in models]


def to_table(fits: Iterable[ThroughputFit]) -> pd.DataFrame:
    """One row a model, one column a field of ThroughputFit."""
    return pd.DataFrame([asdict(fit) for fit in fits])


def from_table(table: pd.DataFrame) -> dict[str, ThroughputFit]:
    """The fits of a table by model, in its order."""
    records: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    return {record["model"]: ThroughputFit(**record) for record in records}


def _design(tokens: Array) -> Array:
    """Intercept and logarithms, (n, 3), from input and output tokens, (n, 2)."""
    return np.column_stack([np.ones(len(tokens)), np.log(tokens)])


def _spread(fitted: Any, points: Array) -> dict[str, float]:
    """What needs a degree of freedom: standard errors, residual spread, prediction interval at the points."""
    errors = {f"{name}_se": float(error) for name, error in zip(COEFFICIENTS, fitted.bse, strict=True)}
    interval = fitted.get_prediction(points).conf_int(obs=True, alpha=PREDICTION_ALPHA)
    short, long = np.exp((interval[:, 1] - interval[:, 0]) / 2)
    return {
        **errors,
        "residual_sd": float(np.sqrt(fitted.scale)),
        "pi90_factor_short": float(short),
        "pi90_factor_long": float(long),
    }


ANALYSIS = "as_published"
# In the order in which the released scripts draw them; routing follows where there is a token budget to cut.
LEVERS: dict[Regime, tuple[str, ...]] = {
    "short": ("hardware", "model", "serving"),
    "long": ("hardware", "model", "serving", "routing"),
}


def energy_wh(
    *, pue: Array, node_power_kw: float, utilisation: Array, tokens: Array, tokens_per_s: Array
) -> Array:
    """Energy of a query: the node's power while it makes the tokens alone, times PUE."""
    hours = tokens / tokens_per_s / SECONDS_PER_HOUR
    return pue * (node_power_kw * WATTS_PER_KW) * utilisation * hours


def query_energy_wh(
    base: Base,
    model: PublishedModel,
    fit: ThroughputFit,
    *,
    output_tokens: Array,
    utilisation: Array | None,
    pue: Array,
) -> Array:
    """Energy of each drawn query of one model, as published (Oviedo et al. 2026, released code).

    Parameters
    ----------
    base : a variant of the analysis; `model`, `fit` : one of its models, and its throughput.
    output_tokens : of each query.
    utilisation : share of the node's maximum power; without it, it follows from throughput.
    pue : of each query. The three arrays broadcast.

    Returns
    -------
    Wh of the whole facility.

    Examples
    --------
    >>> from pipeline.core.settings import from_params
    >>> settings = from_params("published")
    >>> base, fit = settings.variants["v2"], ThroughputFit("any", "constant", 2, 1000.0)
    >>> half, one = np.array([0.5]), np.array([1.0])
    >>> tokens = np.array([3600.0])  # at 1,000 tokens/s: 3.6 s of half of a node of 10.2 kW
    >>> wh = query_energy_wh(base, settings.models[0], fit, output_tokens=tokens, utilisation=half, pue=one)
    >>> wh.round(3).tolist()
    [5.1]
    """
    input_tokens = known(base.input_tokens)
    tokens_per_s = fit.tokens_per_s(input_tokens, output_tokens)
    if utilisation is None:
        utilisation = coupled_utilisation(base, tokens_per_s / fit.largest_tokens_per_s)
    tokens = output_tokens
    if base.input_tokens_per_output_token is not None:
        tokens = output_tokens + input_tokens / known(base.input_tokens_per_output_token)
    power = known(getattr(base, model.node_power))
    return energy_wh(
        pue=pue, node_power_kw=power, utilisation=utilisation, tokens=tokens, tokens_per_s=tokens_per_s
    )


def coupled_utilisation(base: Base, load: Array) -> Array:
    """Share of maximum power at a share `load` of the largest throughput."""
    if base.power_coupling is None:
        raise ValueError("utilisation is neither drawn nor coupled to throughput")
    return known(base.power_coupling.at_zero) + known(base.power_coupling.span) * load


def output_length(base: Base, regime: Regime) -> Distribution:
    """Distribution of output tokens before rounding."""
    chosen = base.output_tokens_short if regime == "short" else base.output_tokens_long
    return chosen.distribution


def lever(base: Base, name: str) -> Distribution:
    """Distribution of the number by which a lever divides energy."""
    gain: Distribution = getattr(base, f"lever_{name}").distribution
    return gain


def improved(base: Base, regime: Regime) -> Distribution:
    """Distribution of the number by which the improved fleet divides energy."""
    return (base.improved_short if regime == "short" else base.improved_long).distribution


def blend_members(energies: Mapping[str, Array], size: int) -> list[str]:
    """The models with the highest median energy, highest first."""
    return sorted(energies, key=lambda model: -float(np.median(energies[model])))[:size]


def trimmed(energy: Array, trim: Trim | None, ordered: Array | None = None) -> Array:
    """Each replicate cut to the outer percentiles, the rest to the inner (bounds kept); NaN where cut.

    ordered: the same in increasing order along axis 1, where it is at hand.
    """
    if trim is None:
        return energy
    if ordered is None:
        ordered = np.sort(energy, axis=1)
    first = np.zeros(len(energy), dtype=np.int64)
    last = np.full(len(energy), energy.shape[1] - 1, dtype=np.int64)
    for percentiles in (trim.outer, trim.inner):
        low, high = np.split(sorted_quantiles(ordered, first, last, percentiles), 2, axis=1)
        first, last = (ordered < low).sum(axis=1), (ordered <= high).sum(axis=1) - 1
    return np.where((energy >= low) & (energy <= high), energy, np.nan)


def uncut_blend(energies: Mapping[str, Array], members: list[str]) -> Array:
    """All draws of the members side by side, (replicates, members x draws)."""
    return np.concatenate([energies[member] for member in members], axis=1)


def subjects(
    base: Base,
    energies: Mapping[str, Array],
    members: list[str],
    levers: tuple[str, ...],
    gain: Callable[[str, list[str], Array], Array],
) -> Iterator[tuple[str, Array]]:
    """Each subject of the per-query results: the models, the blend, each lever on the blend.

    With its draws in increasing order along axis 1, those that are cut last, as NaN. members: of the blend.
    `gain(lever, members, blend)` gives the lever's draws in the shape of the blend; called in order.
    """
    ordered = {model: np.sort(values, axis=1) for model, values in energies.items()}
    yield from ordered.items()
    cut = {member: trimmed(energies[member], base.trim, ordered[member]) for member in members}
    blend = uncut_blend(cut, members)
    yield "blend", np.sort(blend, axis=1)
    for name in levers:
        improved_blend = blend / gain(name, members, blend)
        improved_blend.sort(axis=1)
        yield f"blend + {name}", improved_blend


def daily_gwh_per_wh(base: Base, regime: Regime) -> float:
    """GWh a day for one Wh a query: queries a day times the fleet's overhead factors."""
    overheads = base.overheads_short if regime == "short" else base.overheads_long
    return known(base.queries_per_day) * math.prod(known(item) for item in overheads) / WH_PER_GWH
