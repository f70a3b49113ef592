"""The tables of levers, from one bench and what others have published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.fleet import Fleet
from pipeline.assumptions.serving import Serving
from pipeline.contracts.levers import COMBINATIONS
from pipeline.contracts.results import REGIMES
from pipeline.estimate.levers import hardware_published
from pipeline.estimate.levers.bench import Bench
from pipeline.estimate.levers.combinations import chain, combination_table, group_rows, naive
from pipeline.estimate.levers.combine import Applied, Service
from pipeline.estimate.levers.hardware import Facts, Ladder, hardware_rows, hardware_table, modelled
from pipeline.estimate.levers.models import model_rows
from pipeline.estimate.levers.needed import needed_rows, needed_table
from pipeline.estimate.levers.reused import router_rows, site_rows
from pipeline.estimate.levers.rows import Row, published_rows, system_table
from pipeline.estimate.levers.scale import scale_rows, scale_table
from pipeline.estimate.levers.serving import serving_rows

CHAT_SOURCE = "mlenergy_v3"
COMBINED_CLAIM = "v2.combined"
# Rated power of accelerators that have no row in data/published/hardware.csv.
BOARDS = {"MI300X": "gpu_mi300x", "MI325X": "gpu_mi325x"}


@dataclass(frozen=True)
class LeverInputs:
    """Tables that the levers rest on; ranges: the published multipliers."""

    published: Mapping[str, pd.DataFrame]
    serving: pd.DataFrame
    mlperf: pd.DataFrame
    profiles: pd.DataFrame
    routers: pd.DataFrame
    sites: pd.DataFrame
    cooling: pd.DataFrame
    ranges: Mapping[str, Assumption]

    @property
    def levers(self) -> pd.DataFrame:
        """Published values by key."""
        return self.published["levers"].set_index("key")

    @property
    def facts(self) -> Facts:
        """Rows of HARDWARE by accelerator."""
        rows: Any = self.published["hardware"].set_index("gpu").to_dict("index")
        return rows

    @property
    def claims(self) -> pd.DataFrame:
        """CLAIMS by key."""
        return self.published["claims"].set_index("key")

    @property
    def chat(self) -> pd.DataFrame:
        """Measured energy of chat queries."""
        return self.serving[self.serving["source"] == CHAT_SOURCE]


def lever_tables(
    bench: Bench, inputs: LeverInputs, fleet: Fleet, serving: Serving
) -> dict[str, pd.DataFrame]:
    """LEVER_SYSTEMS, LEVER_HARDWARE, LEVER_SCALE, LEVER_COMBINATIONS and LEVER_NEEDED by short name."""
    facts, site = inputs.facts, fleet.sites[bench.settings.site]
    everything: dict[str, Service] = {
        regime: Service.of(bench, regime, fleet.routing.routers, site, facts) for regime in REGIMES
    }
    ladders = [Ladder.of(bench, regime, facts) for regime in REGIMES]
    rows = [
        *scale_rows(bench),
        *model_rows(bench, inputs.levers),
        *router_rows(bench, inputs.profiles, inputs.routers, inputs.published["routers"]),
        *serving_rows(bench, inputs.levers),
        *hardware_rows(bench, ladders, facts),
        *site_rows(bench, inputs.sites, inputs.cooling),
        *(row for regime in REGIMES for row in group_rows(regime, everything[regime])),
        *published_rows(inputs.published["levers"]),
    ]
    return {
        "systems": system_table(_in_order(rows), inputs.claims, bench.replicates),
        "hardware": hardware_table(
            [
                *modelled(bench, ladders, facts),
                *hardware_published.measured(inputs.chat),
                *hardware_published.mlperf(inputs.mlperf, facts),
                *hardware_published.vendor(inputs.published["throughput"], facts),
                *hardware_published.stated(inputs.levers, rated_power(inputs)),
            ],
            bench,
        ),
        "scale": scale_table(bench, inputs.chat, serving),
        "combinations": combinations(bench, inputs, everything),
        "needed": needed_table(
            [row for regime in REGIMES for row in needed_rows(regime, everything[regime], claimed(inputs))]
        ),
    }


def _in_order(rows: list[Row]) -> list[Row]:
    """Rows of one group together, of one system within it."""
    groups = list(dict.fromkeys(row.group for row in rows))
    systems = list(dict.fromkeys((row.group, row.system) for row in rows))
    return sorted(rows, key=lambda row: (groups.index(row.group), systems.index((row.group, row.system))))


def rated_power(inputs: LeverInputs) -> dict[str, float]:
    """Rated power of one accelerator, W, by name."""
    boards: dict[Any, Any] = inputs.published["node_power"].set_index("key")["value"].to_dict()
    others = {chip: float(boards[key]) for chip, key in BOARDS.items()}
    return {chip: float(row["rated_w"]) for chip, row in inputs.facts.items()} | others


def claimed(inputs: LeverInputs) -> tuple[float, float]:
    """Ends of the published combined gain."""
    claim: Any = inputs.claims.loc[COMBINED_CLAIM].to_dict()
    return float(claim["low"]), float(claim["high"])


def combinations(bench: Bench, inputs: LeverInputs, everything: Mapping[str, Service]) -> pd.DataFrame:
    """LEVER_COMBINATIONS."""
    ends = claimed(inputs)
    rows: list[dict[str, Any]] = []
    for regime in REGIMES:
        service = everything[regime]
        start = service.energy_wh(Applied())
        rows += naive(regime, start, inputs.ranges, bench.uniforms, ends, bench.replicates)
        graded = service.on(service.graded_chips())
        for combination in COMBINATIONS:
            if combination != "naive":
                of_all = combination.startswith("overlap")
                rows += chain(combination, regime, service if of_all else graded, ends)
    return combination_table(rows)
