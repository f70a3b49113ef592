"""The small tables that the figures of the published analysis are drawn from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.present import style

ANALYSIS = "as_published"
VARIANT, COUPLED = "v2", "v2_power_coupled"
BLEND = "blend"
ALL_MODELS = "all models"
REGIME_NAMES = {"short": "traditional", "long": "test-time scaling"}


def input_variant(tokens: int) -> str:
    """The variant with that many input tokens."""
    return f"v2_input_{tokens}"


@dataclass(frozen=True)
class Histogram:
    """Shares of draws in bins: edges (n+1,) on the value axis, shares (n,) of all draws."""

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
class FleetSettings:
    """What the fleet figures name: volume, share of long queries, and two energies a day to compare with."""

    queries_per_day: float
    long_share: float
    datacentre_gwh: float
    web_search_gwh: float

    @property
    def volume(self) -> str:
        """The day's queries in words: `1 billion queries a day`."""
        return f"{self.queries_per_day / 1e9:g} billion queries a day"


@dataclass(frozen=True)
class PublishedTables:
    """Results of the as-published analysis, and the claims that they are set beside.

    energy, tokens, fleet, claims: contracts ENERGY_PER_QUERY, TOKEN_LENGTHS, FLEET, CLAIMS; the histograms as
    `pipeline.estimate.published_tables` writes them.
    """

    energy: pd.DataFrame
    tokens: pd.DataFrame
    fleet: pd.DataFrame
    claims: pd.DataFrame
    energy_histograms: pd.DataFrame
    token_histograms: pd.DataFrame
    fleet_settings: FleetSettings

    def models(self, regime: str) -> list[str]:
        """The models of the analysis, highest median first."""
        rows = _rows(self.energy, {"variant": VARIANT, "regime": regime})
        rows = rows[~rows["subject"].str.startswith(BLEND)]
        return list(rows.sort_values("p50_wh", ascending=False)["subject"])

    def summary(self, regime: str, subject: str, variant: str = VARIANT) -> pd.Series:
        """The row of energy per query, Wh."""
        return _one(self.energy, {"variant": variant, "regime": regime, "subject": subject})

    def histogram(self, regime: str, subject: str, variant: str = VARIANT) -> Histogram:
        """How the draws of one subject spread over Wh."""
        wanted = {"variant": variant, "regime": regime, "subject": subject}
        found = _histogram(_rows(self.energy_histograms, wanted), "log10_wh")
        return Histogram(10**found.edges, found.shares)

    def lengths(self, regime: str) -> tuple[pd.Series, Histogram]:
        """Output tokens: their summary, and how they spread."""
        wanted = {"variant": VARIANT, "regime": regime, "subject": ALL_MODELS}
        return _one(self.tokens, wanted), _histogram(_rows(self.token_histograms, wanted), "tokens")

    def scenario(self, scenario: str, component: str = "total") -> pd.Series:
        """One row of the fleet table, GWh/day."""
        return _one(self.fleet, {"variant": VARIANT, "scenario": scenario, "component": component})

    def claim(self, key: str) -> pd.Series | None:
        """A published value with its low and high; None where the paper has none."""
        rows = self.claims[self.claims["key"].map(_claim_key) == _claim_key(key)]
        return rows.iloc[0] if len(rows) else None

    def model_claim(self, regime: str, model: str) -> pd.Series | None:
        """What the paper says of one model."""
        return self.claim(f"v2.{regime}.{style.model_key(model)}")


def _claim_key(key: str) -> str:
    return key.replace("-", "_")


def _rows(table: pd.DataFrame, wanted: dict[str, str]) -> pd.DataFrame:
    chosen = table["analysis"] == ANALYSIS
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
    """Bins that hold no draws have no row; draws outside the bins count in the shares alone."""
    low, high, count = (rows[name].to_numpy(float) for name in (f"{unit}_low", f"{unit}_high", "count"))
    inside = np.isfinite(low) & np.isfinite(high)
    edges = np.unique(np.concatenate([low[inside], high[inside]]))
    shares = np.zeros(len(edges) - 1)
    shares[np.searchsorted(edges, low[inside])] = count[inside] / count.sum()
    return Histogram(edges, shares)
