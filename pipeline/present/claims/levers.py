"""Recipes of the claims about levers: what they gain alone and together, from the tables of levers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.results import REGIMES
from pipeline.present.claims.evidence import Estimate, Evidence
from pipeline.present.claims.recipes import (
    RE_ESTIMATE,
    LeverMedians,
    LeversMultiplied,
    Recipe,
    RouterProfiles,
)
from pipeline.present.lever_rows import share_for

MODELLED = "fitted model with published settings"
PERCENT = 100.0
SAME_ACCELERATORS = "serving and site, same accelerators"
# The row of a whole group in LEVER_SYSTEMS.
WHOLE = {
    "routing": "Task-sized models with routing",
    "serving": "Disaggregated and adaptive serving",
    "hardware": "Next-generation accelerators",
}


def whole(evidence: Evidence, group: str, regime: str) -> pd.Series:
    """All levers of a group, alone."""
    return evidence.lever({"group": group, "system": WHOLE[group], "regime": regime, "basis": MODELLED})


@dataclass(frozen=True, kw_only=True)
class SingleLevers(LeverMedians):
    """Medians of the released multipliers; beside them, those of whole groups by our model."""

    groups: Sequence[str]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Smallest and largest median among groups and regimes."""
        medians = [float(whole(evidence, group, r)["p50"]) for group in self.groups for r in REGIMES]
        return {"modelled_low": min(medians), "modelled_high": max(medians)}


@dataclass(frozen=True, kw_only=True)
class ModelsAndRouting(RouterProfiles):
    """Profiles of the commercial router; beside them, small models alone and with published routers."""

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians of Phi-4 for all queries, and of small models for a routed share."""
        phi = evidence.lever({"system": "Phi-4", "regime": self.regime})
        return {"phi": phi["p50"], "routed": whole(evidence, "routing", self.regime)["p50"]}


@dataclass(frozen=True, kw_only=True)
class ServingTogether(Recipe):
    """All levers of serving together: median, and the 95th percentile for an `up to`."""

    regime: str
    compared_with: str = RE_ESTIMATE

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Median and 95th percentile."""
        row = whole(evidence, "serving", self.regime)
        return Estimate.of(float(row["p50"]), high=float(row["p95"]))

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """The largest published gain of prefill apart as energy, and that of batching."""
        systems = evidence.lever_systems
        apart = systems[
            (systems["system"] == "Disaggregated serving")
            & (systems["basis"] == "published throughput and rated power")
        ]
        batching = evidence.lever({"system": "Continuous batching", "regime": self.regime, "basis": MODELLED})
        return {"disaggregated": float(apart["p50"].max()), "batching": batching["p50"]}


@dataclass(frozen=True, kw_only=True)
class NextHardware(Recipe):
    """Newer accelerators alone, in eight bits: median and quartiles of the first step of the chain."""

    regime: str
    compared_with: str = RE_ESTIMATE

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Median and quartiles."""
        row = evidence.chain_step("overlap", self.regime, "hardware first", 1)
        return Estimate.of(*(float(row[f"step_{name}"]) for name in ("p50", "p25", "p75")))

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """With four bits; measured energy of B200; Maia 200 by its data sheet, in eight bits."""
        systems = evidence.lever_systems
        measured = systems[(systems["system"] == "B200") & (systems["basis"] == "measured energy")]
        chip = systems[(systems["system"] == "Maia 200") & (systems["regime"] == self.regime)]
        return {
            "four_bit": whole(evidence, "hardware", self.regime)["p50"],
            "measured": float(measured["p50"].median()),
            "maia": float(chip["p50"].min()),
        }


@dataclass(frozen=True, kw_only=True)
class PublishedProduct(LeversMultiplied):
    """The published multipliers as if independent; beside them, the chain with overlaps."""

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians of the chain, all evidence."""
        return {regime: evidence.chain_end("overlap", regime)["cumulative_p50"] for regime in REGIMES}


@dataclass(frozen=True, kw_only=True)
class LeversCombined(Recipe):
    """All levers with their overlaps: medians of long (low) and of short queries (high).

    wanted: the claim whose lower end is asked for on the accelerators of today.
    """

    wanted: str
    compared_with: str = RE_ESTIMATE

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Median of each regime, in rising order."""
        ends = [float(evidence.chain_end("overlap", regime)["cumulative_p50"]) for regime in REGIMES]
        return Estimate.of(low=min(ends), high=max(ends))

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Shares within the claim and on small models, in per cent; the chain on good evidence."""
        least = float(evidence.claims.set_index("key")["low"][self.wanted])
        found: dict[str, float] = {}
        for regime in REGIMES:
            last = evidence.chain_end("overlap", regime)
            found[f"percent_{regime}"] = float(np.round(PERCENT * last["worlds_8_to_20"]))
            found[f"graded_{regime}"] = evidence.chain_end("graded", regime)["cumulative_p50"]
            found[f"needed_{regime}"] = float(np.round(PERCENT * needed_share(evidence, regime, least)))
        return found


def needed_share(evidence: Evidence, regime: str, gain: float) -> float:
    """Share of queries on small models at which the median on today's accelerators is reached; else 1."""
    return share_for(evidence.lever_needed, regime, SAME_ACCELERATORS, gain)
