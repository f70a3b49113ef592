"""Contracts of the levers: what each gains, on what evidence, and what they gain together.

A gain is how many times less energy the same work takes, so below 1 it is a loss. Bands are over what is not
known, unless `n_values` says that they are the least, the middle and the largest of so many published values.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import (
    NOT_NEGATIVE,
    REGIME_WORDS,
    REGIMES,
    SHARE,
    Regime,
    band,
    count,
    number,
    row_check,
    schema,
    text,
    word,
)
from pipeline.core.errors import InputError
from pipeline.ingest.contract import GRADES, LEVER_GROUPS, grade

PERCENTILES = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
FIVE = " ".join(PERCENTILES)
# On what a gain rests, best first.
BASES = [
    "measured energy",
    "published throughput and rated power",
    "fitted model",
    "fitted model with published settings",
    "published range",
    "simulation",
    "statement",
    "list price",
]
# What a bound says of the gain: `up to` and `more than` in the source. It is no estimate of the middle.
BOUNDS = ["upper bound", "lower bound"]
COMBINATIONS = {
    "naive": "the published ranges multiplied, as if independent",
    "overlap": "each lever on what the ones before have left, all evidence",
    "graded": "as overlap, with levers of grade A or B alone",
    "overlap to come": "as overlap, without levers that services have in production already",
    "graded to come": "as graded, without levers that services have in production already",
}
GOOD = ("A", "B")  # grades of the graded combinations
TO_COME = " to come"  # how combinations end that leave out what services have already
# What a group of levers is called, and all of them.
TOGETHER = {
    "routing": "Task-sized models with routing",
    "serving": "Disaggregated and adaptive serving",
    "hardware": "Next-generation accelerators",
    "datacentre": "Best site",
    "combined": "All levers together",
}
# Groups of levers that are applied beside small models for a share of the queries.
BESIDE = {
    "nothing else": (),
    "serving": ("serving",),
    "serving and site, same accelerators": ("serving", "datacentre"),
    "next accelerators and four bits": ("hardware",),
    "everything": ("serving", "hardware", "datacentre"),
}
# Groups in the order of each sequence, the levers of each backwards; none: levers as they are declared.
SEQUENCES: dict[str, tuple[str, ...]] = {
    "models first": (),
    "hardware first": ("hardware", "datacentre", "serving", "routing", "models"),
}
CLAIMED_TOGETHER = (8.0, 20.0)  # the published combined gain, which columns are named after
_MODELS = ("blog.models", 5.0, 10.0)
# Claims of the published analysis that gains stand beside, by group of levers: key, low, high of
# data/published/claims.csv. They stand here too, so that a new claim there reruns no lever; a test compares.
CLAIMS = {
    "models": _MODELS,
    "routing": _MODELS,
    "serving": ("blog.serving", None, 5.0),
    "hardware": ("blog.hardware", 1.5, 2.5),
    "combined": ("blog.combined", *CLAIMED_TOGETHER),
}
SHARES = tuple(tenths / 10 for tenths in range(11))  # of the queries on small models
USERS = tuple(float(2**power) for power in range(17))  # 1 to 65,536
BENCHMARK = "benchmark"
KINDS = ["fitted", "fitted, one instance", "measured", "measured accelerators, modelled rest"]
LENGTHS = [*REGIMES, BENCHMARK]
LEVER_REGIMES: tuple[Regime, ...] = (*REGIMES, "agent step")  # a task gains what its steps gain
TASK = "task"  # of an agent: many short outputs on long inputs
BASELINE = "baseline"
PER_TOKEN = "j_per_output_token_{}"


def _within(gain: str) -> dict[str, pa.Column]:
    """How much of what is held possible agrees with the published combined gain."""
    return {
        "worlds_8_to_20": number(f"share of the epistemic samples with {gain} of 8 to 20", SHARE),
        "worlds_at_least_8": number("share of the epistemic samples with at least 8", SHARE),
        "worlds_at_least_20": number("share of the epistemic samples with at least 20", SHARE),
    }


def _ordered(prefix: str = "") -> pa.Check:
    def ordered(table: pd.DataFrame) -> pd.Series:
        steps = table[[f"{prefix}{name}" for name in PERCENTILES]].to_numpy(dtype=float)
        frame = pd.DataFrame(steps).ffill(axis=1)
        return pd.Series(~(frame.diff(axis=1) < -1e-12).any(axis=1).to_numpy(), index=table.index)

    return row_check(f"{prefix}p50", "percentiles in rising order", ordered)


def _bounded() -> list[pa.Check]:
    """A median exactly where there is no bound, else the one end that the bound is."""

    def middle(table: pd.DataFrame) -> pd.Series:
        return table["p50"].notna() == table["bound"].isna()

    def end(table: pd.DataFrame) -> pd.Series:
        upper, lower = (table["bound"] == bound for bound in BOUNDS)
        fits = (table["p95"].notna() & table["p5"].isna(), table["p5"].notna() & table["p95"].isna())
        return table["bound"].isna() | (upper & fits[0]) | (lower & fits[1])

    return [
        row_check("p50", "a median, unless the row is a bound", middle),
        row_check("bound", "p95 alone for an upper bound, p5 alone for a lower bound", end),
    ]


_EVIDENCE = {"basis": word("what it rests on", BASES), "grade": grade()}
_GAIN = {
    "bound": word(
        "what the source gives is a bound: p95 or p5 alone; blank: no bound", BOUNDS, nullable=True
    ),
    **band("energy before over energy after", wanted=FIVE, nullable=True),
    "mc_error_p50": number("Monte Carlo standard error of p50; blank: no draws", NOT_NEGATIVE, nullable=True),
    "n_values": number("published values behind it; blank: draws", nullable=True),
}
_SOURCES = {
    "evidence": text(
        "rows of data/published/levers.csv or routers.csv, separated by semicolons", nullable=True
    ),
    "sources": text("keys of paper/references.bib, separated by semicolons"),
    "note": text("what else matters", nullable=True),
}
_REGIME = word(REGIME_WORDS, [*LEVER_REGIMES])

SYSTEM_KEYS = ["group", "system", "regime", "load", "compared", "basis", "grade", "bound", "sources"]

LEVER_SYSTEMS = schema(
    {
        "group": word("kind of lever", LEVER_GROUPS),
        "system": text("named system"),
        "regime": word(f"{REGIME_WORDS}; task: a web task of an agent", [*LEVER_REGIMES, TASK]),
        "load": text("requests in flight, profile, benchmark, rival; blank: as in production", nullable=True),
        "compared": text("what is compared with what"),
        "quantity": word("of what the gain is", ["energy", "price"]),
        "boundary": word("what the energy includes", ["gpu", "node", "facility", "not-stated"]),
        **_EVIDENCE,
        **_GAIN,
        **band("the same at the accelerators alone; blank: not modelled", "gpu_{}", nullable=True),
        "published_claim": text("claim that it belongs to: key of data/published/claims.csv", nullable=True),
        "published_low": number("lower end of the claim", NOT_NEGATIVE, nullable=True),
        "published_high": number("upper end of the claim", NOT_NEGATIVE, nullable=True),
        **_SOURCES,
    },
    "What every named system gains, in its regime: one kind of evidence a row.",
    checks=[
        _ordered(),
        *_bounded(),
        row_check("system", "nothing said twice", lambda table: ~table.duplicated(SYSTEM_KEYS)),
    ],
)

LEVER_HARDWARE = schema(
    {
        "chip": text("accelerator, as in data/published/hardware.csv"),
        "baseline": text("accelerator that it is compared with"),
        "regime": _REGIME,
        "model": text("model that is served"),
        "precision": word("of the weights on the chip", ["fp4", "fp8", "bf16", "not stated", "several"]),
        "baseline_precision": word(
            "of the weights on the baseline", ["fp4", "fp8", "bf16", "not stated", "several"]
        ),
        "load": text("requests in flight"),
        "boundary": word("what the energy includes", ["gpu", "facility", "not-stated"]),
        **_EVIDENCE,
        **_GAIN,
        "gpus": number("accelerators of the instance; blank: several", nullable=True),
        "baseline_gpus": number("accelerators of the instance on the baseline", nullable=True),
        "rated_w": number("rated power of the chip, W", nullable=True),
        "missing": text("what no source says of the chip, and what stands for it", nullable=True),
        **_SOURCES,
    },
    "Accelerators compared: times less energy than the baseline, all evidence apart.",
    checks=[_ordered(), *_bounded()],
)

LEVER_SCALE = schema(
    {
        "configuration": text("model, accelerators, precision"),
        "lengths": word("of the queries: a regime, or those of the benchmark", LENGTHS),
        "users": number("requests in flight on all instances together"),
        "instances": count("instances that serve them", pa.Check.gt(0)),
        "gpus": count("accelerators of all instances", pa.Check.gt(0)),
        "requests_per_instance": number("requests in flight on each"),
        "kind": word("how the value came about", KINDS),
        "boundary": word("what the energy includes", ["gpu", "facility"]),
        **band("J per output token", PER_TOKEN, FIVE, nullable=True),
        "mc_error_p50": number(
            "Monte Carlo standard error of p50; blank: measured", NOT_NEGATIVE, nullable=True
        ),
        "wh_per_query_p50": number("Wh of the mean query, median", NOT_NEGATIVE),
        "sources": text("keys of paper/references.bib, separated by semicolons"),
    },
    "Energy over the size of the system, from one user on one instance to many saturated ones.",
    checks=[_ordered("j_per_output_token_")],
)

LEVER_NEEDED = schema(
    {
        "regime": _REGIME,
        "levers": word("which levers are applied beside the models and routing", list(BESIDE)),
        "routed_share": number("share of the queries that small models take", SHARE),
        **band("energy before all levers over energy after", "gain_{}", FIVE),
        "mc_error_gain_p50": number("Monte Carlo standard error of gain_p50", NOT_NEGATIVE),
        **_within("a gain"),
    },
    "What a combined gain takes: over the share of queries on small models, with and without the rest.",
    checks=[_ordered("gain_")],
)

LEVER_COMBINATIONS = schema(
    {
        "regime": _REGIME,
        "combination": word("how the gains are put together", list(COMBINATIONS)),
        "sequence": word("which lever comes first", list(SEQUENCES)),
        "order": count("position in the sequence; 0: before any lever", NOT_NEGATIVE),
        "group": word("kind of lever", [*LEVER_GROUPS, BASELINE]),
        "lever": text("what is applied"),
        "grade": word("weakest evidence of the step; blank: baseline", list(GRADES), nullable=True),
        "in_practice": word("whether services have it in production already", ["yes", "no"]),
        **band("energy before the step over energy after", "step_{}", FIVE),
        **band("energy before all levers over energy after the step", "cumulative_{}", FIVE),
        **band("facility energy of the mean query after the step, Wh", "energy_wh_{}", FIVE),
        "mc_error_cumulative_p50": number("Monte Carlo standard error of cumulative_p50", NOT_NEGATIVE),
        "mc_error_energy_wh_p50": number("Monte Carlo standard error of energy_wh_p50", NOT_NEGATIVE),
        **_within("a cumulative gain"),
        "note": text("what else matters", nullable=True),
    },
    "Levers one after another: gain of each step, of all steps so far, and the energy that is left.",
    checks=[
        _ordered("step_"),
        _ordered("cumulative_"),
        _ordered("energy_wh_"),
        row_check(
            "grade",
            f"one of {', '.join(GOOD)} in graded combinations",
            lambda table: (
                ~table["combination"].str.startswith("graded")
                | table["grade"].isin(GOOD)
                | (table["order"] == 0)
            ),
        ),
        row_check(
            "in_practice",
            "no where the gain is still to come",
            lambda table: ~table["combination"].str.endswith(TO_COME) | (table["in_practice"] == "no"),
        ),
    ],
)

TABLES = {
    "lever_systems": Table(LEVER_SYSTEMS, "levers"),
    "lever_hardware": Table(LEVER_HARDWARE, "levers"),
    "lever_scale": Table(LEVER_SCALE, "levers"),
    "lever_combinations": Table(LEVER_COMBINATIONS, "levers"),
    "lever_needed": Table(LEVER_NEEDED, "levers"),
}

# The dozen measures that a service can take, of all rows of LEVER_SYSTEMS: what to do first.
FITTED = "fitted model"  # how the basis of a gain of ours begins
BANDS = {  # by the grades in them
    "AB": "Measured, or fitted to measurements",
    "C": "Simulated or extrapolated",
    "D": "Assumed in part",
}
BAND = ("p5", "p50", "p95")


@dataclass(frozen=True)
class Measure:
    """A name for readers; which row it is: its system, and how `compared` begins."""

    name: str
    system: str
    compared: str = ""


MEASURES = (
    Measure("Newer chips (B200 for H100)", "B200", "B200 in fp8"),
    Measure("Newer chips in four bits", "B200", "B200 in fp4"),
    Measure("Prefix caching", "Prefix caching"),
    Measure("Eight-bit weights", "FP8", "Qwen3 235B-A22B in fp8"),
    Measure("Power caps", "Power capping and clocks"),
    Measure("Servers off when idle", "Adaptive serving"),
    Measure("Next chips (Maia 200)", "Maia 200", "Maia 200 in fp8"),
    Measure("Prefill on separate servers", "Disaggregated serving"),
    Measure("Small models where they suffice", "Task-sized models with routing"),
    Measure("Shorter answers", "Shorter outputs"),
    Measure("Best site instead of an unknown one", "Best site"),
    Measure("Speculative decoding", "Speculative decoding"),
)


def measures(systems: pd.DataFrame, regime: str) -> list[dict[str, Any]]:
    """Name, grade, band (a key of BANDS) and BAND, times less energy, of each measure in one regime.

    Raises InputError for a measure that no row, or more than one, is about.
    """
    fitted = systems["basis"].str.startswith(FITTED) & systems["load"].isna()
    ours = systems[fitted & (systems["regime"] == regime) & (systems["boundary"] == "facility")]
    return [_measure(ours, one, regime) for one in MEASURES]


def _measure(ours: pd.DataFrame, one: Measure, regime: str) -> dict[str, Any]:
    rows = ours[(ours["system"] == one.system) & ours["compared"].str.startswith(one.compared)]
    if len(rows) != 1:
        raise InputError(
            f"data/results/lever_systems.csv: {len(rows)} rows of {one.system!r}, {regime}, "
            f"{one.compared or 'any comparison'}, expected one for {one.name!r}"
        )
    (row,) = rows.to_dict("records")
    band = next(band for band in BANDS if row["grade"] in band)
    gains = {name: float(row[name]) for name in BAND}
    return {"name": one.name, "grade": row["grade"], "band": band, **gains}
