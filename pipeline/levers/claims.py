"""The claims about levers: what they gain alone and together, from the tables of levers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.levers.model.contract import TOGETHER
from pipeline.levers.paper import share_for
from pipeline.published.claims import LeverMedians
from pipeline.report.claims import ASSUMPTIONS, Case, Estimate, Evidence, HeldAgainst, Recipe

MODELLED = "fitted model with published settings"
AT_RATED_POWER = "published throughput and rated power"
ROUTER_PROFILES = ("quality", "balanced", "cost")
PERCENT = 100.0
SYSTEMS = "lever_systems"
SAME_ACCELERATORS = "serving and site, same accelerators"
MULTIPLIED = (
    "No released script computes it; the three levers multiplied give {value} ({low} to {high}, quartiles), "
    "so the printed upper end is about the median of the product; with overlaps the fitted model gives "
    "{short} on short and {long} on long queries in the median."
)
COMBINED = (
    "Each lever on what the others leave, the fitted model gains {long} on long and {short} on short queries "
    "in the median, and the range holds {percent_long} % and {percent_short} % of our draws; without what "
    "services do already it is {to_come_long} and {to_come_short}, on evidence of grade A or B alone, which "
    "leaves out routing, {graded_long} and {graded_short}; on the accelerators of today its lower end takes "
    "{needed_long} % of long or {needed_short} % of short queries on small models."
)
ROUTED = (
    "A commercial router set to quality, balanced or cost takes {quality}, {balanced} or {cost} times less "
    "energy than its largest model alone, if its models have the sizes that others assume and write the same "
    "number of tokens: the range is that of the balanced to the cost profile. Phi-4 for all queries would "
    "take {phi} times less, small models for a share that we assume {routed}; how the answers compare is not "
    "published."
)
SINGLE = (
    "The released multipliers have medians from {low} to {high}; by the fitted model, routing to small "
    "models, serving and hardware, each alone on short or on long queries, have {modelled_low} to "
    "{modelled_high}."
)
SERVED = (
    "By the fitted model, cached prompts, adaptive capacity, prefill apart and lower clocks together gain "
    "{together} on long queries ({most} at the 95th percentile); 5 takes larger batches too (from 8 to as "
    "many requests as configured: {batching}), or prefill apart at one tight objective (at most "
    "{disaggregated})."
)
MOVED = (
    "At equal serving and in eight bits, newer accelerators gain {moved} on short queries ({least} to "
    "{most}, 90 % over four chips and what is not known), in four bits {four_bit}; measured energy of B200 "
    "against H100 is {measured} (accelerators alone), Maia 200 is {maia} by its data sheet in the fitted "
    "model."
)


def _profile(evidence: Evidence, regime: str, profile: str) -> pd.Series:
    """One profile of the commercial router."""
    return evidence.row("routing_profiles", regime=regime, profile=profile)


def _by_gain(evidence: Evidence, **keys: object) -> pd.DataFrame:
    """Rows of systems by their median, or the bound where a source gives no other; the largest gain last."""
    found = evidence.rows(SYSTEMS, **keys)
    return found.iloc[found["p50"].fillna(found["p95"]).to_numpy(dtype=float).argsort(kind="stable")]


def _end(evidence: Evidence, combination: str, regime: str) -> pd.Series:
    """The last step of a combination of levers, models first."""
    keys = {"combination": combination, "regime": regime, "sequence": "models first"}
    return evidence.rows("lever_combinations", **keys).sort_values("order").iloc[-1]


def whole(evidence: Evidence, group: str, regime: str) -> pd.Series:
    """All levers of a group, alone."""
    return evidence.row(SYSTEMS, group=group, system=TOGETHER[group], regime=regime, basis=MODELLED)


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
            Case.of(_profile(evidence, regime, name)) for regime in REGIMES for name in ROUTER_PROFILES
        ]
        return [*routed, *profiles]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians for short queries: of the profiles, of routed small models, of Phi-4 for all queries."""
        regime = REGIMES[0]
        profiles = {name: _profile(evidence, regime, name)["p50"] for name in ROUTER_PROFILES}
        phi = evidence.row(SYSTEMS, system="Phi-4", regime=regime)
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
        batching = evidence.row(SYSTEMS, system="Continuous batching", regime=self.regime, basis=MODELLED)
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
        row = _by_gain(evidence, **keys).iloc[-1]
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
        measured = evidence.rows(SYSTEMS, system="B200", basis="measured energy")
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
        keys = {"combination": "overlap", "regime": regime, "sequence": "hardware first"}
        return evidence.row("lever_combinations", **keys, order=1)

    def _maia(self, evidence: Evidence, regime: str) -> pd.Series:
        """Maia 200 with the bits that gain less: eight."""
        return _by_gain(evidence, system="Maia 200", regime=regime).iloc[0]


@dataclass(frozen=True, kw_only=True)
class PublishedProduct(Recipe):
    """The published multipliers as if independent; beside them, the chain with overlaps."""

    ends: ClassVar[str] = "quartiles of the product"
    compared_with: str = ASSUMPTIONS

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Median and quartiles of the naive combination, which no regime changes."""
        row = _end(evidence, "naive", REGIMES[0])
        return Estimate.of(*(float(row[f"cumulative_{name}"]) for name in ("p50", "p25", "p75")))

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians of the chain, all evidence."""
        return {regime: _end(evidence, "overlap", regime)["cumulative_p50"] for regime in REGIMES}


@dataclass(frozen=True, kw_only=True)
class LeversCombined(HeldAgainst):
    """All levers with their overlaps, on all evidence and on good evidence alone, short and long queries.

    wanted: the claim whose lower end is asked for on the accelerators of today.
    """

    wanted: str

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """The whole of each chain."""
        return [
            Case.of(_end(evidence, combination, regime), "cumulative_")
            for combination in ("overlap", "graded")
            for regime in REGIMES
        ]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians; shares within the claim and on small models, in per cent; other combinations."""
        least = float(evidence.row("published/claims", key=self.wanted)["low"])
        found: dict[str, float] = {}
        for regime in REGIMES:
            last = _end(evidence, "overlap", regime)
            found[regime] = last["cumulative_p50"]
            found[f"percent_{regime}"] = float(np.round(PERCENT * last["worlds_8_to_20"]))
            found[f"graded_{regime}"] = _end(evidence, "graded", regime)["cumulative_p50"]
            found[f"to_come_{regime}"] = _end(evidence, "overlap to come", regime)["cumulative_p50"]
            found[f"needed_{regime}"] = float(np.round(PERCENT * needed_share(evidence, regime, least)))
        return found


def needed_share(evidence: Evidence, regime: str, gain: float) -> float:
    """Share of queries on small models at which the median on today's accelerators is reached; else 1."""
    return share_for(evidence.table("lever_needed"), regime, SAME_ACCELERATORS, gain)


CLAIMS: dict[str, Recipe] = {
    "v2.combined": PublishedProduct(reason=MULTIPLIED),
    "v1.levers": SingleLevers(
        groups=["routing", "serving", "hardware"],
        levers=["model", "serving", "hardware"],
        reason=SINGLE,
        explain=True,
    ),
    "blog.models": ModelsAndRouting(reason=ROUTED),
    "blog.serving": ServingTogether(regime="long", reason=SERVED),
    "blog.hardware": NextHardware(reason=MOVED),
    "blog.combined": LeversCombined(wanted="blog.combined", reason=COMBINED),
}
