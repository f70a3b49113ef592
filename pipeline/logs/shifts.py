"""What a part of the logs, a few nodes and a day at most, says of clocks and of requests that stand twice.

Clocks: tokens in progress and watts become series of BIN_S seconds of one node; where the load varies
enough, their correlation has one peak. A peak away from zero that is clearly higher than the value there is
a shift of the clocks.
"""

import operator
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from pipeline.logs.contract import Flag
from pipeline.logs.engines import Engine
from pipeline.logs.meters import PowerLog
from pipeline.logs.places import USUAL_SPEED
from pipeline.logs.settings import Settings
from pipeline.logs.windows import total

BIN_S = 5
LEAST_BINS = 24
FEW_BINS = 120  # up to them many shifts agree by chance, so more is asked of the peak
LEAST_VARIATION = 0.25  # standard deviation over mean of the load: "varies by half"
LEAST_PEAK, LEAST_PEAK_OF_FEW = 0.6, 0.8
LEAST_GAIN = 0.15
MOST_SHIFT_S = 14 * 3600  # between the clocks of two time zones
LEAST_INSIDE = 0.95


def find_shift(
    requests: pd.DataFrame, power: pd.DataFrame, most_s: int = MOST_SHIFT_S
) -> tuple[float, float, float] | None:
    """Seconds to add to the requests' times, correlation there and at no shift; none where nothing can be
    said.

    requests: start_us, end_us, weight of one node; power: bin (of BIN_S since 1970), watts, one row a bin.
    """
    if len(power) < LEAST_BINS or requests.empty:
        return None
    first = int(power["bin"].min())
    watts = np.full(int(power["bin"].max()) - first + 1, np.nan)
    watts[(power["bin"] - first).to_numpy(int)] = power["watts"].to_numpy(float)
    watts = pd.Series(watts).interpolate(limit_direction="both").to_numpy()
    margin = most_s // BIN_S
    load = in_progress(requests, first - margin, len(watts) + 2 * margin)
    busy = load[load.nonzero()[0].min() : load.nonzero()[0].max() + 1] if load.any() else load
    if len(busy) < LEAST_BINS // 2 or busy.std() < LEAST_VARIATION * busy.mean() or watts.std() == 0:
        return None
    scores = _correlations(load, watts)
    at_zero = float(scores[margin])
    # moved rightly, no less of the load lies inside the power log than as it stands
    sums = np.r_[0, np.cumsum(load)]
    inside = sums[len(watts) :] - sums[: -len(watts)]
    scores = np.where(inside >= LEAST_INSIDE * inside[margin], scores, -np.inf)
    best = int(np.nanargmax(scores))
    if len(power) < FEW_BINS and scores[best] < LEAST_PEAK_OF_FEW:
        best = margin
    return (float((margin - best) * BIN_S), float(scores[best]), at_zero)


def shift_flag(node: str, found: tuple[float, float, float] | None, least_s: float) -> Flag | None:
    """A flag where the clocks differ by `least_s` or more."""
    if found is None:
        return None
    shift, peak, at_zero = found
    if abs(shift) < least_s or peak < LEAST_PEAK or peak - at_zero < LEAST_GAIN:
        return None
    return Flag(
        "clocks differ",
        f"at node {node!r} tokens and watts agree best (correlation {peak:.2f}, {at_zero:.2f} as they "
        f"stand) when the "
        f"requests are moved by {shift:+.0f} s: give --shift {shift:.0f}, or --shift 0 if the clocks are "
        f"right",
    )


def in_progress(requests: pd.DataFrame, first: int, bins: int) -> np.ndarray:
    """Weight in progress in each bin, each request spread evenly from its start to its end."""
    width = BIN_S * 1e6
    start = requests["start_us"].to_numpy(float) / width - first
    end = np.maximum(requests["end_us"].to_numpy(float) / width - first, start + 0.2)
    rate = requests["weight"].to_numpy(float) / (end - start)
    # the running sum at whole bins of a piecewise linear function: a ramp of `rate` from start to end
    edges = np.zeros(bins + 2)
    slope = np.zeros(bins + 2)
    for moment, sign in ((start, 1.0), (end, -1.0)):
        moment = np.clip(moment, 0, bins)
        whole = np.minimum(np.ceil(moment).astype(int), bins)
        np.add.at(edges, whole, sign * rate * (whole - moment))
        np.add.at(slope, whole, sign * rate)
    cumulative = np.cumsum(edges) + np.r_[0, np.cumsum(np.cumsum(slope))[:-1]]
    return np.diff(cumulative)[:bins]


