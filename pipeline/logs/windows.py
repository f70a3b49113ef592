"""Energy and tokens of each node and window, and what a unit of token weight costs there.

Tables, all far smaller than the logs (a row a node and window, or a few):
meters: node, scope, device, window, reason -> samples, milliwatts (sum), slots (one bit a part of the
window)
spans:  node, first, last, reason -> requests, weight_first, weight_between, weight_last (sums)
grid:   node, window -> energy_uj, samples, weight, uj_per_weight, ...
"""

from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from pipeline.logs.contract import REQUEST_REASONS
from pipeline.logs.settings import MICROSECONDS_PER_SECOND, Settings

SLOTS = 62  # bits of a whole number that are safe from its sign
STEPS_PER_UJ = 10_000_000  # resolution of the running sum of uj_per_weight
COVERED, NOT_COVERED, CLOCK_WENT_BACK = 0, 1, 2
PARTLY = "partly_under_power"
NOT_SERVED = ("failed_request", "outside_power_log")  # of no window that has power


@ibis.udf.scalar.builtin(name="bit_count", signature=(("int64",), "int64"))
def bit_count(bits: Any) -> Any:
    """Bits that are set; both engines have the function under this name."""


@ibis.udf.agg.builtin(name="bit_or", signature=(("int64",), "int64"))
def bit_or(bits: Any) -> Any:
    """All bits that are set in any row; Ibis knows it for DuckDB only."""


def total(values: ir.NumericColumn) -> ir.IntegerScalar:
    """Sum of whole numbers; an overflow is an error in both engines."""
    return values.sum().fill_null(0).cast("int64")


