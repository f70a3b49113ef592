"""Levers one after another, each on what the ones before have left, and what a combined gain takes.

A service is the blend of large models, and the small ones that a router may send queries to. A lever changes
how all of them are served, so its gain is that of the models, batches, bits and accelerators that are there
when it comes. What all of them gain does not depend on the order; what a step gains does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.core.assumption import Assumption
from pipeline.core.units import Array
from pipeline.fleet.model.routing import between, routed_energy
from pipeline.ingest.contract import GRADES, WORST, weakest
from pipeline.levers.model.contract import (
    BASELINE,
    BESIDE,
    COMBINATIONS,
    GOOD,
    PERCENTILES,
    SEQUENCES,
    SHARES,
    TO_COME,
    TOGETHER,
)
from pipeline.levers.model.evaluator import AS_DRAWN, Evaluated, Evaluator, Facts, prompt
from pipeline.levers.model.hardware import bits_of, least_instance, software
from pipeline.levers.model.rows import (
    GAINS,
    GRADE_OF_BASIS,
    WITH_SETTINGS,
    Row,
    Strength,
    grade_of,
    over,
    quantiles,
    within_claim,
)
from pipeline.levers.model.settings import LEVERS, Lever, Options
from pipeline.serving.model.deployments import Deployment

Pair = tuple[list[Deployment], list[Deployment]]  # large and small deployments
SMALL_INSTANCE = 1  # accelerators of a small model, on every chip
NAIVE = {
    "model": ("models", "Published range of models"),
    "serving": ("serving", "Published range of serving"),
    "hardware": ("hardware", "Published range of hardware and datacentre"),
}
GRID = 2**18  # percentiles of the product of three log-normals come out within 0.01 %
ASSUMED = "settings of levers; every model writes the same tokens, and no quality is modelled"


def together(group: str | None = None) -> list[Lever]:
    """Levers that are part of all of them together; of one group, if given."""
    return [lever for lever in LEVERS if lever.together and group in (None, lever.group)]


def in_sequence(sequence: str) -> list[Lever]:
    """The levers of a sequence: as declared, or its groups first and each backwards.

    A lever stands after the one that it needs.
    """
    if not SEQUENCES[sequence]:
        return together()
    by_name = {lever.name: lever for lever in LEVERS}
    found: list[Lever] = []
    for lever in (one for group in SEQUENCES[sequence] for one in reversed(together(group))):
        first = [by_name[lever.needs]] if lever.needs else []
        found += [one for one in (*first, lever) if one not in found]
    return found


@dataclass(frozen=True)
class Graded:
    """A lever, or the baseline, with how strong its evidence is in the regime of a service."""

    group: str
    words: str
    strength: Strength


@dataclass(frozen=True)
class Service:
    """The models of a service, before and after a move, evaluated on the queries of one regime.

    here, moved: the large and the small deployments before a move, and after by (chip, bits); `next_chips`
    serve in equal parts.
    """

    evaluator: Evaluator
    regime: str
    here: Pair
    moved: Mapping[tuple[str, str], Pair]
    next_chips: Sequence[str]
    found: Mapping[Deployment, Evaluated]
    router_wh: Mapping[str, Array]  # by boundary

    @classmethod
    def of(cls, evaluator: Evaluator, regime: str, routers: Sequence[Deployment], facts: Facts) -> "Service":
        """Evaluate everything that the levers may need, in one call."""
        call, settings = evaluator.call(regime), evaluator.settings.hardware
        large, small = evaluator.large, evaluator.draws.tiers["small"]
        here = evaluator.able(large, regime), evaluator.able(small, regime)
        moved = {
            (chip, bits): (
                [least_instance(item, chip, bits, facts, settings) for item in here[0]],
                [
                    item.model_copy(update={"gpu": chip, "gpus": SMALL_INSTANCE, "precision": bits})
                    for item in here[1]
                ],
            )
            for chip in settings.next
            for bits in bits_of(chip, facts)
        }
        every = [item for pair in (here, *moved.values()) for items in pair for item in items]
        prompts = evaluator.evaluate(routers, prompt(call))
        router_wh = {
            at: between(
                [evaluator.mean_wh(prompts, [item], boundary=at) for item in routers],
                evaluator.uniform("router"),
            )
            for at in ("facility", "gpu")
        }
        return cls(evaluator, regime, here, moved, settings.next, evaluator.evaluate(every, call), router_wh)

    def options(self, names: Iterable[str]) -> Options:
        """How queries are served with the named levers."""
        names, options = set(names), AS_DRAWN
        for lever in LEVERS:
            if lever.name in names:
                options = self.evaluator.applied(lever, options)
        return options

    def energy_wh(self, *names: str, boundary: str = "facility") -> Array:
        """Energy of the mean query with the named levers, Wh, (samples,)."""
        options = self.options(names)
        if options.small_share is None:
            return self.tier_wh(0, options, boundary)
        large, small = (self.tier_wh(tier, options, boundary) for tier in (0, 1))
        return self.routed_wh(options.small_share, large, small, boundary)

    def routed_wh(
        self, share: Array | float, large: Array, small: Array, boundary: str = "facility"
    ) -> Array:
        """The same with this share of the queries on the small models."""
        return routed_energy(share, large, small, self.router_wh[boundary])

    def tier_wh(self, tier: int, options: Options, boundary: str = "facility") -> Array:
        """Energy on the large (0) or the small models (1), in equal parts; every sample has one next chip."""
        found, size = self.found, len(self.next_chips)
        if not options.moved:
            return self.evaluator.mean_wh(found, self.here[tier], options, boundary)
        each = []
        for chip in self.next_chips:
            items = self.on(chip, options)[tier]
            wh = self.evaluator.mean_wh(found, items, options, boundary)
            each.append(wh * software(self.evaluator, items[0]))
        place = (self.evaluator.uniform("chip") * size).astype(np.int64)
        return np.asarray(np.choose(np.minimum(place, size - 1), each))

    def on(self, chip: str, options: Options) -> Pair:
        """Large and small deployments on a chip, with four bits where it computes in them."""
        four_bit = options.four_bit and (chip, "fp4") in self.moved
        return self.moved[chip, "fp4" if four_bit else "fp8"]

    def graded(self, lever: Lever) -> Graded:
        """A lever with the weakest grade of what it rests on in the regime of the service."""
        options = self.options([lever.name, lever.needs or ""])
        pairs = [self.on(chip, options) for chip in self.next_chips] if options.moved else []
        used = [item for pair in (self.here, *pairs) for items in pair for item in items]
        model, published = grade_of(used, self.evaluator.bases), self.evaluator.published
        strength = Strength(min(GRADES)) if lever.modelled else published.strength(lever.name, self.regime)
        words = lever.words.format(chips=", ".join(self.next_chips))
        return Graded(lever.group, words, replace(strength, grade=weakest([model, strength.grade])))

    def graded_chips(self) -> list[str]:
        """The next chips on which the fit has seen measurements, for all models and precisions."""
        bases = self.evaluator.bases
        unseen = {
            chip
            for (chip, _), pair in self.moved.items()
            if any(GRADE_OF_BASIS[basis] != "B" for items in pair for basis in bases(items))
        }
        return [chip for chip in self.next_chips if chip not in unseen]

    def on_chips(self, chips: Sequence[str]) -> "Service":
        """The same service, which moves to some of the next chips only."""
        return replace(self, next_chips=list(chips))


def chosen(service: Service, combination: str) -> list[str]:
    """Levers of a combination: all or those of good grade, with or without what services do already.

    A lever outside its regime has the last grade, so it is in no graded combination.
    """
    names = []
    for lever in together():
        strength = service.graded(lever).strength
        good = combination.startswith("overlap") or strength.grade in GOOD
        if good and not (combination.endswith(TO_COME) and strength.in_practice):
            names.append(lever.name)
    return names


@dataclass(frozen=True)
class Step:
    """A step: the lever, and draws of its gain, of the gain of all so far, and of the energy left, Wh."""

    lever: Graded
    step: Array
    cumulative: Array
    energy_wh: Array

    def quantiles(self, replicates: int) -> dict[str, float]:
        """Of all three, by column."""
        row: dict[str, float] = {}
        columns = {"step_": self.step, "cumulative_": self.cumulative, "energy_wh_": self.energy_wh}
        for prefix, values in columns.items():
            row |= on_grid(values, prefix) if len(values) == GRID else quantiles(values, replicates, prefix)
        return row


def on_grid(values: Array, prefix: str) -> dict[str, float]:
    """PERCENTILES over evenly spread points, by name; they have no Monte Carlo error to speak of."""
    found = {f"{prefix}{name}": value for name, value in over(values).items() if name in PERCENTILES}
    return {**found, f"mc_error_{prefix}p50": 0.0}


def step_rows(
    combination: str, sequence: str, service: Service, steps: Sequence[Step], note: str
) -> Iterator[dict[str, Any]]:
    """Rows of LEVER_COMBINATIONS of levers in sequence."""
    for order, one in enumerate(steps):
        strength = one.lever.strength
        yield {
            "regime": service.regime,
            "combination": combination,
            "sequence": sequence,
            "order": order,
            "group": one.lever.group,
            "lever": one.lever.words,
            "grade": strength.grade or None,
            "in_practice": "yes" if strength.in_practice else "no",
            **one.quantiles(service.evaluator.replicates),
            **within_claim(one.cumulative),
            "note": "; ".join(part for part in (strength.note, note) if part),
        }


NONE = Graded(BASELINE, "As the re-estimate has it", Strength(""))


def naive(service: Service, published: Mapping[str, Assumption]) -> Iterator[dict[str, Any]]:
    """The published ranges, independent and multiplied.

    What they gain needs no sample, so it comes from a fine grid: the one product in ledger, paper and here.
    """
    from scipy.stats import qmc  # slow to import

    evaluator, start = service.evaluator, service.energy_wh()
    grid = qmc.Sobol(len(NAIVE), scramble=False).random(GRID) + 0.5 / GRID
    exact = {name: published[name].distribution.ppf(grid[:, at]) for at, name in enumerate(NAIVE)}
    drawn = {name: published[name].distribution.ppf(evaluator.uniform(f"naive.{name}")) for name in NAIVE}
    note = "log-normal between the published ends (published)"
    for sequence, order in zip(SEQUENCES, (list(NAIVE), list(NAIVE)[::-1]), strict=True):
        gain, energy = np.ones(GRID), start
        steps = [Step(NONE, gain, gain, energy)]
        for name in order:
            gain, energy = gain * exact[name], energy / drawn[name]
            steps.append(Step(Graded(*NAIVE[name], Strength(WORST)), exact[name], gain, energy))
        yield from step_rows("naive", sequence, service, steps, note)


def one_after_another(combination: str, service: Service) -> Iterator[dict[str, Any]]:
    """The levers of a combination in every sequence."""
    names, start = chosen(service, combination), service.energy_wh()
    for sequence in SEQUENCES:
        before, applied = start, list[str]()
        steps = [Step(NONE, start / start, start / start, start)]
        for lever in in_sequence(sequence):
            if lever.name in names:
                applied.append(lever.name)
                after = service.energy_wh(*applied)
                steps.append(Step(service.graded(lever), before / after, start / after, after))
                before = after
        yield from step_rows(combination, sequence, service, steps, ASSUMED)


def combination_rows(service: Service, published: Mapping[str, Assumption]) -> Iterator[dict[str, Any]]:
    """Rows of LEVER_COMBINATIONS of one regime; published: the ranges of the published analysis."""
    yield from naive(service, published)
    graded = service.on_chips(service.graded_chips())
    for combination in COMBINATIONS:
        if combination != "naive":
            yield from one_after_another(
                combination, service if combination.startswith("overlap") else graded
            )


def group_rows(service: Service) -> Iterator[Row]:
    """Rows of LEVER_SYSTEMS: every group of levers alone, and all of them."""
    for group, system in TOGETHER.items():
        levers = together(None if group == "combined" else group)
        graded = {lever.name: service.graded(lever) for lever in levers}
        strengths = {one.words: one.strength for one in graded.values()}
        gains: dict[str, Any] = {
            name: service.energy_wh(boundary=at) / service.energy_wh(*graded, boundary=at)
            for name, at in GAINS.items()
        }
        yield Row(
            group, system, service.regime, f"{'; '.join(strengths)}, against none", WITH_SETTINGS,
            weakest(strength.grade for strength in strengths.values()),
            **gains, sources="mlenergy2025",
            note="; ".join(["of the mean query of the blend; overlaps are in it", *_notes(strengths)]),
        )  # fmt: skip


def _notes(strengths: Mapping[str, Strength]) -> list[str]:
    """What there is to say of the levers of a group, with their names where it is of some of them."""
    said: dict[str, list[str]] = {}
    for words, strength in strengths.items():
        if strength.note:
            said.setdefault(strength.note, []).append(words)
    return [note if len(of) == len(strengths) else f"{', '.join(of)}: {note}" for note, of in said.items()]


def needed_rows(service: Service) -> Iterator[dict[str, Any]]:
    """Rows of LEVER_NEEDED: gain of every set of levers over the share that small models take."""
    start = service.energy_wh()
    for beside, groups in BESIDE.items():
        options = service.options(lever.name for group in groups for lever in together(group))
        large, small = (service.tier_wh(tier, options) for tier in (0, 1))
        for share in SHARES:
            gain = start / service.routed_wh(share, large, small)
            yield {
                "regime": service.regime,
                "levers": beside,
                "routed_share": share,
                **quantiles(gain, service.evaluator.replicates, "gain_"),
                **within_claim(gain),
            }
