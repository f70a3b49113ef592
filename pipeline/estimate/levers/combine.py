"""Levers one after another, each on what the ones before have left.

A service is the blend of large models, and the small ones that a router may send queries to. A lever changes
how all of them are served, so its gain is that of the models, batches, bits and accelerators that are there
when it comes. What the whole chain gains does not depend on the order; what a step gains does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.deployments import Deployment
from pipeline.estimate.fleet.draws import Call
from pipeline.estimate.fleet.router_energy import between
from pipeline.estimate.fleet.routing import routed_energy
from pipeline.estimate.levers.bench import Bench, How, Priced
from pipeline.estimate.levers.evidence import GRADE_OF_BASIS, grade_of, weakest
from pipeline.estimate.levers.hardware import Facts, has_fp4, least_instance, software
from pipeline.estimate.levers.serving import cap_of
from pipeline.estimate.worlds import Moments

Array = NDArray[np.float64]
SMALL_INSTANCE = 1  # accelerators of a small model, on every chip
# What the steps are called, and the setting of assumptions.levers.evidence that each rests on.
PUBLISHED_SETTINGS = {
    "routed": ("routing", "Small models for the queries that a router lets them have", "routed_share"),
    "cached": ("serving", "Prefix caching", "cached_share"),
    "adaptive": ("serving", "Adaptive serving", "utilisation"),
    "disaggregated": ("serving", "Disaggregated serving", "disaggregation"),
    "capped": ("serving", "Power capping and clocks", "cap"),
    "best_site": ("datacentre", "Best site", "site"),
}


@dataclass(frozen=True)
class Applied:
    """Which levers are applied; the default is none."""

    routed: bool = False
    cached: bool = False
    adaptive: bool = False
    disaggregated: bool = False
    capped: bool = False
    moved: bool = False
    four_bit: bool = False
    best_site: bool = False


@dataclass(frozen=True)
class Lever:
    """One step: the field of Applied that it sets; in_practice: services gain from it already."""

    name: str
    group: str
    words: str
    grade: str
    in_practice: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Service:
    """The models of a service, before and after a move, priced on the queries of one regime.

    moved: by (chip, bits), the large and the small deployments there; `next_chips` serve in equal parts.
    """

    bench: Bench
    regime: str
    large: Sequence[Deployment]
    small: Sequence[Deployment]
    moved: Mapping[tuple[str, str], tuple[list[Deployment], list[Deployment]]]
    next_chips: Sequence[str]
    priced: Mapping[Deployment, Priced]
    router_wh: Array
    best_pue: Array

    @classmethod
    def of(
        cls,
        bench: Bench,
        regime: str,
        routers: Sequence[Deployment],
        site: Assumption,
        facts: Facts,
    ) -> "Service":
        """Price everything that the chain may need, in one call."""
        tiers, call = bench.draws.tiers, bench.call(regime)
        next_chips = bench.settings.hardware.next
        headroom = bench.settings.hardware.weights_headroom.distribution.median()
        moved = {
            (chip, precision): (
                [least_instance(item, chip, precision, facts, headroom) for item in tiers["large"]],
                [
                    item.model_copy(update={"gpu": chip, "gpus": SMALL_INSTANCE, "precision": precision})
                    for item in tiers["small"]
                ],
            )
            for chip in next_chips
            for precision in ("fp8", "fp4")
            if precision == "fp8" or has_fp4(chip, facts)
        }
        there = [item for pair in moved.values() for items in pair for item in items]
        priced = bench.price([*tiers["large"], *tiers["small"], *there], call)
        prompts = bench.price(routers, _prompt(call))
        read = [bench.energy_wh(prompts[item]) for item in routers]
        pue = np.asarray(site.distribution.ppf(bench.uniforms["site"]))
        return cls(
            bench,
            regime,
            tiers["large"],
            tiers["small"],
            moved,
            next_chips,
            priced,
            between(read, bench.uniforms["router"]),
            pue,
        )

    def energy_wh(self, applied: Applied) -> Array:
        """Facility energy of the mean query, Wh, (worlds,)."""
        if not applied.routed:
            return self.tier_wh(0, applied)
        share = self.bench.share("routed_share", self.bench.settings.routed_share)
        return self.routed_wh(share, self.tier_wh(0, applied), self.tier_wh(1, applied))

    def routed_wh(self, share: Array | float, large: Array, small: Array) -> Array:
        """The same with this share of the queries on the small models."""
        return routed_energy(share, large, small, self.router_wh)

    def _how(self, applied: Applied) -> How:
        settings, bench = self.bench.settings, self.bench
        how = How(disaggregated=applied.disaggregated)
        if applied.cached:
            how = replace(how, cached_share=bench.share("cached_share", settings.cached_share))
        if applied.adaptive:
            how = replace(how, utilisation=bench.share("utilisation", settings.utilisation))
        if applied.capped:
            how = replace(how, cap=cap_of(bench))
        if applied.best_site:
            how = replace(how, pue=self.best_pue)
        return how

    def tier_wh(self, tier: int, applied: Applied) -> Array:
        """Energy on the large (0) or the small models (1), in equal parts; every world has one next chip."""
        how = self._how(applied)
        if not applied.moved:
            return self.bench.mean_wh(self.priced, (self.large, self.small)[tier], how)
        each = [self._on(chip, tier, applied, how) for chip in self.next_chips]
        chosen = (self.bench.uniforms["chip"] * len(each)).astype(np.int64)
        return np.asarray(np.choose(np.minimum(chosen, len(each) - 1), each))

    def _on(self, chip: str, tier: int, applied: Applied, how: How) -> Array:
        precision = "fp4" if applied.four_bit and (chip, "fp4") in self.moved else "fp8"
        items = self.moved[chip, precision][tier]
        return self.bench.mean_wh(self.priced, items, how) * software(self.bench, items[0])

    def levers(self) -> dict[str, Lever]:
        """Every lever with the weakest grade of what it rests on in the regime of the service."""
        bases = self.bench.bases
        here = grade_of([*self.large, *self.small], bases)
        there = {
            bits: weakest([here, *(grade_of([*pair[0], *pair[1]], bases) for pair in self._in(bits))])
            for bits in ("fp8", "fp4")
        }
        found = {
            "moved": Lever(
                "moved", "hardware", f"Next accelerators ({', '.join(self.next_chips)})", there["fp8"]
            ),
            "four_bit": Lever("four_bit", "hardware", "Weights in four bits there", there["fp4"]),
        }
        for name, (group, words, setting) in PUBLISHED_SETTINGS.items():
            rests_on = self.bench.published.standing(setting, self.regime)
            grade = weakest([here, rests_on.grade])
            found[name] = Lever(name, group, words, grade, rests_on.in_practice, rests_on.note)
        return {field.name: found[field.name] for field in fields(Applied)}

    def _in(self, bits: str) -> list[tuple[list[Deployment], list[Deployment]]]:
        return [
            pair
            for (chip, precision), pair in self.moved.items()
            if precision == bits and chip in self.next_chips
        ]

    def graded_chips(self) -> list[str]:
        """The next chips on which the fit has seen measurements, for all models and precisions."""
        found = []
        for chip in self.next_chips:
            items = [
                item for (at, _), pair in self.moved.items() if at == chip for side in pair for item in side
            ]
            if all(GRADE_OF_BASIS[basis] == "B" for basis in self.bench.bases(items)):
                found.append(chip)
        return found

    def on(self, chips: Sequence[str]) -> "Service":
        """The same service, which moves to some of the next chips only."""
        return replace(self, next_chips=list(chips))


def _prompt(call: Call) -> Call:
    """What a router reads: the prompt; it writes one token."""
    given = call.moments.input_tokens
    one = np.ones_like(given)
    moments = Moments(given, one, given, one)
    return Call(moments, moments.context_tokens, call.mean_lengths)
