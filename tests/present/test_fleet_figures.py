"""The figures of fleets and routing say what their tables say."""

from dataclasses import replace

import pytest

from pipeline.present import axes, marks, style
from pipeline.present.figures.fleet import routing, scenarios, shares, sweep
from tests.present.synthetic import PROFILE, tables_of

TABLES = tables_of("fig-f1-fleet-scenarios")


def test_every_scenario_has_its_band_power_and_servers() -> None:
    with style.context():
        drawing = scenarios.fig_fleet_scenarios(TABLES, PROFILE)
    shown = {text.get_text() for text in drawing.figure.axes[0].texts}
    for row in TABLES.energy().to_dict("records"):
        assert axes.interval(row["p50"], row["p5"], row["p95"]) in shown
        assert row["title"] in drawing.alt
    for name in ("average power", "peak power"):
        assert {axes.significant(value) for value in TABLES.quantity(name)["p50"]} <= shown


def test_published_values_are_marked_where_there_are_any() -> None:
    with style.context():
        drawing = scenarios.fig_fleet_scenarios(TABLES, PROFILE)
    diamonds = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
    drawn = sorted(float(line.get_xdata()[0]) for line in diamonds)
    assert drawn == sorted(TABLES.energy()["published_value"].dropna())


def test_the_words_name_the_group_with_the_largest_share() -> None:
    table = TABLES.shares.copy()
    chosen = (table["scenario"] == "base") & (table["group"] == "site")
    table.loc[chosen, "first_order"] = 0.99
    assert shares.in_words(table, "base", "Base").startswith("Base: PUE of the site 99 %")


def test_the_line_of_a_pair_goes_from_the_large_model_to_the_small_one() -> None:
    with style.context():
        drawing = routing.fig_routing(TABLES, PROFILE)
    for panel, regime in enumerate(style.REGIME_NAMES):
        lines = [line for line in drawing.figure.axes[panel].lines if line.get_gid() == marks.DATA]
        for pair, line in zip(routing.COLOURS, lines[:2], strict=True):
            rows = TABLES.curve[(TABLES.curve["regime"] == regime) & (TABLES.curve["pair"] == pair)]
            assert line.get_ydata()[0] == pytest.approx(100.0)
            assert line.get_ydata()[-1] == pytest.approx(100 / rows["p50"].iloc[-1])


def test_every_combination_of_the_sweep_is_drawn_once() -> None:
    with style.context():
        drawing = sweep.fig_fleet_sweep(TABLES, PROFILE)
    points = [line for ax in drawing.figure.axes for line in ax.lines if line.get_marker() == "o"]
    energy = TABLES.sweep[(TABLES.sweep["quantity"] == "energy") & (TABLES.sweep["component"] == "total")]
    assert len(points) == len(energy) == 27
    assert sorted(float(line.get_xdata()[0]) for line in points) == pytest.approx(sorted(energy["p50"]))


def test_a_scenario_without_a_published_value_has_no_mark() -> None:
    table = TABLES.scenarios.assign(published_value=float("nan"))
    with style.context():
        drawing = scenarios.fig_fleet_scenarios(replace(TABLES, scenarios=table), PROFILE)
    assert not [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
