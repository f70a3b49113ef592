"""The settings of params.yaml and the facts of deployment.yaml as the plain numbers that the expressions
take; and what a token of each model counts as when the energy of a node is shared: its price, in output
tokens.

Prices come from the model of serving (`prices.py`), from the table of fitted weights, from params.yaml, or
from deployment.yaml. A log's name of a model is matched without publisher, tuning and precision, as
everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.ingest.names import shape_key
from pipeline.logs.assumptions import Limits, Logs
from pipeline.logs.contract import WEIGHT_BASES
from pipeline.logs.deployment import Deployment
from pipeline.logs.node_ratio import NodeRatio
from pipeline.serving.model.contract import ANY_OTHER_MODEL, TOKEN_WEIGHTS
from pipeline.serving.model.settings import Serving

TABLE = Path("data/results/token_weights.csv")
FITTED, OTHER, PARAMS, PRICED, SIZED, STATED = WEIGHT_BASES


@dataclass(frozen=True)
class TokenWeights:
    """Output tokens of the same model that an input token counts as: of the models in `fitted`, and of any
    other.

    models: those of the log, as it writes them; output: what an output token of a model counts as beside
    those of others, by shape_key; 1 where not stated.
    """

    other: float
    fitted: dict[str, float] = field(default_factory=dict)
    other_basis: str = PARAMS
    output: dict[str, float] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    cached: dict[str, float] = field(default_factory=dict)
    other_cached: float = 0.0

    def of(self, model: str) -> tuple[float, str]:
        """The weight of an input token of a model and where it comes from."""
        name = shape_key(model)
        if name in self.fitted:
            return self.fitted[name], self.basis.get(name, FITTED)
        return self.other, self.other_basis

    def price(self, model: str) -> tuple[float, float]:
        """What an input and an output token of a model count as beside those of other models."""
        output = self.output.get(shape_key(model), 1.0)
        return self.of(model)[0] * output, output

    def cached_price(self, model: str, given: Deployment) -> float:
        """What a cached input token of a model counts as, in uncached ones."""
        stated = given.cached_price
        return self.cached.get(shape_key(model), self.other_cached) if stated is None else stated

    def apart(self, models: Iterable[str]) -> dict[str, tuple[float, float]]:
        """The prices of those models, as the log writes them, that do not have the price of any other."""
        return {model: self.price(model) for model in models if self.price(model) != (self.other, 1.0)}


def read_weights(logs: Logs, table: Path = TABLE) -> TokenWeights:
    """The weights that params.yaml asks for; raises InputError when their table is missing or wrong."""
    if logs.weight_input != "fitted":
        return TokenWeights(logs.weight_input.distribution.median())
    values = read_table(table, TOKEN_WEIGHTS).set_index("model")["weight_input"]
    if ANY_OTHER_MODEL not in values:
        raise InputError(f"{table}, column 'model': no row {ANY_OTHER_MODEL!r}, expected one")
    other = float(values.pop(ANY_OTHER_MODEL))
    return TokenWeights(other, {shape_key(model): float(value) for model, value in values.items()}, OTHER)


MICROSECONDS_PER_SECOND = 1_000_000
US_PER_HOUR = 3600 * MICROSECONDS_PER_SECOND
UJ_PER_WH = 3600 * 1_000_000
UNITS_PER_TOKEN = 100_000  # token weights are whole, so that sums do not depend on their order
GRIDS = Path("data/published/electricity_water.csv")
FACTORS = ("pue", "wue_l_per_kwh", "electricity_l_per_kwh", "carbon_g_per_kwh")


@dataclass(frozen=True)
class Settings:
    """Numbers of the accounting; see params.yaml, section `logs`, for where they come from.

    weights: prices of tokens, or none: from the model of serving; other_weights: of models that it does not
    know.
    node: from accelerators to their node, or none: the fitted line of their server type. sources: where
    each factor is from. serving: settings of the model of serving, or none: of params.yaml. several: base
    windows of a window.
    """

    window_seconds: int
    minimum_coverage: float
    maximum_share_of_wrong_units: float
    plausible_watts_max: float
    most_set_aside: float
    limits: Limits
    pue: float
    wue_l_per_kwh: float
    electricity_l_per_kwh: float
    carbon_g_per_kwh: float
    requests_in_flight: float
    node: NodeRatio | None
    weights: TokenWeights | None
    other_weights: TokenWeights | None = None
    deployment: Deployment = field(default_factory=Deployment)
    sources: dict[str, str] = field(default_factory=dict)
    serving: Serving | None = None
    shift_us: int = 0
    shift_stated: bool = False
    several: int = 1

    @classmethod
    def of(
        cls, logs: Logs, weights: TokenWeights | None = None, given: Deployment | None = None
    ) -> "Settings":
        """The numbers of a validated section of params.yaml and of deployment.yaml, which goes first."""
        given = given or Deployment()
        factors, sources = _factors(logs, given)
        node = None
        if given.gpu_to_node is not None:
            node = NodeRatio.constant(given.gpu_to_node, "deployment.yaml")
        elif logs.gpu_to_node != "fitted":
            node = NodeRatio.constant(logs.gpu_to_node.distribution.median(), "params.yaml")
        if weights is None and logs.weight_input != "fitted":
            weights = TokenWeights(logs.weight_input.distribution.median())
        return cls(
            window_seconds=logs.window_seconds, minimum_coverage=logs.minimum_coverage,
            maximum_share_of_wrong_units=logs.maximum_share_of_wrong_units,
            plausible_watts_max=logs.plausible_watts_max.distribution.median(),
            most_set_aside=logs.most_set_aside, limits=logs.limits,
            requests_in_flight=logs.requests_in_flight.distribution.median(), node=node,
            weights=weights, other_weights=weights or read_weights(logs), deployment=given,
            sources=sources, pue=factors["pue"], wue_l_per_kwh=factors["wue_l_per_kwh"],
            electricity_l_per_kwh=factors["electricity_l_per_kwh"],
            carbon_g_per_kwh=factors["carbon_g_per_kwh"],
        )  # fmt: skip

    @property
    def base_window_us(self) -> int:
        """Length of a base window, in which samples are counted as they are read, microseconds."""
        return self.window_seconds * MICROSECONDS_PER_SECOND

    @property
    def window_us(self) -> int:
        """Length of a window, microseconds."""
        return self.several * self.base_window_us


def _factors(logs: Logs, given: Deployment) -> tuple[dict[str, float], dict[str, str]]:
    """PUE, waters and carbon, and where each is from: stated, of the stated grid, or of params.yaml."""
    grid = _grid(given.grid) if given.grid else {}
    factors, sources = {}, {}
    for name in FACTORS:
        stated = getattr(given, name)
        factors[name] = getattr(logs, name).distribution.median()
        sources[name] = f"params.yaml ({getattr(logs, name).source})"
        if stated is not None:
            factors[name], sources[name] = float(stated), "deployment.yaml"
        elif name in grid:
            factors[name], sources[name] = grid[name], f"electricity of {given.grid}"
    return factors, sources


def _grid(name: str) -> dict[str, float]:
    """Water and carbon of a country's electricity, by its three letters or its key; raises InputError."""
    table = pd.read_csv(GRIDS)
    mixes = table[table["carbon_kg_per_kwh"].notna()]
    found = mixes[(mixes["area"].str.lower() == name.lower()) | (mixes["key"] == name)]
    if found.empty:
        areas = ", ".join(sorted(set(mixes["area"]))[:12])
        raise InputError(f"deployment.yaml, key 'grid': {name!r}, expected a country such as {areas}, ...")
    row = found.iloc[0]
    return {
        "electricity_l_per_kwh": float(row["value"]),
        "carbon_g_per_kwh": float(row["carbon_kg_per_kwh"]) * 1000,
    }
