"""Every number of the levers together that the text may use, by one flat key each.

`lever-step.short.overlap.models-first.prefix-caching.step_p50`, `lever-alone.short.graded.routing.step_p50`
(a lever that is pulled first gains what it gains alone), `lever-all.long.graded.cumulative_p50` (the whole
chain, whose order does not matter to what it gains).
"""

import pandas as pd

from pipeline.present.numbers import Number, by_key


def collect_levers(combinations: pd.DataFrame) -> dict[str, Number]:
    """All keys and values; combinations: as in contracts.levers.LEVER_COMBINATIONS."""
    last = combinations.groupby(["regime", "combination", "sequence"])["order"].transform("max")
    chains = combinations[combinations["order"] == last].drop_duplicates(["regime", "combination"])
    first = combinations[combinations["order"] == 1]
    numbers: dict[str, Number] = {}
    for prefix, table, names in [
        ("lever-step", combinations, ["regime", "combination", "sequence", "lever"]),
        ("lever-alone", first, ["regime", "combination", "group"]),
        ("lever-all", chains, ["regime", "combination"]),
    ]:
        numbers |= by_key(prefix, table, names)
    return numbers
