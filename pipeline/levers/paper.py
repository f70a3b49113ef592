"""What the paper shows of levers: which rows stand for a system, tables, numbers of its text by flat keys.

`lever.phi-4.as-in-production.short.p50`, `lever.model-router.balanced-profile.short.p95`,
`lever-in-fp4.maia-200.short.p50`, `lever-scale.llama-3.1-405b.short.one.p50`, `lever.count.systems`,
`lever-needed.short.everything.share_for_8`, `assumed.levers.cached.share.median`;
`lever-step.short.overlap.models-first.prefix-caching.step_p50`, `lever-alone.short.graded.routing.step_p50`
(a lever that is pulled first gains what it gains alone), `lever-all.long.graded.cumulative_p50` (the whole
chain, whose order does not matter to what it gains).
"""

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.ingest.contract import GRADES, GRADES_IN_WORDS
from pipeline.levers.model.contract import BASELINE, BESIDE, CLAIMED_TOGETHER, COMBINATIONS, FITTED
from pipeline.levers.model.settings import Levers
from pipeline.report.formats import (
    Number,
    Row,
    all_assumed,
    as_given,
    by_keys,
    decimals,
    digits,
    numbers,
    percent,
    records,
    slug,
    table,
    with_bands,
)

MEASURED = "measured energy"  # how the basis of a gain begins
STATED = ("statement", "published range")
PRICE = "list price"  # basis of what is no energy
PLACE = ["group", "system", "regime"]
PRODUCTION = "as in production"
FOUR_BITS = " in fp4 against"
PER_TOKEN = "j_per_output_token_"
ENDS = {"one": 0, "many": -1}  # rows of a curve of size
BANDS = "Medians with the 90 % interval, or the middle, least and most of published values"


def as_in_production(systems: pd.DataFrame) -> pd.DataFrame:
    """LEVER_SYSTEMS rows of the fitted model: as in production, or each load where there is no such row."""
    rows = systems[systems["basis"].str.startswith(FITTED)]
    production = rows[rows["load"].isna()].drop_duplicates(PLACE)
    known = production.set_index(PLACE).index
    others = rows[~rows.set_index(PLACE).index.isin(known)].drop_duplicates([*PLACE, "load"])
    return pd.concat([production, others]).sort_index()


def prices(systems: pd.DataFrame) -> pd.DataFrame:
    """What the same work costs less by list price, which is no energy."""
    return systems[systems["basis"] == PRICE]


def share_for(needed: pd.DataFrame, regime: str, levers: str, gain: float) -> float:
    """Share of queries on small models at which the median of LEVER_NEEDED reaches a gain; else 1."""
    rows = needed[(needed["regime"] == regime) & (needed["levers"] == levers)].sort_values("routed_share")
    return float(np.interp(gain, np.maximum.accumulate(rows["gain_p50"]), rows["routed_share"]))


@table(
    "lever_systems",
    f"What every named system gains, by kind of evidence. {BANDS}; a bound has no middle. {GRADES_IN_WORDS}",
    {
        "group": "Kind",
        "system": "System",
        "regime": "Queries",
        "load": "Load or case",
        "compared": "Compared",
        "quantity": "Of",
        "basis": "Basis",
        "grade": "Grade",
        "gain": "Times less",
        "n_values": ("Values", decimals(0)),
        "published_low": ("Published, low", as_given),
        "published_high": ("high", as_given),
        "sources": ("Sources", lambda keys: keys.replace(";", "; ")),
    },
)
def systems(lever_systems: pd.DataFrame) -> pd.DataFrame:
    """With the gain in words."""
    return with_bands(lever_systems, gain="{}")


@table(
    "lever_hardware",
    f"The ladder of accelerators. {BANDS}. {GRADES_IN_WORDS}",
    {
        "chip": "Accelerator",
        "baseline": "Against",
        "regime": "Queries",
        "model": "Model",
        "precision": "Weights",
        "baseline_precision": "there",
        "load": "Load",
        "boundary": "Boundary",
        "basis": "Basis",
        "grade": "Grade",
        "gain": "Times less energy",
        "n_values": ("Values", decimals(0)),
        "missing": "Not published",
    },
)
def hardware(lever_hardware: pd.DataFrame) -> pd.DataFrame:
    """With the gain in words."""
    return with_bands(lever_hardware, gain="{}")


@table(
    "lever_scale",
    "Energy over the size of the system: median with the 90 % interval; a measured value alone.",
    {
        "configuration": "Configuration",
        "lengths": "Lengths",
        "kind": "Kind",
        "boundary": "Boundary",
        "users": ("Concurrent requests", digits(3)),
        "instances": "Instances",
        "energy": "J per output token",
        "wh_per_query_p50": ("Wh a query", digits(3)),
    },
)
def scale(lever_scale: pd.DataFrame) -> pd.DataFrame:
    """With the energy in words."""
    return with_bands(lever_scale, energy=PER_TOKEN + "{}")


