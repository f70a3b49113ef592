"""Recipes of the claims about levers: what they gain alone and together, from the tables of levers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.results import REGIMES
from pipeline.present.claims.evidence import Estimate, Evidence
from pipeline.present.claims.recipes import ASSUMPTIONS, LeverMedians, Recipe
from pipeline.present.claims.support import Case, HeldAgainst
from pipeline.present.lever_rows import share_for

MODELLED = "fitted model with published settings"
AT_RATED_POWER = "published throughput and rated power"
ROUTER_PROFILES = ("quality", "balanced", "cost")
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
class ModelsAndRouting(HeldAgainst):
    """Small models for as many queries as routers spare, and the profiles of a commercial router."""

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """Both for short and for long queries."""
        routed = [Case.of(whole(evidence, "routing", regime)) for regime in REGIMES]
        profiles = [
            Case.of(evidence.router_profile(regime, name)) for regime in REGIMES for name in ROUTER_PROFILES
        ]
        return [*routed, *profiles]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians for short queries: of the profiles, of routed small models, of Phi-4 for all queries."""
        regime = REGIMES[0]
        profiles = {name: evidence.router_profile(regime, name)["p50"] for name in ROUTER_PROFILES}
        phi = evidence.lever({"system": "Phi-4", "regime": regime})
        return {**profiles, "phi": phi["p50"], "routed": whole(evidence, "routing", regime)["p50"]}


@dataclass(frozen=True, kw_only=True)
class ServingTogether(HeldAgainst):
    """All levers of serving together in one regime, and the largest published gain of prefill apart."""

    regime: str

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """The group as modelled; the best published throughput at rated power."""
        return [Case.of(whole(evidence, "serving", self.regime)), self._apart(evidence)]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """The group and its 95th percentile, the largest published gain, and that of batching."""
        row = whole(evidence, "serving", self.regime)
        batching = evidence.lever({"system": "Continuous batching", "regime": self.regime, "basis": MODELLED})
        apart = self._apart(evidence).p50
        return {
            "together": row["p50"],
            "most": row["p95"],
            "disaggregated": apart,
            "batching": batching["p50"],
        }

    def _apart(self, evidence: Evidence) -> Case:
        """The largest published gain, which may be a bound."""
        keys = {"system": "Disaggregated serving", "regime": self.regime, "basis": AT_RATED_POWER}
        row = evidence.largest_lever(keys)
        return Case.of(row) if pd.notna(row["p50"]) else Case.up_to(float(row["p95"]))


@dataclass(frozen=True, kw_only=True)
class NextHardware(HeldAgainst):
    """Newer accelerators at equal serving in eight bits, and the one that the claim names."""

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """The first step of the chain, and Maia 200, for short and for long queries."""
        moved = [Case.of(self._moved(evidence, regime), "step_") for regime in REGIMES]
        return [*moved, *(Case.of(self._maia(evidence, regime)) for regime in REGIMES)]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians of short queries; with four bits; measured energy of B200; Maia 200 by its data sheet."""
        systems = evidence.lever_systems
        measured = systems[(systems["system"] == "B200") & (systems["basis"] == "measured energy")]
        regime = REGIMES[0]
        moved = self._moved(evidence, regime)
        return {
            "moved": moved["step_p50"],
            "least": moved["step_p5"],
            "most": moved["step_p95"],
            "four_bit": whole(evidence, "hardware", regime)["p50"],
            "measured": float(measured["p50"].median()),
            "maia": self._maia(evidence, regime)["p50"],
        }

    def _moved(self, evidence: Evidence, regime: str) -> pd.Series:
        return evidence.chain_step("overlap", regime, "hardware first", 1)

    def _maia(self, evidence: Evidence, regime: str) -> pd.Series:
        """Maia 200 with the bits that gain less: eight."""
        return evidence.largest_lever({"system": "Maia 200", "regime": regime}, least=True)


@dataclass(frozen=True, kw_only=True)
class PublishedProduct(Recipe):
    """The published multipliers as if independent; beside them, the chain with overlaps."""

    compared_with: str = ASSUMPTIONS

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Median and quartiles of the naive combination, which no regime changes."""
        row = evidence.chain_end("naive", REGIMES[0])
        return Estimate.of(*(float(row[f"cumulative_{name}"]) for name in ("p50", "p25", "p75")))

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians of the chain, all evidence."""
        return {regime: evidence.chain_end("overlap", regime)["cumulative_p50"] for regime in REGIMES}


@dataclass(frozen=True, kw_only=True)
class LeversCombined(HeldAgainst):
    """All levers with their overlaps, on all evidence and on good evidence alone, short and long queries.

    wanted: the claim whose lower end is asked for on the accelerators of today.
    """

    wanted: str

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """The whole of each chain."""
        return [
            Case.of(evidence.chain_end(combination, regime), "cumulative_")
            for combination in ("overlap", "graded")
            for regime in REGIMES
        ]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians; shares within the claim and on small models, in per cent; other combinations."""
        least = float(evidence.claims.set_index("key")["low"][self.wanted])
        found: dict[str, float] = {}
        for regime in REGIMES:
            last = evidence.chain_end("overlap", regime)
            found[regime] = last["cumulative_p50"]
            found[f"percent_{regime}"] = float(np.round(PERCENT * last["worlds_8_to_20"]))
            found[f"graded_{regime}"] = evidence.chain_end("graded", regime)["cumulative_p50"]
            found[f"to_come_{regime}"] = evidence.chain_end("overlap to come", regime)["cumulative_p50"]
            found[f"needed_{regime}"] = float(np.round(PERCENT * needed_share(evidence, regime, least)))
        return found


def needed_share(evidence: Evidence, regime: str, gain: float) -> float:
    """Share of queries on small models at which the median on today's accelerators is reached; else 1."""
    return share_for(evidence.lever_needed, regime, SAME_ACCELERATORS, gain)
