"""What a claim is checked with: the result tables, and estimates with their Monte Carlo error."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.distributions import Distribution

Array = NDArray[np.float64]
AUTHORS_STREAM = "_authors_stream"  # suffix of a variant computed with the authors' random numbers


@dataclass(frozen=True)
class Estimate:
    """Value, low and high, and the standard error of each in one run of the authors' size; NaN: not given."""

    ours: Array
    error: Array

    @classmethod
    def of(cls, value: float = np.nan, low: float = np.nan, high: float = np.nan) -> "Estimate":
        """An estimate without Monte Carlo error."""
        return cls(np.array([value, low, high]), np.zeros(3))

    def scaled(self, factor: float) -> "Estimate":
        """The same in another unit."""
        return Estimate(self.ours * factor, self.error * factor)


@dataclass(frozen=True)
class Evidence:
    """The tables a claim is checked with; `levers` by name, as the assumptions give them."""

    energy: pd.DataFrame  # pipeline.contracts.results.ENERGY_PER_QUERY
    fleet: pd.DataFrame  # pipeline.contracts.results.FLEET
    tokens: pd.DataFrame  # pipeline.contracts.results.TOKEN_LENGTHS
    claims: pd.DataFrame  # pipeline.contracts.published.CLAIMS
    levers: Mapping[str, Distribution]
    routing: pd.DataFrame = field(default_factory=pd.DataFrame)  # pipeline.contracts.routing.ROUTING_PROFILES
    water: pd.DataFrame = field(default_factory=pd.DataFrame)  # contracts.water_results.WATER_PER_QUERY
    table_1: pd.DataFrame = field(default_factory=pd.DataFrame)  # pipeline.contracts.table_1.TABLE_1
    lever_systems: pd.DataFrame = field(default_factory=pd.DataFrame)  # contracts.levers.LEVER_SYSTEMS
    lever_combinations: pd.DataFrame = field(default_factory=pd.DataFrame)  # contracts.levers
    water_split: pd.DataFrame = field(default_factory=pd.DataFrame)  # contracts.water_results.WATER_SPLIT
    lever_needed: pd.DataFrame = field(default_factory=pd.DataFrame)  # contracts.levers.LEVER_NEEDED

    def query(self, variant: str, regime: str, subject: str) -> pd.Series:
        """The row of one subject in energy_per_query; KeyError when there is none."""
        keys = {"analysis": "as_published", "variant": variant, "regime": regime, "subject": subject}
        return _only_row(self.energy, keys)

    def length(self, variant: str, regime: str, subject: str) -> pd.Series:
        """The row of one subject among the token lengths; KeyError when there is none."""
        keys = {"analysis": "as_published", "variant": variant, "regime": regime, "subject": subject}
        return _only_row(self.tokens, keys)

    def fleet_row(self, variant: str, scenario: str, component: str) -> pd.Series:
        """The row of one scenario in the fleet table; KeyError when there is none."""
        keys = {"analysis": "as_published", "variant": variant, "scenario": scenario, "component": component}
        return _only_row(self.fleet, keys)

    def router_profile(self, regime: str, profile: str) -> pd.Series:
        """The row of one profile of the commercial router; KeyError when there is none."""
        return _only_row(self.routing, {"regime": regime, "profile": profile})

    def water_row(self, keys: Mapping[str, str]) -> pd.Series:
        """The one row of water_per_query with these keys; KeyError when there is none."""
        return _only_row(self.water, {"analysis": "as_published", **keys})

    def water_split_row(self, keys: Mapping[str, str]) -> pd.Series:
        """The one row of water_split with these keys; KeyError when there is none."""
        return _only_row(self.water_split, keys)

    def comparator(self, key: str) -> pd.Series:
        """The row of one comparator of Table 1; KeyError when there is none."""
        return _only_row(self.table_1, {"key": key})

    def lever(self, keys: Mapping[str, object]) -> pd.Series:
        """The one row of lever_systems with these keys; KeyError when there is none."""
        return _only_row(self.lever_systems, keys)

    def largest_lever(self, keys: Mapping[str, object], least: bool = False) -> pd.Series:
        """Of the rows of lever_systems with these keys the one of the largest (or least) median or bound."""
        found = self.lever_systems[_matches(self.lever_systems, keys).to_numpy()]
        if found.empty:
            raise KeyError(f"no row with {dict(keys)}")
        at = found["p50"].fillna(found["p95"]).to_numpy(dtype=float)
        return found.iloc[int(at.argmin() if least else at.argmax())]

    def chain_end(self, combination: str, regime: str, sequence: str = "models first") -> pd.Series:
        """The last step of a combination of levers."""
        keys = {"combination": combination, "regime": regime, "sequence": sequence}
        last = int(self.lever_combinations.loc[_matches(self.lever_combinations, keys), "order"].max())
        return self.chain_step(combination, regime, sequence, last)

    def chain_step(self, combination: str, regime: str, sequence: str, order: int) -> pd.Series:
        """One step of a combination of levers; KeyError when there is none."""
        keys = {"combination": combination, "regime": regime, "sequence": sequence, "order": order}
        return _only_row(self.lever_combinations, keys)

    def published(self, key: str) -> float:
        """The printed value of another claim."""
        return float(_only_row(self.claims, {"key": key})["value"])


def _matches(table: pd.DataFrame, keys: Mapping[str, object]) -> pd.Series:
    return pd.Series(np.logical_and.reduce([table[column] == value for column, value in keys.items()]))


def _only_row(table: pd.DataFrame, keys: Mapping[str, object]) -> pd.Series:
    found = table[_matches(table, keys).to_numpy()]
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows with {dict(keys)}, expected one")
    return found.iloc[0]
