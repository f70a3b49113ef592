"""What a part of the logs, a few nodes and a day at most, says of clocks and of requests that stand twice."""

import operator
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from pipeline.logs.engines import Engine
from pipeline.logs.flags import Flag
from pipeline.logs.meters import PowerLog
from pipeline.logs.settings import Settings
from pipeline.logs.timing import BIN_S, MOST_SHIFT_S, find_shift, shift_flag
from pipeline.logs.windows import total

NODES = 3
MOST_S = 86_400
MOST_ROWS = 200_000
SHIFT_OF_MANY_S = 1800  # looked for where the requests of a node are too many to look at all
USUAL_SPEED = 25  # output tokens a second, of an answer whose end is not known
NEAR_US = 200_000  # between two rows of one request, of a gateway and of its engine
MARGIN = 3.0  # look-alikes that are still chance, over those expected
WITH_LOAD = 1.3  # times the load around it, from which a spike of power may be one of load
LENGTHS = ["input_tokens", "output_tokens"]
US = 1_000_000


@dataclass(frozen=True)
class Probe:
    """About MOST_ROWS requests of each of the busiest nodes, from the first on.

    requests: node (its place in until_us), model (a number), start_us, end_us, weight, LENGTHS, usable;
    until_us: by node, up to which moment its requests are here, none where all are.
    """

    requests: pd.DataFrame
    until_us: dict[str, int | None]
    has_end: bool

    def of(self, node: str) -> pd.DataFrame:
        """The requests of a node."""
        return self.requests[self.requests["node"] == list(self.until_us).index(node)]


