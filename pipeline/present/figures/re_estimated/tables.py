"""What the figures of the re-estimate are drawn from, and the names they share."""

from dataclasses import dataclass

import pandas as pd

from pipeline.contracts.re_estimated import BRIDGE, RE_ESTIMATED, VARIANCE_SHARES
from pipeline.contracts.read import read_table
from pipeline.contracts.results import ENERGY_PER_QUERY
from pipeline.contracts.traffic import LENGTH_QUANTILES

ENERGY_CSV = "data/results/energy_per_query.csv"
RE_ESTIMATED_CSV = "data/results/re_estimated.csv"
SHARES_CSV = "data/results/variance_shares.csv"
BRIDGE_CSV = "data/results/bridge.csv"
LENGTHS_CSV = "data/results/length_quantiles.csv"

PUBLISHED = "v2"
BLEND = "blend"
FACILITY = "facility"
ASSUMED, PRODUCTION = "published_lengths", "production_lengths"
VARIANT_NAMES = {ASSUMED: "published lengths", PRODUCTION: "production lengths"}


@dataclass(frozen=True)
class ReEstimatedTables:
    """Contracts in order: ENERGY_PER_QUERY, RE_ESTIMATED, VARIANCE_SHARES, BRIDGE, LENGTH_QUANTILES."""

    energy: pd.DataFrame
    re_estimated: pd.DataFrame
    shares: pd.DataFrame
    bridge: pd.DataFrame
    lengths: pd.DataFrame

    def subjects(self) -> list[str]:
        """The models, highest published median of short queries first, and the blend last."""
        names = list(self.re_estimated["subject"].unique())
        medians = {name: float(self.published("short", name)["p50_wh"]) for name in names}
        models = sorted((name for name in names if name != BLEND), key=lambda name: -medians[name])
        return [*models, BLEND]

    def published(self, regime: str, subject: str) -> pd.Series:
        """The published analysis, Wh at the facility."""
        keys = {"analysis": "as_published", "variant": PUBLISHED, "boundary": FACILITY}
        return _one(self.energy, {**keys, "regime": regime, "subject": subject})

    def ours(self, variant: str, regime: str, subject: str) -> pd.Series:
        """The re-estimate with ignorance and variability apart, Wh at the facility."""
        keys = {"variant": variant, "regime": regime, "subject": subject, "boundary": FACILITY}
        return _one(self.re_estimated, keys)


def read_tables() -> ReEstimatedTables:
    """All tables from their files; raises InputError."""
    return ReEstimatedTables(
        energy=read_table(ENERGY_CSV, ENERGY_PER_QUERY),
        re_estimated=read_table(RE_ESTIMATED_CSV, RE_ESTIMATED),
        shares=read_table(SHARES_CSV, VARIANCE_SHARES),
        bridge=read_table(BRIDGE_CSV, BRIDGE),
        lengths=read_table(LENGTHS_CSV, LENGTH_QUANTILES),
    )


def _one(table: pd.DataFrame, wanted: dict[str, str]) -> pd.Series:
    chosen = (table[list(wanted)] == pd.Series(wanted)).all(axis=1)
    if chosen.sum() != 1:
        raise KeyError(f"{chosen.sum()} rows with {wanted}, expected one")
    return table[chosen].iloc[0]
