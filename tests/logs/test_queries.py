"""Quantiles of queries from bins, against numpy on the queries themselves."""

import ibis
import numpy as np
import pandas as pd
import pytest

from pipeline.logs.cells import EPOCH_UNITS, read_times, style_of
from pipeline.logs.engines import connect
from pipeline.logs.queries import COUNTS, _first_digits, by_bins, summary
from pipeline.logs.report import _number


@pytest.mark.parametrize("exact", [True, False])
def test_quantiles_over_hours_are_those_of_the_queries(exact):
    """Two hours whose energies fall into the same bins: least and greatest of a bin are those of both."""
    rng = np.random.default_rng(1)
    asked = pd.DataFrame({
        "hour": rng.integers(0, 2, 4000), "model": rng.choice(["m", "n"], 4000, p=[0.9, 0.1]),
        "uj": np.floor(rng.lognormal(np.log(4e5), 0.7, 4000)).astype("int64"),
    })  # fmt: skip
    asked["uj"] += asked["hour"] * 900  # within a bin the second hour has more
    with connect("duckdb", 300) as engine:
        table = ibis.memtable(asked)
        table = table.mutate(bin=table.uj if exact else _first_digits(table.uj))
        ones = {name: table.count() for name in COUNTS if name != "energy_uj"}
        bins = table.group_by(["hour", "model", "bin"]).agg(
            **ones, energy_uj=table.uj.sum(), least_uj=table.uj.min(), greatest_uj=table.uj.max()
        )
        found = engine.fetch(summary(by_bins(engine.keep(bins), ["model"]), ["model"])).set_index("model")
    for model, of in asked.groupby("model"):
        expected = np.quantile(of["uj"], [0.05, 0.5, 0.95])
        got = found.loc[model, ["p5_uj", "p50_uj", "p95_uj"]].to_numpy(float)
        assert got == pytest.approx(expected, rel=1e-12 if exact else 1e-3)
        assert found.loc[model, "queries"] == len(of) and found.loc[model, "energy_uj"] == of["uj"].sum()


@pytest.mark.parametrize("unit", EPOCH_UNITS)
def test_epochs_are_of_the_years_1973_to_2286_and_of_no_other(unit):
    """Nine digits of seconds to ten; a number between two units is of none."""
    least, most, factor = EPOCH_UNITS[unit]
    inside = pd.Series([str(round(least * 1.01)), str(round(most * 0.99))])
    found = read_times(inside, style_of(inside))
    assert found.us.tolist() == pytest.approx([least * 1.01 * factor, most * 0.99 * factor], rel=1e-9)
    assert [round(bound * factor / 1e6) for bound in (least, most)] == [10**8, 10**10]
    for value in (least * 0.9, most * 1.1):
        mixed = pd.Series([*inside, str(round(value))])
        assert read_times(mixed, style_of(inside)).bad.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, "3"), (3.0, "3"), (2.5, "2.5"), (0.12345, "0.123"), (1234.5, "1,234"), (5e9, "5,000,000,000"),
     (12345, "12,345"), (None, "-"), ("", "-"), ("vLLM", "vLLM")],
)  # fmt: skip
def test_numbers_of_the_report_have_three_digits(value, shown):
    assert _number(value) == shown