def probe_requests(engine: Engine, rows: ir.Table, of_spans: ir.Table, settings: Settings) -> Probe:
    """Read the probe, in one pass; the engine filters and sorts, and names are numbers: pandas copies all."""
    by = of_spans.filter(_.node.notnull() & _["first"].notnull()).group_by("node")
    sums = by.agg(n=total(_.requests), first=_["first"].min(), last=_["last"].max())
    found = engine.fetch(sums.order_by([ibis.desc("n"), "node"]).limit(NODES))
    until: dict[str, int | None] = {}
    tests = []
    for row in found.to_dict("records"):
        node, share = str(row["node"]), MOST_ROWS / row["n"]
        first, length = row["first"], row["last"] + 1 - row["first"]
        until[node] = int((first + length * share) * settings.window_us) if share < 1 else None
        test = _.node == node
        tests.append(test & (_.start_us < until[node]) if share < 1 else test)
    weight, end = _.weight, _.start_us + _.output_tokens * (US // USUAL_SPEED)
    has_end = "until_us" in rows.columns
    if has_end:
        weight, end = _.full_weight, _.until_us
    of = rows.filter(reduce(operator.or_, tests)).filter(weight > 0)
    number = [(_.node == name, ibis.literal(k, "int8")) for k, name in enumerate(until)]
    of = of.select(
        "start_us",
        *LENGTHS,
        "usable",
        node=ibis.cases(*number, else_=ibis.literal(len(until), "int8")),
        model=_.model.hash(),
        weight=weight,
        end_us=end,
    )
    order = ["node", "start_us", "end_us", "weight", "model"]
    return Probe(engine.fetch(of.drop_null(order).order_by(order)), until, has_end)


def look_alikes(probe: Probe, limit: float) -> list[Flag]:
    """A flag where more requests than by chance have the lengths of another that began within NEAR_US."""
    table = probe.requests[probe.requests["usable"]]
    if table.empty:
        return []
    kind = table.groupby(["node", "model", *LENGTHS], sort=False).ngroup().to_numpy()
    start = table["start_us"].to_numpy()
    order = np.lexsort((start, kind))
    near = int(((np.diff(kind[order]) == 0) & (np.diff(start[order]) <= NEAR_US)).sum())
    chance = float((np.bincount(kind).astype(float) ** 2).sum()) * NEAR_US / max(int(np.ptp(start)), NEAR_US)
    if near <= limit * len(table) or near <= MARGIN * chance:
        return []
    return [
        Flag(
            "requests look alike",
            f"{near} of {len(table)} requests have the lengths of another that began within "
            f"{NEAR_US / US:g} s: does one request stand twice, as a gateway and its engine log it?",
        )
    ]


def shift_of_clocks(
    engine: Engine, probe: Probe, power: PowerLog, settings: Settings
) -> tuple[tuple[float, float, float] | None, list[Flag]]:
    """What find_shift says of the node whose load tells most, and a flag where the clocks differ.

    Needs samples at least every 4 bins. Without ends of requests, answers are taken to come at USUAL_SPEED.
    """
    fine = power.intervals[power.intervals["interval_us"] <= 4 * BIN_S * US]
    watts = _watts(engine, power, sorted(set(fine["node"]) & set(probe.until_us)))
    found = []
    for node, series in watts.items():
        asked = probe.of(node)
        until, most_s = probe.until_us[node], MOST_SHIFT_S
        if until is not None:
            most_s = SHIFT_OF_MANY_S
            series = series[series["bin"] * BIN_S * US < until - most_s * US]
        shift = find_shift(asked, series, most_s) if len(series) else None
        if shift is not None:
            found.append((shift[1], node, shift))
    if not found:
        return None, []
    _peak, node, shift = max(found)
    flag = None if settings.shift_stated else shift_flag(node, shift, settings.limits.least_shift_s)
    return shift, [flag] if flag else []


def spikes_without_load(probe: Probe, power: PowerLog) -> list[Flag]:
    """A flag where power jumps for a sample and the tokens in progress do not: a glitch of the meter."""
    for spikes in power.spikes if probe.has_end else []:
        if spikes.node not in probe.until_us:
            continue
        asked, until = probe.of(spikes.node), probe.until_us[spikes.node]
        at_us = spikes.at_us if until is None else spikes.at_us[spikes.at_us < until]
        step = spikes.interval_us * np.arange(-4.0, 5.0)
        done = _done(asked, at_us[:, None] + step)
        there = np.diff(done)
        # a sample is of the interval before it or after it
        of_spike, around = there[:, 3:5].max(axis=1), there[:, [0, 1, 6, 7]].mean(axis=1)
        if len(at_us) and np.median(of_spike / np.maximum(around, 1e-12)) < WITH_LOAD:
            return [
                Flag(
                    "single spikes",
                    f"{spikes.label}: {len(at_us)} single samples far above those around them hold "
                    f"{spikes.share:.0%} of its energy, and no more tokens are in progress then",
                )
            ]
    return []


def _done(requests: pd.DataFrame, at_us: np.ndarray) -> np.ndarray:
    """Weight done until each moment, each request spread evenly from its start to its end."""
    start, end = (requests[name].to_numpy(float) for name in ("start_us", "end_us"))
    rate = requests["weight"].to_numpy(float) / np.maximum(end - start, 1.0)
    moments, slopes = np.r_[start, np.maximum(end, start + 1.0)], np.r_[rate, -rate]
    order = np.argsort(moments, kind="stable")
    moments, slope = moments[order], np.cumsum(slopes[order])
    return np.interp(at_us, moments, np.r_[0.0, np.cumsum(slope[:-1] * np.diff(moments))])


def _watts(engine: Engine, power: PowerLog, nodes: list[str]) -> dict[str, pd.DataFrame]:
    """By node: bin, watts of its meters of one scope, the wall before accelerators; means of bins."""
    if not nodes:
        return {}
    of = power.meters[power.meters["node"].isin(nodes) & (power.meters["usable"] > 0)]
    ends = of.groupby("node").agg(scope=("scope", "max"), first=("first", "min"))
    tests = [
        (_.node == str(node))
        & (_.scope == str(row["scope"]))
        & (_.start_us < int(row["first"]) * power.settings.base_window_us + MOST_S * US)
        for node, row in ends.to_dict("index").items()
    ]
    rows = power.samples.filter(_.usable).filter(reduce(operator.or_, tests))
    bins = rows.mutate(bin=(_.start_us // (BIN_S * US)).cast("int64")).group_by(["node", "bin", "device"])
    means = bins.agg(watts=total(_.milliwatts) / _.count() / 1000)
    table = engine.fetch(means.group_by(["node", "bin"]).agg(watts=_.watts.sum()).order_by(["node", "bin"]))
    return {str(node): part for node, part in table.groupby("node", sort=True)}