@table(
    "lever_combinations",
    "Levers one after another on the mean query of the blend: times less energy by step and together, "
    "median with the 90 % interval, and in how much of our simulated services the "
    "gain so far is 8 to 20. Combinations: "
    + "; ".join(f"{name}, {words}" for name, words in COMBINATIONS.items())
    + ".",
    {
        "regime": "Queries",
        "combination": "Combination",
        "sequence": "Order",
        "lever": "Lever",
        "in_practice": "Done already",
        "grade": "Grade",
        "step": "Step",
        "together": "Together",
        "left": "Wh left",
        "worlds_8_to_20": ("8 to 20 times in", percent),
    },
)
def combinations(lever_combinations: pd.DataFrame) -> pd.DataFrame:
    """Every step, with its gains and what is left in words."""
    rows = lever_combinations[lever_combinations["group"] != BASELINE]
    rows = rows.assign(how=rows["combination"].map(COMBINATIONS))
    return with_bands(rows, step="step_{}", together="cumulative_{}", left="energy_wh_{}")


@table(
    "lever_evidence",
    "The published rows on which levers rest, each with its regime: energy, throughput, cost and speed "
    "are kept apart by their unit, and only energy and throughput at rated power give a gain.",
    {
        "system": "System",
        "quantity": "What was measured or stated",
        "subject": "Of",
        "regime": "Queries",
        "load": "Load",
        "shown": "Value",
        "unit": "Unit",
        "boundary": "Boundary",
        "grade": "Grade",
        "source": "Source",
    },
)
def evidence(levers: pd.DataFrame) -> pd.DataFrame:
    """With the value as it was published."""
    return levers.assign(shown=[as_published(row) for row in records(levers)])


def as_published(row: Row) -> str:
    """`1.9 (0.63–2.51)`, `1.28–1.52`, `up to 5` or `1.5`, as published."""
    value, low, high = (_three_digits(row[end]) for end in ("value", "low", "high"))
    ends = f"{low}–{high}" if low and high else f"up to {high}" if high else f"from {low}" if low else ""
    if not value or value == high:
        return ends or value
    return f"{value} ({ends})" if ends else value


def _three_digits(number: float) -> str:
    return "" if pd.isna(number) else as_given(float(f"{number:.3g}"))


@numbers("levers")
def of_levers(
    lever_combinations: pd.DataFrame,
    lever_systems: pd.DataFrame,
    lever_hardware: pd.DataFrame,
    lever_scale: pd.DataFrame,
    lever_needed: pd.DataFrame,
    *,
    levers: Levers,
) -> dict[str, Number]:
    """Keys of steps and chains, of single systems and chips, of what a gain takes, and of settings."""
    steps = lever_combinations
    last = steps.groupby(["regime", "combination", "sequence"])["order"].transform("max")
    chains = steps[steps["order"] == last].drop_duplicates(["regime", "combination"])
    ours = as_in_production(lever_systems)
    fitted = lever_systems[
        lever_systems["basis"].str.startswith(FITTED) & (lever_systems["group"] == "hardware")
    ]
    found = by_keys(
        ("lever-step", steps, ["regime", "combination", "sequence", "lever"]),
        ("lever-alone", steps[steps["order"] == 1], ["regime", "combination", "group"]),
        ("lever-all", chains, ["regime", "combination"]),
        ("lever", ours.assign(case=ours["load"].fillna(PRODUCTION)), ["system", "case", "regime"]),
        ("lever-price", prices(lever_systems), ["system", "load"]),
        (
            "lever-in-fp4",
            fitted[fitted["compared"].str.contains(FOUR_BITS, regex=False)],
            ["system", "regime"],
        ),
        (
            "lever-chip",
            lever_hardware[lever_hardware["basis"] == FITTED],
            ["chip", "model", "precision", "boundary", "regime"],
        ),
        (
            "lever-chip-measured",
            lever_hardware[lever_hardware["basis"] == MEASURED].assign(
                case=lambda table: np.where(table["load"].str.startswith("the same"), "same", "best")
            ),
            ["chip", "case"],
        ),
        ("lever-scale", _ends(lever_scale), ["model", "lengths", "end"]),
    )
    for regime in REGIMES:
        for beside in BESIDE:
            share = share_for(lever_needed, regime, beside, CLAIMED_TOGETHER[0])
            found[f"lever-needed.{regime}.{slug(beside)}.share_for_8"] = share
    found |= {
        "lever.count.systems": int(lever_systems["system"].nunique()),
        "lever.count.rows": len(lever_systems),
    }
    for name, rows in lever_systems.groupby("grade"):
        found[f"lever.count.grade.{str(name).lower()}"] = len(rows)
    found |= {f"grades.{name.lower()}": words for name, words in GRADES.items()}
    return found | all_assumed("assumed.levers", levers)


def _ends(scale: pd.DataFrame) -> pd.DataFrame:
    """Both ends of every fitted curve, J per output token."""
    rows = scale[scale["kind"] == "fitted"].sort_values("users", kind="stable")
    rows = rows.assign(model=rows["configuration"].str.split(",").str[0])
    curves = rows.groupby(["model", "lengths"], sort=False)
    ends = pd.concat([curves.nth(at).assign(end=name) for name, at in ENDS.items()])
    return ends.rename(columns=lambda name: name.removeprefix(PER_TOKEN))
