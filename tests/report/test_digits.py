"""As many digits are printed as the Monte Carlo error carries: it reaches the last of them at most."""

import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.report.declared import declared
from pipeline.report.formats import Table, band
from pipeline.stages.paper import MODULES

RESULTS, TABLES = Path("data/results"), Path("paper/tables")
# Results that readers see as a median with its interval, and how their columns are named.
BANDS = {
    "headline": ["{}_wh"],
    "re_estimated": ["median_{}_wh", "mean_{}_wh", "total_{}_wh"],
    "water_split": ["median_{}_ml", "mean_{}_ml"],
    "what_if": ["median_{}"],
    "fleet_scenarios": ["{}"],
    "fleet_sweep": ["{}"],
    "routing_profiles": ["{}"],
    "lever_systems": ["{}"],
    "lever_hardware": ["{}"],
    "lever_combinations": ["cumulative_{}", "energy_wh_{}"],
    "lever_needed": ["gain_{}"],
}
NUMBER = re.compile(r"[\d,]*\d(?:\.\d+)?")


def unit(text: str) -> float:
    """Of the last significant digit of a number as printed: 0.01 of `0.31`, 100 of `1,500`."""
    digits = text.replace(",", "")
    if "." in digits:
        return 10.0 ** -len(digits.partition(".")[2])
    return 10.0 ** (len(digits) - len(digits.rstrip("0"))) if digits.strip("0") else 1.0


UNITS = [("0.31", 0.01), ("15", 1), ("1,500", 100), ("1.0", 0.1), ("0", 1)]


@pytest.mark.parametrize(("text", "expected"), UNITS)
def test_the_unit_of_the_last_digit(text: str, expected: float) -> None:
    assert unit(text) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "column"), [(name, column) for name in BANDS for column in BANDS[name]])
def test_the_error_reaches_the_last_digit_of_an_interval_at_most(name: str, column: str) -> None:
    rows = pd.read_csv(RESULTS / f"{name}.csv")
    checked = 0
    for row in rows.to_dict("records"):
        printed = dict(zip(("p50", "p5", "p95"), NUMBER.findall(band(row, column)), strict=False))
        for percentile, text in printed.items():
            error = row.get(f"mc_error_{column}".format(percentile), float("nan"))
            if error > 0 and not pd.isna(row[column.format("p50")]):
                checked += 1
                assert error < 10 * unit(text), (column.format(percentile), text, error, row)
    assert checked


def numeric() -> list[tuple[str, str]]:
    return [
        (entry.name, column)
        for entry in declared(*MODULES)
        if isinstance(entry, Table)
        for column, words in entry.columns.items()
        if f"mc_error_{column}" in pd.read_csv(TABLES / f"{entry.name}.csv", nrows=0)
    ]


@pytest.mark.parametrize(("name", "column"), numeric())
def test_the_error_reaches_the_last_digit_of_a_column_at_most(name: str, column: str) -> None:
    (about,) = [one for one in declared(*MODULES) if isinstance(one, Table) and one.name == name]
    rows = pd.read_csv(TABLES / f"{name}.csv")
    show = about.columns[column][1]
    for value, error in rows[[column, f"mc_error_{column}"]].dropna().to_numpy():
        assert error < 10 * unit(show(value)), (column, show(value), error)
