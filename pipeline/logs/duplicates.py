"""Rows that stand more than once: all but one are set aside.

A cheap test that cannot miss a duplicate runs first; only the rows that it suspects are compared whole.
"""

import ibis.expr.types as ir
from ibis import _

from pipeline.logs.engines import Engine


def without_duplicate_requests(engine: Engine, requests: ir.Table) -> tuple[ir.Table, int]:
    """The usable rows once each plus all other rows, and how many usable rows were repeats."""
    keys = ["start_us", "input_tokens", "output_tokens"]
    suspects = engine.keep(requests.group_by(keys).agg(n=_.count()).filter(_.n > 1).drop("n"))
    return _once(engine, requests, suspects)


def without_duplicate_samples(engine: Engine, samples: ir.Table, suspects: ir.Table) -> tuple[ir.Table, int]:
    """The same for power samples; `suspects` are the meters' windows in which two samples share a slot."""
    return _once(engine, samples, suspects)


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
