"""The figures of fleets and routing say what their tables say."""

import pytest

from pipeline.fleet import figures
from pipeline.report import formats, marks, style
from pipeline.report.declared import read
from pipeline.report.formats import rows_where
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


def test_the_line_of_a_pair_goes_from_the_large_model_to_the_small_one() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-f3-routing")
    for panel, regime in enumerate(style.REGIME_NAMES):
        lines = [line for line in drawing.figure.axes[panel].lines if line.get_gid() == marks.DATA]
        for pair, line in zip(figures.COLOURS, lines[:2], strict=True):
            rows = rows_where(read("routing_curve"), regime=regime, pair=pair)
            assert line.get_ydata()[0] == pytest.approx(100.0)
            assert line.get_ydata()[-1] == pytest.approx(100 / rows["p50"].iloc[-1])


def test_a_scenario_without_a_published_value_has_no_mark() -> None:
    table = SCENARIOS.assign(published_value=float("nan"))
    with style.context(PROFILE):
        drawing = draw("fig-f1-fleet-scenarios", fleet_scenarios=table)
    assert not [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
