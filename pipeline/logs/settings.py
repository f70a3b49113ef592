"""The settings of params.yaml and the facts of deployment.yaml as the plain numbers that the expressions
take."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.assumptions import Limits, Logs
from pipeline.logs.deployment import Deployment
from pipeline.logs.node_ratio import NodeRatio
from pipeline.logs.weights import TokenWeights, read_weights
from pipeline.serving.model.settings import Serving

MICROSECONDS_PER_SECOND = 1_000_000
US_PER_HOUR = 3600 * MICROSECONDS_PER_SECOND
UJ_PER_WH = 3600 * 1_000_000
UNITS_PER_TOKEN = 100_000  # token weights are whole, so that sums do not depend on their order
GRIDS = Path("data/published/electricity_water.csv")
FACTORS = ("pue", "wue_l_per_kwh", "electricity_l_per_kwh", "carbon_g_per_kwh")
PARAMS = "params.yaml"


@dataclass(frozen=True)
class Settings:
    """Numbers of the accounting; see params.yaml, section `logs`, for where they come from.

    weights: prices of tokens, or none: from the model of serving; other_weights: of models that it does not
    know.
    node: from accelerators to their node, or none: the fitted line of their server type. sources: where each
    factor
    is from. serving: settings of the model of serving, or none: of params.yaml. several: base windows of a
    window.
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
            node = NodeRatio.constant(logs.gpu_to_node.distribution.median(), PARAMS)
        if weights is None and logs.weight_input != "fitted":
            weights = TokenWeights(logs.weight_input.distribution.median())
        return cls(
            window_seconds=logs.window_seconds,
            minimum_coverage=logs.minimum_coverage,
            maximum_share_of_wrong_units=logs.maximum_share_of_wrong_units,
            plausible_watts_max=logs.plausible_watts_max.distribution.median(),
            most_set_aside=logs.most_set_aside,
            limits=logs.limits,
            requests_in_flight=logs.requests_in_flight.distribution.median(),
            node=node,
            weights=weights,
            other_weights=weights or read_weights(logs),
            deployment=given,
            sources=sources,
            pue=factors["pue"],
            wue_l_per_kwh=factors["wue_l_per_kwh"],
            electricity_l_per_kwh=factors["electricity_l_per_kwh"],
            carbon_g_per_kwh=factors["carbon_g_per_kwh"],
        )

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
