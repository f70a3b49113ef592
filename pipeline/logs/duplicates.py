"""Rows that stand more than once: all but one are set aside.

A cheap test that cannot miss a duplicate runs first; only the rows that it suspects are compared whole.
"""

import ibis.expr.types as ir
from ibis import _

from pipeline.logs.engines import Engine
from pipeline.logs.rows import MAXIMUM_TOKENS


def without_duplicate_requests(engine: Engine, requests: ir.Table) -> tuple[ir.Table, int]:
    """The usable rows once each plus all other rows, and how many usable rows were repeats."""
    usable = requests.filter(_.reason.isnull())
    keyed = usable.mutate(tokens_key=_.input_tokens * MAXIMUM_TOKENS + _.output_tokens)
    keys = ["start_us", "tokens_key"]
    suspects = engine.keep(keyed.group_by(keys).agg(n=_.count()).filter(_.n > 1).drop("n"))
    return _once(engine, requests, keyed, suspects, keys)


def without_duplicate_samples(engine: Engine, samples: ir.Table, suspects: ir.Table) -> tuple[ir.Table, int]:
    """The same for power samples; `suspects` are the meters' windows in which two samples share a slot."""
    usable = samples.filter(_.reason.isnull())
    return _once(engine, samples, usable, suspects, list(suspects.columns))


def _once(
    engine: Engine, table: ir.Table, usable: ir.Table, suspects: ir.Table, keys: list[str]
) -> tuple[ir.Table, int]:
    if not int(engine.fetch(suspects.count())):
        return table, 0
    suspected = usable.semi_join(suspects, keys)
    groups = suspected.group_by(list(suspected.columns)).agg(n=_.count()).filter(_.n > 1)
    repeats = engine.fetch(groups.agg(repeats=(_.n - 1).sum()))["repeats"].iloc[0]
    if not repeats or repeats != repeats:
        return table, 0
    columns = list(table.columns)
    parts = [table.filter(_.reason.notnull()), usable.anti_join(suspects, keys), suspected.distinct()]
    once, rest = parts[0].select(columns), [part.select(columns) for part in parts[1:]]
    return once.union(*rest), int(repeats)
