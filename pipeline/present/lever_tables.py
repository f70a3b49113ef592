"""The tables of levers: which columns they show, under which headings."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.contracts.levers import BASELINE, COMBINATIONS
from pipeline.contracts.published import GRADES_IN_WORDS
from pipeline.present import axes
from pipeline.present.fleet_tables import percent
from pipeline.present.lever_rows import records
from pipeline.present.tables import Table, as_given, decimals, digits

BANDS = (
    "Medians with the 90 % interval of what is not known, or the middle, least and most of published values"
)


def lever_tables(
    systems: pd.DataFrame,
    hardware: pd.DataFrame,
    scale: pd.DataFrame,
    combinations: pd.DataFrame,
    evidence: pd.DataFrame,
) -> list[Table]:
    """All tables; contracts of pipeline.contracts.levers, of the evidence that of published levers."""
    return [
        _systems(systems),
        _hardware(hardware),
        _scale(scale),
        _combinations(combinations),
        _evidence(evidence),
    ]


def _systems(table: pd.DataFrame) -> Table:
    headings = {
        "group": "Kind",
        "system": "System",
        "regime": "Queries",
        "load": "Load or case",
        "compared": "Compared",
        "quantity": "Of",
        "basis": "Basis",
        "grade": "Grade",
        "gain": "Times less",
        "n_values": "Values",
        "published_low": "Published, low",
        "published_high": "high",
        "sources": "Sources",
    }
    return Table(
        "lever_systems",
        f"What every named system gains, by kind of evidence. {BANDS}; a bound has no middle. "
        f"{GRADES_IN_WORDS}",
        table.assign(gain=[axes.band_text(row) for row in records(table)]),
        headings,
        {
            "n_values": decimals(0),
            "published_low": as_given,
            "published_high": as_given,
            "sources": lambda keys: keys.replace(";", "; "),
        },
    )


def _evidence(table: pd.DataFrame) -> Table:
    headings = {
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
    }
    return Table(
        "lever_evidence",
        "The published rows on which levers rest, each with its regime: energy, throughput, cost and speed "
        "are kept apart by their unit, and only energy and throughput at rated power give a gain.",
        table.assign(shown=[_value(row) for row in records(table)]),
        headings,
    )


def _value(row: Mapping[Any, Any]) -> str:
    """`1.9 (0.63–2.51)`, `1.28–1.52`, `up to 5` or `1.5`, as published."""
    value, low, high = (
        None if pd.isna(row[end]) else as_given(float(f"{row[end]:.3g}")) for end in ("value", "low", "high")
    )
    ends = f"{low}–{high}" if low and high else f"up to {high}" if high else f"from {low}" if low else ""
    if not value or value == high:
        return ends or str(value)
    return f"{value} ({ends})" if ends else value


def _hardware(table: pd.DataFrame) -> Table:
    headings = {
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
        "n_values": "Values",
        "missing": "Not published",
    }
    return Table(
        "lever_hardware",
        f"The ladder of accelerators. {BANDS}. {GRADES_IN_WORDS}",
        table.assign(gain=[axes.band_text(row) for row in records(table)]),
        headings,
        {"n_values": decimals(0)},
    )


def _scale(table: pd.DataFrame) -> Table:
    headings = {
        "configuration": "Configuration",
        "lengths": "Lengths",
        "kind": "Kind",
        "boundary": "Boundary",
        "users": "Requests in flight",
        "instances": "Instances",
        "energy": "J per output token",
        "wh_per_query_p50": "Wh a query",
    }
    return Table(
        "lever_scale",
        "Energy over the size of the system: median with the 90 % interval of what is not known; a measured "
        "value alone.",
        table.assign(energy=[axes.band_text(row, "j_per_output_token_") for row in records(table)]),
        headings,
        {"users": digits(3), "wh_per_query_p50": digits(3)},
    )


def _combinations(table: pd.DataFrame) -> Table:
    rows = table[table["group"] != BASELINE].copy()
    rows["how"] = rows["combination"].map(COMBINATIONS)
    rows["step"] = [axes.band_text(row, "step_") for row in records(rows)]
    rows["together"] = [axes.band_text(row, "cumulative_") for row in records(rows)]
    rows["left"] = [axes.band_text(row, "energy_wh_") for row in records(rows)]
    headings = {
        "regime": "Queries",
        "combination": "Combination",
        "sequence": "Order",
        "lever": "Lever",
        "in_practice": "Done already",
        "grade": "Grade",
        "step": "Step",
        "together": "Together",
        "left": "Wh left",
        "worlds_8_to_20": "8 to 20 times in",
    }
    return Table(
        "lever_combinations",
        "Levers one after another on the mean query of the blend: times less energy by step and together, "
        "median with the 90 % interval of what is not known, and in how much of what we hold possible the "
        "gain so far is 8 to 20. Combinations: "
        + "; ".join(f"{name}, {words}" for name, words in COMBINATIONS.items())
        + ".",
        rows,
        headings,
        {"worlds_8_to_20": percent},
    )
