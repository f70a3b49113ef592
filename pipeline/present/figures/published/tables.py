"""The small tables that the figures of the published analysis are drawn from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

MODELS = ["DeepSeek-R1", "Llama 3.1 405B", "Nemotron Ultra 253B", "Mixtral 8x22B", "Llama 3.1 70B"]
BLEND = "blend"
REGIME_NAMES = {"short": "traditional", "long": "test-time scaling"}


@dataclass(frozen=True)
class Histogram:
    """Shares of draws in bins: edges (n+1,) on the value axis, shares (n,) that sum to about 1."""

    edges: np.ndarray
    shares: np.ndarray

    def rebinned(self, edges: np.ndarray) -> np.ndarray:
        """Shares in other bins, each old bin spread evenly; (len(edges) - 1,)."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.shares)])
        return np.diff(np.interp(edges, self.edges, cumulative))

    def per_decade(self) -> np.ndarray:
        """Density on a log axis, share a decade; (n,)."""
        return self.shares / np.diff(np.log10(self.edges))


@dataclass(frozen=True)
class PublishedTables:
    """Results of the as-published analysis and the claims that they are set beside.

    energy: contract ENERGY_PER_QUERY; fleet: contract FLEET; claims: contract CLAIMS;
    densities and lengths: see `histogram` and `token_histogram`.
    """

    energy: pd.DataFrame
    fleet: pd.DataFrame
    claims: pd.DataFrame
    densities: pd.DataFrame
    lengths: pd.DataFrame
    variant: str = "v2"
    coupled_variant: str = "v2, power coupled"

    @staticmethod
    def input_variant(tokens: int) -> str:
        """The variant with that many input tokens."""
        return f"v2, input {tokens}"

    def summary(self, regime: str, subject: str, variant: str | None = None) -> pd.Series:
        """The one row of energy per query, Wh."""
        wanted = {"variant": variant or self.variant, "regime": regime, "subject": subject}
        return _one(self.energy, wanted)

    def histogram(self, regime: str, subject: str, variant: str | None = None) -> Histogram:
        """How the draws of one subject spread over Wh."""
        wanted = {"variant": variant or self.variant, "regime": regime, "subject": subject}
        return _histogram(_rows(self.densities, wanted), "wh")

    def token_histogram(self, regime: str) -> Histogram:
        """How the drawn output lengths spread over tokens."""
        return _histogram(_rows(self.lengths, {"regime": regime}), "tokens")

    def scenario(self, scenario: str, component: str = "total") -> pd.Series:
        """One row of the fleet table, GWh/day."""
        wanted = {"variant": self.variant, "scenario": scenario, "component": component}
        return _one(self.fleet, wanted)

    def claim(self, key: str) -> pd.Series:
        """A published value with its low and high."""
        return _one(self.claims, {"key": key})


def _rows(table: pd.DataFrame, wanted: dict[str, str]) -> pd.DataFrame:
    chosen = pd.Series(True, index=table.index)
    for column, value in wanted.items():
        chosen &= table[column] == value
    if not chosen.any():
        raise KeyError(f"no row with {wanted}")
    return table[chosen]


def _one(table: pd.DataFrame, wanted: dict[str, str]) -> pd.Series:
    rows = _rows(table, wanted)
    if len(rows) != 1:
        raise KeyError(f"{len(rows)} rows with {wanted}, expected one")
    return rows.iloc[0]


def _histogram(rows: pd.DataFrame, unit: str) -> Histogram:
    rows = rows.sort_values(f"low_{unit}")
    edges = np.append(rows[f"low_{unit}"].to_numpy(), rows[f"high_{unit}"].iloc[-1])
    return Histogram(edges, rows["share"].to_numpy())
