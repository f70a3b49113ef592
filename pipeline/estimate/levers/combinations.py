"""LEVER_COMBINATIONS: the published ranges multiplied, the chain with overlaps, the one on good evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.contracts.levers import BASELINE, LEVER_COMBINATIONS, SEQUENCES
from pipeline.contracts.read import validate
from pipeline.estimate.levers.combine import Applied, Lever, Service
from pipeline.estimate.levers.evidence import weakest
from pipeline.estimate.levers.rows import Row, band, worlds_within

Array = NDArray[np.float64]
NAIVE = {"model": "models", "serving": "serving", "hardware": "hardware"}
NAIVE_WORDS = {
    "model": "Published range of models",
    "serving": "Published range of serving",
    "hardware": "Published range of hardware and datacentre",
}
GOOD = ("A", "B")
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
    """Levers of a combination: all that the model computes, or those of good grade."""
    return [name for name, lever in levers.items() if combination == "overlap" or lever.grade in GOOD]


def steps_of(
    combination: str,
    sequence: str,
    regime: str,
    start: Array,
    after: Sequence[tuple[Lever, Array]],
    ends: tuple[float, float],
    replicates: int,
    note: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of one chain; start and after: energy of the mean query, Wh, (worlds,)."""
    before = start
    none = Lever(BASELINE, BASELINE, "As the re-estimate has it", "")
    for order, (lever, energy) in enumerate([(none, start), *after]):
        gain = start / energy
        bands = {"step_": before / energy, "cumulative_": gain, "energy_wh_": energy}
        row: dict[str, Any] = {
            "regime": regime,
            "combination": combination,
            "sequence": sequence,
            "order": order,
            "group": lever.group,
            "lever": lever.words,
            "grade": lever.grade or None,
            "note": note,
            **worlds_within(gain, ends),
        }
        for prefix, values in bands.items():
            row |= band(values, replicates, prefix)
        yield row
        before = energy


def naive(
    regime: str,
    start: Array,
    published: Mapping[str, Assumption],
    uniforms: Mapping[str, Array],
    ends: tuple[float, float],
    replicates: int,
) -> Iterator[dict[str, Any]]:
    """The published ranges, independent and multiplied."""
    gains = {name: published[name].distribution.ppf(uniforms[f"naive.{name}"]) for name in NAIVE}
    for sequence in SEQUENCES:
        order = list(NAIVE) if sequence == SEQUENCES[0] else list(NAIVE)[::-1]
        energy, after = start, []
        for name in order:
            energy = energy / gains[name]
            after.append((Lever(name, NAIVE[name], NAIVE_WORDS[name], "D"), energy))
        note = "log-normal between the published ends (assumptions.as_published)"
        yield from steps_of("naive", sequence, regime, start, after, ends, replicates, note)


def chain(
    combination: str, regime: str, service: Service, ends: tuple[float, float]
) -> Iterator[dict[str, Any]]:
    """The levers of a combination in both sequences."""
    levers = service.levers()
    wanted = chosen(levers, combination)
    start = service.energy_wh(Applied())
    for sequence, order in ORDERS.items():
        applied, after = Applied(), []
        for name in order:
            if name in wanted:
                applied = replace(applied, **{name: True})
                after.append((levers[name], service.energy_wh(applied)))
        yield from steps_of(
            combination, sequence, regime, start, after, ends, service.bench.replicates, ASSUMED
        )


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
            note="of the mean query of the blend; overlaps are in it",
        )
