"""Figures, tables and numbers of water say what their tables say."""

import pytest

from pipeline.core.settings import from_params
from pipeline.report import formats, style
from pipeline.report.declared import read
from pipeline.report.formats import slug
from pipeline.water import figures, paper
from tests.report import shown as of_paper
from tests.report.synthetic import PROFILE, draw

SETTINGS = from_params("water")


def test_every_published_water_stands_beside_ours_for_the_same_water() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-w1-published-waters")
    shown = " ".join(text.get_text() for text in drawing.figure.axes[0].texts)
    rows = read("prior_water_compared").set_index("key")
    assert formats.significant(rows.loc["openai_altman", "value_ml"]) in shown
    ours = rows.loc["google_gemini", ["ours_p50_ml", "ours_p5_ml", "ours_p95_ml"]]
    assert formats.interval(*ours) in shown
    assert "> 200" in shown and "< 4.0" in shown and "0–0.067" in shown
    ax = drawing.figure.axes[0]
    bounds = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(bounds) == 3 and 200 not in [
        x for line in ax.lines if line.get_marker() == "D" for x in line.get_xdata()
    ]
    assert shown.count("ours: DeepSeek-R1, long") == 2 and "ours: Llama 3.1 70B, long" in shown
    assert "blend" not in shown  # what ours usually are stands in the caption


def test_no_water_on_site_is_written_as_none() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-w2-water-scenarios")
    left, right = drawing.figure.axes
    assert "0" in {text.get_text() for text in left.texts}
    assert len(right.texts) == len(figures.SCENARIO_NAMES)
    assert set(figures.SCENARIO_NAMES) == {
        n for n, s in SETTINGS.scenarios.items() if s.basis == "consumption"
    }


def test_bars_are_as_long_as_their_water() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-w3-closed-loop")
    bars = [patch for patch in drawing.figure.axes[0].patches if patch.get_gid() == "data"]
    drawn = sorted(bar.get_width() for bar in bars)
    sites = read("water_sites")
    rows = sites[sites["site"].isin(figures.SITES)]
    assert drawn == pytest.approx(sorted([*rows["p50_onsite_ml"], *rows["p50_offsite_ml"]]))


def test_the_columns_beside_the_bars_say_of_what_their_numbers_are() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-w3-closed-loop")
    shown = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert set(figures.COLUMNS_PT) <= set(shown)
    assert sum(text.endswith(" % of cases") for text in shown) == len(figures.SITES)


def test_tables_have_a_row_for_every_scenario_claim_and_source() -> None:
    shown = of_paper.tables(paper)
    assert len(shown["water_scenarios"]) == 3 * len(SETTINGS.scenarios)
    assert len(shown["water_claim"]) == 3 * 6
    assert len(shown["water_published"]) == len(read("prior_water_compared"))


def test_a_published_water_from_its_own_inputs_comes_out_as_printed() -> None:
    rows = read("prior_water_compared").dropna(subset=["recomputed_ml"])
    assert len(rows)
    assert rows["recomputed_ml"].to_numpy() == pytest.approx(rows["value_ml"].to_numpy(), rel=0.03)


def test_numbers_have_flat_keys() -> None:
    numbers = of_paper.numbers(paper)
    split = read("water_split").iloc[0]
    place = ("variant", "regime", "subject", "site_scenario", "scope")
    key = ".".join(slug(str(split[name])) for name in place)
    assert numbers[f"water.{key}.median_p50_ml"] == split["median_p50_ml"]
    assert numbers["assumed.water.electricity_factor.p95"] == 1.44


def test_a_source_that_is_missing_is_an_error() -> None:
    prior = read("prior_water_compared")
    with style.context(PROFILE), pytest.raises(KeyError):
        draw("fig-w1-published-waters", prior_water_compared=prior[prior["key"] != "openai_altman"])