def meters(samples: ir.Table, settings: Settings) -> ir.Table:
    """Samples of each meter and base window, also of those that are not used."""
    offset = samples.start_us - samples.window * settings.base_window_us
    slot = (offset * SLOTS // settings.base_window_us).cast("int64")
    # cast, because Spark takes a bare 1 for a number of 32 bits
    marked = samples.mutate(slot_bit=ibis.literal(1, "int8").cast("int64") << slot)
    return marked.group_by(
        ["node", "scope", "device", "window", "reason"]).agg(samples=_.count(),
        milliwatts=total(_.milliwatts), slots=bit_or(marked.slot_bit), first_us=_.start_us.min(),
        last_us=_.start_us.max(), zoned=total(_.zoned), timed=total(_.timed),
    )  # fmt: skip


def in_windows(of: ir.Table, several: int) -> ir.Table:
    """The same in windows of several base windows."""
    if several == 1:
        return of
    table = of.mutate(window=(_.window // several).cast("int64"))
    return table.group_by(
        ["node", "scope", "device", "window", "reason"]).agg(samples=total(_.samples),
        milliwatts=total(_.milliwatts), first_us=_.first_us.min(), last_us=_.last_us.max(),
        zoned=total(_.zoned), timed=total(_.timed),
    )  # fmt: skip


def suspected_meters(of: ir.Table) -> ir.Table:
    """Windows of a meter in which two samples share a slot: repeats are among them, or there are none."""
    crowded = of.filter(_.reason.isnull() & (bit_count(_.slots) < _.samples))
    return crowded.select("node", "scope", "device", "window")


def powered_spans(of: ir.Table, intervals: ir.Table) -> ir.Table:
    """node, scope -> t0_us, t1_us between which its meters are read, and devices: meters, also dead ones."""
    there = of.filter(_.node.notnull() & _.window.notnull())
    devices = there.group_by(["node", "scope"]).agg(devices=_.device.nunique())
    usable = of.filter(_.reason.isnull()).left_join(intervals, ["node", "scope", "device"])
    usable = usable.mutate(until_us=_.last_us + _.interval_us)
    spans_of = usable.group_by(["node", "scope"]).agg(t0_us=_.first_us.min(), t1_us=_.until_us.max())
    return spans_of.inner_join(devices, ["node", "scope"])


def node_power(of: ir.Table, intervals: ir.Table, powered: ir.Table, settings: Settings) -> ir.Table:
    """Energy at the node of each node, window and scope; `chosen` marks the one scope that is used.

    energy_uj fills gaps of a covered window with the window's own mean; measured_uj does not. A window
    counts as covered when every meter of the node and scope has enough of the samples that its own interval
    gives while the log lasts; more than the clock allows means that it was set back. Power at the wall goes
    before that of accelerators, which becomes the node's by the line of `settings.node`.
    """
    usable = of.filter(_.reason.isnull()).left_join(intervals, ["node", "scope", "device"])
    usable = usable.select("node", "scope", "device", "window", "samples", "milliwatts", "interval_us")
    usable = usable.inner_join(powered, ["node", "scope"])
    start = usable.window * settings.window_us
    inside = ibis.least(start + settings.window_us, usable.t1_us) - ibis.greatest(start, usable.t0_us)
    usable = usable.mutate(inside_us=ibis.greatest(inside, 1))
    expected = usable.inside_us / usable.interval_us
    least = ibis.greatest((expected * settings.minimum_coverage).floor(), 1)
    most = expected * (2 - settings.minimum_coverage) + 1
    # milliwatts x microseconds are nanojoules
    usable = usable.mutate(
        mean_uj=(usable.milliwatts / usable.samples * usable.inside_us / 1000 + 0.5).floor().cast("int64"),
        read_uj=(usable.milliwatts * (usable.interval_us / 1000) + 0.5).floor().cast("int64"),
        enough=(usable.samples >= least).cast("int64"),
        too_many=(usable.samples > most).cast("int64"),
    )
    scopes = usable.group_by(
        ["node", "scope", "window", "devices"]).agg(samples=total(_.samples),
        inside_us=_.inside_us.max(), mean_uj=total(_.mean_uj), read_uj=total(_.read_uj),
        enough=total(_.enough), too_many=total(_.too_many),
    )  # fmt: skip
    scopes = scopes.mutate(
        fault=ibis.cases(
            (_.too_many > 0, CLOCK_WENT_BACK), (_.enough < _.devices, NOT_COVERED), else_=COVERED
        ).cast("int64")
    )
    of_gpu = scopes.scope == "gpu"
    assert settings.node is not None
    slope, fixed_w = settings.node.line(scopes.node)
    whole_node = ibis.ifelse(
        of_gpu, scopes.mean_uj * slope + fixed_w * scopes.devices * scopes.inside_us, scopes.mean_uj
    )
    read = ibis.ifelse(of_gpu, scopes.read_uj * slope, scopes.read_uj * 1.0)
    scopes = scopes.mutate(
        filled_uj=(whole_node + 0.5).floor().cast("int64"),
        measured_uj=(read + 0.5).floor().cast("int64"),
        device_uj=ibis.ifelse(of_gpu, scopes.mean_uj, 0).cast("int64"),
    )
    scopes = scopes.mutate(energy_uj=ibis.ifelse(_.fault == COVERED, _.filled_uj, _.measured_uj))
    best = ibis.window(group_by=["node", "window"], order_by=[_.fault != COVERED, _.scope == "gpu"])
    return scopes.mutate(
        chosen=ibis.row_number().over(best) == 0).select("node", "scope", "window", "samples", "fault",
        "energy_uj", "measured_uj", "device_uj", "inside_us", "chosen",
    )  # fmt: skip


def spans(requests: ir.Table) -> ir.Table:
    """Requests and token weights of each node, first and last window, also of those that are not used."""
    return requests.group_by(
        ["node", "first", "last", "reason"]).agg(requests=_.count(), weight_first=total(_.weight_first),
        weight_between=total(_.weight_between), weight_last=total(_.weight_last), zoned=total(_.zoned),
        timed=total(_.timed),
    )  # fmt: skip


def grid_sums(power: ir.Table, of_spans: ir.Table) -> ir.Table:
    """Every node and window with power or tokens: _PART, summed.

    A request that covers whole windows adds the same weight to each: +weight at the first of them and
    -weight after the last, and a running sum over the node's windows, instead of a row a request and
    window.
    """
    usable = of_spans.filter(_.reason.isnull())
    several, long = usable.filter(_.last > _.first), usable.filter(_.last > _.first + 1)
    not_served = [REQUEST_REASONS.index(name) for name in NOT_SERVED]
    unusable = of_spans.filter(_.reason.notnull() & _.reason.notin(not_served))
    unusable = unusable.filter(_.node.notnull() & _.first.notnull())
    parts = [
        _part(power.filter(_.chosen), "window", samples=_.samples, energy_uj=_.energy_uj,
        device_uj=_.device_uj, fault=_.fault, powered=1), _part(usable, "first", weight=_.weight_first),
        _part(several, "last", weight=_.weight_last),
        _part(long.mutate(second=_.first + 1), "second", change=_.weight_between),
        _part(long, "last", change=-_.weight_between), _part(unusable, "first", unusable=_.requests),
    ]  # fmt: skip
    sums = parts[0].union(*parts[1:]).group_by(["node", "window"])
    return sums.agg(**{name: total(_[name]) for name in _PART})


def grid(sums: ir.Table, settings: Settings) -> ir.Table:
    """The same with the energy of one unit of token weight, its running sums, and what the window was."""
    so_far = ibis.window(group_by="node", order_by="window", preceding=None, following=0)
    table = sums.mutate(weight=_.weight + _.change.sum().over(so_far).cast("int64"))
    table = table.mutate(covered=((_.powered == 1) & (_.fault == COVERED)).cast("int64"))
    serving = (_.covered == 1) & (_.weight > 0)
    table = table.mutate(uj_per_weight=ibis.ifelse(serving, _.energy_uj / _.weight, 0.0))
    table = table.mutate(step=(_.uj_per_weight * STEPS_PER_UJ + 0.5).floor().cast("int64"))
    return table.mutate(
        steps=_.step.sum().over(so_far).cast("int64"),
        windows_covered=_.covered.sum().over(so_far).cast("int64"),
        node_covered=_.covered.max().over(ibis.window(group_by="node")),
        outcome=ibis.cases(
            (_.powered == 0, "no_power"),
            (_.fault == CLOCK_WENT_BACK, "clock_went_back"),
            (_.fault == NOT_COVERED, "window_not_covered"),
            (_.weight > 0, "serving"),
            (_.unusable > 0, "only_unusable_requests"),
            else_="idle",
        ),
        hour=(_.window * settings.window_us // (3600 * MICROSECONDS_PER_SECOND)).cast("int64"),
    ).drop("change", "step")


def priced_spans(of_spans: ir.Table, of_grid: ir.Table) -> ir.Table:
    """The usable spans with the energy of a unit of weight in their first, last and middle windows.

    `outcome` is `used` when every window that the span touches has power.
    """
    first = of_grid.select(
        "node", "uj_per_weight", "steps", "windows_covered", "node_covered", first="window",
        first_covered="covered",
    )  # fmt: skip
    last = of_grid.select(
        "node", last="window", uj_per_weight_last="uj_per_weight", steps_last="steps",
        windows_covered_last="windows_covered", last_covered="covered",
        step_last=(_.uj_per_weight * STEPS_PER_UJ + 0.5).floor().cast("int64"),
    )  # fmt: skip
    table = of_spans.filter(_.reason.isnull()).drop("reason", "zoned", "timed")
    table = table.inner_join(first, ["node", "first"]).inner_join(last, ["node", "last"])
    covered = _.windows_covered_last - _.windows_covered + _.first_covered
    of_ends = _.first_covered + ibis.ifelse(_.last > _.first, _.last_covered, 0)
    between = ibis.ifelse(_.last > _.first + 1, (_.steps_last - _.step_last - _.steps) / STEPS_PER_UJ, 0.0)
    return table.mutate(
        uj_per_weight_between=between, between_covered=(covered - of_ends).cast("int64"),
        outcome=ibis.cases((_.node_covered == 0, "node_without_power"),
        (covered == 0, "window_without_power"), (covered < _.last - _.first + 1, PARTLY), else_="used"),
    )  # fmt: skip


def covered_weight() -> ir.IntegerValue:
    """The part of a request's weight that lies in windows with power."""
    return (
        _.weight_first * _.first_covered
        + _.weight_last * _.last_covered
        + _.weight_between * _.between_covered
    )


def energy_uj() -> ir.IntegerValue:
    """Energy at the node, from the weights and the prices of the windows; whole microjoules."""
    energy = (
        _.weight_first * _.uj_per_weight
        + _.weight_last * _.uj_per_weight_last
        + _.weight_between * _.uj_per_weight_between
    )
    return (energy + 0.5).floor().cast("int64")


_PART = ("samples", "energy_uj", "device_uj", "fault", "powered", "weight", "change", "unusable")


def _part(table: ir.Table, window: str, **values: ir.Value | int) -> ir.Table:
    whole = {name: ibis.literal(0, "int64") for name in _PART} | values
    typed = {
        name: (ibis.literal(value, "int64") if isinstance(value, int) else value.cast("int64"))
        for name, value in whole.items()
    }
    return table.select("node", window=table[window].cast("int64"), **typed)