def _correlations(load: np.ndarray, watts: np.ndarray) -> np.ndarray:
    """Pearson correlation of watts with each stretch of the load of the same length, (len(load) -
    len(watts) + 1,)."""
    n = len(watts)
    centred = watts - watts.mean()
    size = 1 << int(np.ceil(np.log2(len(load) + n)))
    products = np.fft.irfft(np.fft.rfft(load, size) * np.conj(np.fft.rfft(centred, size)), size)
    products = products[: len(load) - n + 1]
    sums = np.r_[0, np.cumsum(load)]
    squares = np.r_[0, np.cumsum(load**2)]
    mean = (sums[n:] - sums[:-n]) / n
    spread = np.sqrt(np.maximum((squares[n:] - squares[:-n]) / n - mean**2, 0))
    least = 0.1 * load[load > 0].std() if (load > 0).any() else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = products / (n * np.where(spread > least, spread, np.inf) * centred.std())
    return scores


NODES = 3
MOST_S = 86_400
MOST_ROWS = 200_000
SHIFT_OF_MANY_S = 1800  # looked for where the requests of a node are too many to look at all
NEAR_US = 200_000  # between two rows of one request, of a gateway and of its engine
MARGIN = 3.0  # look-alikes that are still chance, over those expected
WITH_LOAD = 1.3  # times the load around it, from which a spike of power may be one of load
LENGTHS = ["input_tokens", "output_tokens"]
US = 1_000_000
LEAST_NUMBERED = 50
MISSING_NUMBERS = 0.1  # over those that are there
RANDOM_NUMBERS = 1e-3  # so few of a range are no count
MOST_COUNTS = 16  # servers that number their requests apart


@dataclass(frozen=True)
class Probe:
    """About MOST_ROWS requests of each of the busiest nodes, from the first on.

    requests: node (its place in until_us), model (a number), start_us, end_us, weight, LENGTHS, usable;
    until_us: by node, up to which moment its requests are here, none where all are.
    """

    requests: pd.DataFrame
    until_us: dict[str, int | None]
    has_end: bool
    left_out: int = 0  # rows of these nodes and times that are not here: failed, or without a time

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
        "start_us", *LENGTHS, "usable",
        node=ibis.cases(*number, else_=ibis.literal(len(until), "int8")), model=_.model.hash(),
        **({"request": rows.request} if "request" in rows.columns and _whole(until) else {}),
        weight=weight, end_us=end,
    )  # fmt: skip
    order = ["node", "start_us", "end_us", "weight", "model"]
    table = engine.fetch(of.drop_null(order).order_by(order))
    expected = sum(min(row["n"], MOST_ROWS) for row in found.to_dict("records"))
    return Probe(table, until, has_end, max(expected - len(table), 0))


def _whole(until: dict[str, int | None]) -> bool:
    """Whether the probe has all nodes of the log, in the same stretch of time."""
    return len(until) == 1 or (len(until) < NODES and not any(until.values()))


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
        Flag("requests look alike",
        f"{near} of {len(table)} requests have the lengths of another that began within "
        f"{NEAR_US / US:g} s: does one request stand twice, as a gateway and its engine log it?"),
    ]  # fmt: skip


