"""Every number of the levers that the text may use, by one flat key each.

`lever.phi-4.as-in-production.short.p50`, `lever.model-router.balanced-profile.short.p95`,
`lever-in-fp4.maia-200.short.p50`, `lever-scale.llama-3.1-405b.short.one.p50`, `lever.count.systems`,
`lever-needed.short.everything.share_for_8`, `assumed.levers.cached_share.median`;
`lever-step.short.overlap.models-first.prefix-caching.step_p50`, `lever-alone.short.graded.routing.step_p50`
(a lever that is pulled first gains what it gains alone), `lever-all.long.graded.cumulative_p50` (the whole
chain, whose order does not matter to what it gains).
"""

import pandas as pd

from pipeline.assumptions.levers import Levers
from pipeline.contracts.levers import BESIDE, CLAIMED_TOGETHER
from pipeline.contracts.published import GRADES
from pipeline.contracts.results import REGIMES
from pipeline.present.lever_rows import FITTED, as_in_production, prices, share_for
from pipeline.present.numbers import Number, assumed, by_key, slug

PRODUCTION = "as in production"
FOUR_BITS = " in fp4 against"
PER_TOKEN = "j_per_output_token_"
ENDS = {"one": 0, "many": -1}  # rows of a curve of size


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


def collect_lever_systems(
    systems: pd.DataFrame, scale: pd.DataFrame, needed: pd.DataFrame, settings: Levers
) -> dict[str, Number]:
    """Keys of single systems, of what a gain takes, and of settings.

    Tables: LEVER_SYSTEMS, LEVER_SCALE and LEVER_NEEDED of contracts.levers.
    """
    ours = as_in_production(systems)
    ours = ours.assign(case=ours["load"].fillna(PRODUCTION))
    fitted = systems["basis"].str.startswith(FITTED) & (systems["group"] == "hardware")
    four_bits = systems[fitted & systems["compared"].str.contains(FOUR_BITS, regex=False)]
    numbers = by_key("lever", ours, ["system", "case", "regime"])
    numbers |= by_key("lever-price", prices(systems), ["system", "load"])
    numbers |= by_key("lever-in-fp4", four_bits, ["system", "regime"])
    numbers |= by_key("lever-scale", _ends(scale), ["model", "lengths", "end"])
    for regime in REGIMES:
        for beside in BESIDE:
            share = share_for(needed, regime, beside, CLAIMED_TOGETHER[0])
            numbers[f"lever-needed.{regime}.{slug(beside)}.share_for_8"] = share
    numbers["lever.count.systems"] = int(systems["system"].nunique())
    numbers["lever.count.rows"] = len(systems)
    for name, rows in systems.groupby("grade"):
        numbers[f"lever.count.grade.{str(name).lower()}"] = len(rows)
    numbers |= {f"grades.{name.lower()}": words for name, words in GRADES.items()}
    for name in type(settings).model_fields:
        numbers |= dict(assumed(f"assumed.levers.{name}", getattr(settings, name)))
    return numbers


def _ends(scale: pd.DataFrame) -> pd.DataFrame:
    """Both ends of every fitted curve, J per output token."""
    rows = scale[scale["kind"] == "fitted"].sort_values("users", kind="stable")
    rows = rows.assign(model=rows["configuration"].str.split(",").str[0])
    curves = rows.groupby(["model", "lengths"], sort=False)
    ends = pd.concat([curves.nth(at).assign(end=name) for name, at in ENDS.items()])
    return ends.rename(columns=lambda name: name.removeprefix(PER_TOKEN))
