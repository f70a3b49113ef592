"""The figures of fleets and routing say what their tables say."""

import pytest

from pipeline.core.read import rows_where
from pipeline.fleet import figures
from pipeline.report import formats, marks, style
from pipeline.report.declared import read
from tests.report.synthetic import PROFILE, draw

SCENARIOS = read("fleet_scenarios")
ENERGY = figures.energy_of(SCENARIOS)


def test_every_scenario_that_is_shown_has_its_band_and_power() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-f1-fleet-scenarios")
    shown = {text.get_text() for text in drawing.figure.axes[0].texts}
    for row in ENERGY.to_dict("records"):
        assert formats.band(row) in shown
        assert row["name"] in drawing.alt
    power = (
        figures.quantity_of(SCENARIOS, "average power").set_index("scenario").loc[list(figures.ROWS), "p50"]
    )
    assert {formats.significant(value) for value in power} <= shown


def test_scenarios_stand_from_the_least_to_the_most() -> None:
    assert list(ENERGY["p50"]) == sorted(ENERGY["p50"])
    assert set(ENERGY["scenario"]) == set(figures.ROWS)


def test_published_values_are_marked_where_there_are_any() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-f1-fleet-scenarios")
    diamonds = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
    drawn = sorted(float(line.get_xdata()[0]) for line in diamonds)
    assert drawn == sorted(ENERGY["published_value"].dropna())


def test_the_line_goes_from_the_large_model_to_the_small_one_and_profiles_stand_at_their_gain() -> None:
    with style.context(PROFILE):
        ax = draw("fig-f3-routing").figure.axes[0]
    line = next(line for line in ax.lines if line.get_gid() == marks.DATA)
    rows = rows_where(read("routing_curve"), regime="short", pair=figures.OPEN)
    assert line.get_ydata()[0] == pytest.approx(1.0)
    assert line.get_ydata()[-1] == pytest.approx(rows["p50"].iloc[-1])
    dots = sorted(float(line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "o")
    assert dots == sorted(rows_where(read("routing_profiles"), regime="short")["p50"])


def test_a_scenario_without_a_published_value_has_no_mark() -> None:
    table = SCENARIOS.assign(published_value=float("nan"))
    with style.context(PROFILE):
        drawing = draw("fig-f1-fleet-scenarios", fleet_scenarios=table)
    assert not [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
