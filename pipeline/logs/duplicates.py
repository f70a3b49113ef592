"""Rows that stand more than once: the same request or sample again, or another one that looks the same.

A cheap test that cannot miss a repeat runs first; only the rows that it suspects are compared whole. An id
says what
is the same request. Without one, equal rows are repeats unless the log would have them by chance: a load
test with
fixed lengths and stamps of whole seconds has many.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from pipeline.logs.engines import Engine

LENGTHS = ["input_tokens", "output_tokens"]
RESOLUTIONS_US = (1_000_000, 1000, 1)
MARGIN = 3.0  # repeats that are still chance, over those expected


def without_repeated_ids(engine: Engine, requests: ir.Table) -> tuple[ir.Table, int]:
    """Each id once: the row that gave most tokens, then the first; rows without an id all stay.

    Also how many usable rows were set aside so.
    """
    if "request" not in requests.columns:
        return requests, 0
    named = requests.filter(_.usable & _.request.notnull() & (_.request != ""))
    again = engine.keep(named.group_by("request").agg(n=_.count()).filter(_.n > 1))
    rows = engine.fetch(again.agg(rows=_.n.sum(), ids=_.count())).iloc[0]
    if not rows["ids"]:
        return requests, 0
    suspected = named.semi_join(again, "request")
    order = [
        ibis.desc("output_tokens"),
        *(name for name in suspected.columns if name not in ("reason", "output_tokens")),
    ]
    kept = suspected.mutate(place=ibis.row_number().over(ibis.window(group_by="request", order_by=order)))
    kept = kept.filter(_.place == 0).drop("place")
    rest = requests.filter(~_.usable | _.request.isnull() | (_.request == ""))
    return rest.union(named.anti_join(again, "request"), kept), int(rows["rows"] - rows["ids"])


def without_duplicate_requests(engine: Engine, requests: ir.Table) -> tuple[ir.Table, int, int]:
    """The usable rows once each plus all other rows, how many were repeats, and how many look equal by
    chance."""
    keys = ["start_us", *LENGTHS]
    suspects = engine.keep(requests.group_by(keys).agg(n=_.count()).filter(_.n > 1).drop("n"))
    if not int(engine.fetch(suspects.count())):
        return requests, 0, 0
    once, repeats = _once(engine, requests, suspects)
    if repeats and repeats <= MARGIN * _by_chance(engine, requests, suspects) + 0.5:
        return requests, 0, repeats
    return once, repeats, 0


def without_duplicate_samples(engine: Engine, samples: ir.Table, suspects: ir.Table) -> tuple[ir.Table, int]:
    """The same for power samples; `suspects` are the meters' windows in which two samples share a slot."""
    return _once(engine, samples, suspects)


def _by_chance(engine: Engine, requests: ir.Table, suspects: ir.Table) -> float:
    """Pairs of equal rows that are expected of this many rows, lengths and this fine a clock."""
    usable = requests.filter(_.usable)
    by_lengths = usable.group_by(LENGTHS).agg(n=_.count(), first=_.start_us.min(), last=_.start_us.max())
    sums = by_lengths.agg(
        pairs=(_.n.cast("float64") * _.n.cast("float64")).sum(), first=_["first"].min(), last=_["last"].max()
    )
    clock = suspects.agg(**{f"off_{us}": (_.start_us % us != 0).sum() for us in RESOLUTIONS_US})
    found, off = engine.fetch(sums).iloc[0], engine.fetch(clock).iloc[0]
    resolution = next(us for us in RESOLUTIONS_US if not off[f"off_{us}"])
    return float(found["pairs"]) * resolution / (2 * max(float(found["last"] - found["first"]), resolution))


def _once(engine: Engine, table: ir.Table, suspects: ir.Table) -> tuple[ir.Table, int]:
    if not int(engine.fetch(suspects.count())):
        return table, 0
    usable, keys = table.filter(_.usable), list(suspects.columns)
    suspected = usable.semi_join(suspects, keys)
    groups = suspected.group_by(list(suspected.columns)).agg(n=_.count()).filter(_.n > 1)
    repeats = engine.fetch(groups.agg(repeats=(_.n - 1).sum()))["repeats"].iloc[0]
    if not repeats or repeats != repeats:
        return table, 0
    rest = table.filter(~_.usable)
    return rest.union(usable.anti_join(suspects, keys), suspected.distinct()), int(repeats)