def numbers_missing(probe: Probe) -> list[Flag]:
    """A flag where requests are numbered, each server's apart, and many of the numbers are not there."""
    if "request" not in probe.requests:
        return []
    parts = probe.requests["request"].astype("str").str.extract(r"^(.*?)(\d{1,15})$").dropna()
    if len(parts) < len(probe.requests) or parts[0].nunique() > MOST_COUNTS:
        return []
    for name, of in parts.groupby(0, sort=True):
        numbers = of[1].astype("int64").drop_duplicates()
        there = (len(numbers) + probe.left_out) / float(numbers.max() - numbers.min() + 1)
        if len(numbers) >= LEAST_NUMBERED and RANDOM_NUMBERS < there < 1 / (1 + MISSING_NUMBERS):
            return [
                Flag("a sample",
                f"requests are numbered from {name}{numbers.min()} to {name}{numbers.max()}, and {there:.0%} "
                "of the numbers are there: is the log a sample of the requests, or has it some of them?"),
            ]  # fmt: skip
    return []


def numbered(probe: Probe) -> bool:
    """Whether all requests bear the numbers of a count, which gaps would show."""
    ids = probe.requests.get("request", pd.Series(dtype="str")).astype("str").str.extract(r"(\d{1,15})$")[0]
    there = ids.dropna().astype("int64")
    return len(ids) == len(there) >= LEAST_NUMBERED and float(np.ptp(there)) < len(there) / RANDOM_NUMBERS


def shift_of_clocks(
    probe: Probe, watts: dict[str, pd.DataFrame], power: PowerLog, settings: Settings
) -> tuple[tuple[float, float, float] | None, list[Flag]]:
    """What find_shift says of the node whose load tells most, and a flag where the clocks differ.

    Needs samples at least every 4 bins. Without ends of requests, answers are taken to come at USUAL_SPEED.
    """
    seldom = power.intervals[power.intervals["interval_us"] > 4 * BIN_S * US]
    found = []
    for node, table in watts.items():
        scope = table.columns.get_level_values("scope").max()  # the wall before accelerators
        if ((seldom["node"] == node) & (seldom["scope"] == scope)).any():
            continue
        asked = probe.of(node)
        series = scope_of(table, scope).sum(axis=1).rename("watts").reset_index()
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
                Flag("single spikes",
                f"{spikes.label}: {len(at_us)} single samples far above those around them hold "
                f"{spikes.share:.0%} of its energy, and no more tokens are in progress then"),
            ]  # fmt: skip
    return []


def _done(requests: pd.DataFrame, at_us: np.ndarray) -> np.ndarray:
    """Weight done until each moment, each request spread evenly from its start to its end."""
    start, end = (requests[name].to_numpy(float) for name in ("start_us", "end_us"))
    rate = requests["weight"].to_numpy(float) / np.maximum(end - start, 1.0)
    moments, slopes = np.r_[start, np.maximum(end, start + 1.0)], np.r_[rate, -rate]
    order = np.argsort(moments, kind="stable")
    moments, slope = moments[order], np.cumsum(slopes[order])
    return np.interp(at_us, moments, np.r_[0.0, np.cumsum(slope[:-1] * np.diff(moments))])


def scope_of(table: pd.DataFrame, scope: str) -> pd.DataFrame:
    """The meters of one scope, a column each."""
    return pd.DataFrame(table.xs(scope, axis=1, level="scope"))


def watts_of(engine: Engine, power: PowerLog, probe: Probe) -> dict[str, pd.DataFrame]:
    """By node of the probe: mean watts, a row a bin of BIN_S since 1970, a column a meter (scope, device)."""
    nodes = sorted(probe.until_us)
    of = power.meters[power.meters["node"].isin(nodes) & (power.meters["usable"] > 0)]
    if of.empty:
        return {}
    tests = [
        (_.node == str(node)) & (_.start_us < int(first) * power.settings.base_window_us + MOST_S * US)
        for node, first in of.groupby("node")["first"].min().items()
    ]
    rows = power.samples.filter(_.usable).filter(reduce(operator.or_, tests))
    bins = rows.mutate(bin=(_.start_us // (BIN_S * US)).cast("int64"))
    keys = ["node", "scope", "device", "bin"]
    means = bins.group_by(keys).agg(watts=total(_.milliwatts) / _.count() / 1000)
    table = engine.fetch(means.order_by(keys))
    return {
        str(node): part.pivot_table(index="bin", columns=["scope", "device"], values="watts")
        for node, part in table.groupby("node", sort=True)
    }
