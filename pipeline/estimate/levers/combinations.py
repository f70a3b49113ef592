"""LEVER_COMBINATIONS: the published ranges multiplied, the chain with overlaps, the one on good evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.contracts.levers import BASELINE, LEVER_COMBINATIONS, PERCENTILES, SEQUENCES
from pipeline.contracts.published import WORST
from pipeline.contracts.read import validate
from pipeline.estimate.levers.combine import Applied, Lever, Service
from pipeline.estimate.levers.evidence import weakest
from pipeline.estimate.levers.rows import Row, band, worlds_within

Array = NDArray[np.float64]
NONE = Lever(BASELINE, BASELINE, "As the re-estimate has it", "")
NAIVE = {"model": "models", "serving": "serving", "hardware": "hardware"}
NAIVE_WORDS = {
    "model": "Published range of models",
    "serving": "Published range of serving",
    "hardware": "Published range of hardware and datacentre",
}
GOOD = ("A", "B")
TO_COME = " to come"  # how combinations without what services have already end
GRID_LOG2 = 18  # percentiles of the product of three log-normals come out within 0.01 %
GRID = 2**GRID_LOG2
ASSUMED = "settings of assumptions.levers; every model writes the same tokens, and no quality is modelled"
ORDERS = {
    "models first": (
        "routed",
        "cached",
        "adaptive",
        "disaggregated",
        "capped",
        "moved",
        "four_bit",
        "best_site",
    ),
    "hardware first": (
        "moved",
        "four_bit",
        "best_site",
        "capped",
        "disaggregated",
        "adaptive",
        "cached",
        "routed",
    ),
}
TOGETHER = {
    "routing": ("Task-sized models with routing", ("routed",)),
    "serving": ("Disaggregated and adaptive serving", ("cached", "adaptive", "disaggregated", "capped")),
    "hardware": ("Next-generation accelerators", ("moved", "four_bit")),
    "datacentre": ("Best site", ("best_site",)),
}


def chosen(levers: Mapping[str, Lever], combination: str) -> list[str]:
    """Levers of a combination: all that the model computes or those of good grade, with or without practice.

    A lever outside its regime has the last grade, so it is in no graded combination.
    """
    good = [lever for lever in levers.values() if combination.startswith("overlap") or lever.grade in GOOD]
    return [lever.name for lever in good if not (combination.endswith(TO_COME) and lever.in_practice)]


@dataclass(frozen=True)
class Step:
    """One row of a chain: draws of the gain of the step and of all so far, and of the energy left, Wh."""

    lever: Lever
    step: Array
    cumulative: Array
    energy_wh: Array


def steps_of(energies: Sequence[tuple[Lever, Array]]) -> list[Step]:
    """Steps of a chain from the energy after each, the first the baseline, (worlds,)."""
    start, before = energies[0][1], energies[0][1]
    steps = []
    for lever, energy in energies:
        steps.append(Step(lever, before / energy, start / energy, energy))
        before = energy
    return steps


def rows_of(
    combination: str,
    sequence: str,
    regime: str,
    steps: Sequence[Step],
    ends: tuple[float, float],
    replicates: int,
    note: str,
) -> Iterator[dict[str, Any]]:
    """Rows of LEVER_COMBINATIONS of one chain; ends: of the published combined gain."""
    for order, one in enumerate(steps):
        lever = one.lever
        bands = {"step_": one.step, "cumulative_": one.cumulative, "energy_wh_": one.energy_wh}
        row: dict[str, Any] = {
            "regime": regime,
            "combination": combination,
            "sequence": sequence,
            "order": order,
            "group": lever.group,
            "lever": lever.words,
            "grade": lever.grade or None,
            "in_practice": "yes" if lever.in_practice else "no",
            "note": "; ".join(part for part in (lever.note, note) if part),
            **worlds_within(one.cumulative, ends),
        }
        for prefix, values in bands.items():
            even = len(values) == GRID  # points that share no replicates and have no error to speak of
            row |= on_grid(values, prefix) if even else band(values, replicates, prefix)
        yield row


def on_grid(values: Array, prefix: str) -> dict[str, float]:
    """PERCENTILES over evenly spread points, by name."""
    found = np.percentile(values, list(PERCENTILES.values()), method="hazen")
    named = {f"{prefix}{name}": float(value) for name, value in zip(PERCENTILES, found, strict=True)}
    return {**named, f"mc_error_{prefix}p50": 0.0}


def naive(
    regime: str,
    start: Array,
    published: Mapping[str, Assumption],
    uniforms: Mapping[str, Array],
    ends: tuple[float, float],
    replicates: int,
) -> Iterator[dict[str, Any]]:
    """The published ranges, independent and multiplied.

    What they gain needs no world, so it comes from a fine grid: the one product in ledger, paper and here.
    """
    from scipy.stats import qmc  # slow to import

    grid = qmc.Sobol(len(NAIVE), scramble=False).random_base2(GRID_LOG2) + 0.5 ** (GRID_LOG2 + 1)
    exact = {name: published[name].distribution.ppf(grid[:, at]) for at, name in enumerate(NAIVE)}
    drawn = {name: published[name].distribution.ppf(uniforms[f"naive.{name}"]) for name in NAIVE}
    note = "log-normal between the published ends (assumptions.as_published)"
    for sequence in SEQUENCES:
        order = list(NAIVE) if sequence == SEQUENCES[0] else list(NAIVE)[::-1]
        gain, energy = np.ones(len(grid)), start
        steps = [Step(NONE, gain, gain, energy)]
        for name in order:
            gain, energy = gain * exact[name], energy / drawn[name]
            steps.append(Step(Lever(name, NAIVE[name], NAIVE_WORDS[name], WORST), exact[name], gain, energy))
        yield from rows_of("naive", sequence, regime, steps, ends, replicates, note)


def chain(
    combination: str, regime: str, service: Service, ends: tuple[float, float]
) -> Iterator[dict[str, Any]]:
    """The levers of a combination in both sequences."""
    levers = service.levers()
    wanted = chosen(levers, combination)
    start = service.energy_wh(Applied())
    for sequence, order in ORDERS.items():
        applied, energies = Applied(), [(NONE, start)]
        for name in order:
            if name in wanted:
                applied = replace(applied, **{name: True})
                energies.append((levers[name], service.energy_wh(applied)))
        steps = steps_of(energies)
        yield from rows_of(combination, sequence, regime, steps, ends, service.bench.replicates, ASSUMED)


def combination_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """LEVER_COMBINATIONS."""
    table = pd.DataFrame(rows).reindex(columns=list(LEVER_COMBINATIONS.columns))
    return validate(table, LEVER_COMBINATIONS, "levers together")


def group_rows(regime: str, service: Service) -> Iterator[Row]:
    """Rows of LEVER_SYSTEMS: every group of levers alone, and all of them."""
    levers = service.levers()
    start = service.energy_wh(Applied())
    everything = dict.fromkeys(chosen(levers, "overlap"), True)
    groups = {**TOGETHER, "combined": ("All levers together", tuple(everything))}
    for group, (system, names) in groups.items():
        energy = service.energy_wh(replace(Applied(), **dict.fromkeys(names, True)))
        yield Row(
            group,
            system,
            regime,
            f"{'; '.join(levers[n].words for n in names)}, against none",
            "fitted model with published settings",
            weakest(levers[name].grade for name in names),
            start / energy,
            "mlenergy2025",
            note="; ".join(["of the mean query of the blend; overlaps are in it", *_notes(levers, names)]),
        )


def _notes(levers: Mapping[str, Lever], names: Sequence[str]) -> list[str]:
    """What there is to say of the levers of a group, with their names where it is of some of them."""
    said: dict[str, list[str]] = {}
    for name in names:
        if levers[name].note:
            said.setdefault(str(levers[name].note), []).append(levers[name].words)
    return [words if len(of) == len(names) else f"{', '.join(of)}: {words}" for words, of in said.items()]
