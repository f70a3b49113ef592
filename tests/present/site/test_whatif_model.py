"""The panel's numbers against the pipeline's, setting by setting, computed in Chromium."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions.load import load
from pipeline.contracts import read_table
from pipeline.contracts.water_results import WATER_SPLIT
from pipeline.contracts.what_if import QUANTITIES, STATISTICS
from pipeline.contracts.what_if import WHAT_IF as ANSWER
from pipeline.estimate.what_if.answer import as_tabled
from pipeline.estimate.what_if.compress import pack, unpack
from pipeline.present.site.pages import WHAT_IF, WHAT_IF_MODEL
from tests.present.site.what_if import ALL, FEW, LEAST, exported, exported_text, pipeline_answer, settings_of

MODELS = ["DeepSeek-R1", "Llama 3.1 405B", "Nemotron Ultra 253B", "Mixtral 8x22B", "Llama 3.1 70B"]
FIXED = {"traffic": "fixed"}
# Medians over what is not known within 2 %; its 5th and 95th percentiles and those over queries within 3 %.
MEDIAN, ENDS = 0.02, 0.03
GRID = [
    {},
    *({"model": model} for model in MODELS),
    *({"traffic": traffic} for traffic in ("production_long", "published_short", "published_long")),
    *({"model": model, "traffic": "production_long"} for model in MODELS),
    *(
        {"model": model, **FIXED, "input_tokens": tokens_in, "output_tokens": tokens_out}
        for model, tokens_in, tokens_out in [
            ("DeepSeek-R1", 100, 10_000),
            ("Llama 3.1 405B", 1500, 400),
            ("Nemotron Ultra 253B", 12_000, 60),
            ("Mixtral 8x22B", 40_000, 2500),
            ("Llama 3.1 70B", 25, 30_000),
            ("blend", 500, 300),
        ]
    ),
    {"requests": 1},
    {"requests": 8, "utilisation": 1, "model": "Llama 3.1 405B"},
    {"requests": 64, "utilisation": 0.5, "idle_share": 0},
    {"requests": 300, "utilisation": 0.3, "idle_share": 1},
    {"requests": 2000, "utilisation": 1, "model": "DeepSeek-R1", "traffic": "production_long"},
    {"requests": 500, "utilisation": 0.9, **FIXED, "input_tokens": 60_000, "output_tokens": 5000},
    {"pue": 1.1},
    {"pue": 1.5, "wue_l_per_kwh": 0, "electricity_l_per_kwh": 1},
    {"wue_l_per_kwh": 1.8, "site": "google"},
    {"electricity_l_per_kwh": 4.5, "site": "hydro_grid"},
    {"site": "zero_water"},
    {"site": "microsoft_withdrawal", "model": "Mixtral 8x22B"},
    {"levers": {"hardware": 2, "model": 1.5}},
    {"levers": dict.fromkeys(("hardware", "model", "serving", "routing"), "drawn")},
]
TABLES = {"what_if": ANSWER, "water_split": WATER_SPLIT}
AS_EXPORTED = [{}, {"traffic": "production_long"}, {"model": "DeepSeek-R1", "requests": 200, "pue": 1.1}]


@pytest.fixture(scope="module")
def in_browser(browser):
    """The model of the page on the export in so many worlds, as a function of settings."""
    page = browser.new_page()
    for name in WHAT_IF_MODEL:
        page.add_script_tag(path=WHAT_IF / name)
    page.evaluate("globalThis.models = {}")
    made = set()

    def answer(chosen, propagation=FEW):
        name = str(propagation)
        if name not in made:
            page.evaluate(
                "([name, text]) => { models[name] = new WhatIfModel.Model(JSON.parse(text)); }",
                [name, exported_text(propagation)],
            )
            made.add(name)
        return page.evaluate("([name, s]) => models[name].answer(s)", [name, chosen.model_dump()])

    yield answer
    page.close()


def agree(ours, theirs, noise=0.0):
    """`noise`: how many standard errors more where the two draw queries of their own."""
    for quantity in QUANTITIES:
        row = theirs.loc[quantity]
        values = [
            (f"{statistic}_{name}", ours[quantity][statistic][name], tolerance, statistic != "mean")
            for statistic in ("median", "mean")
            for name, tolerance in (("p5", ENDS), ("p50", MEDIAN), ("p95", ENDS))
        ]
        values += [(f"query_{name}", ours[quantity]["query"][name], ENDS, True) for name in ("p5", "p95")]
        for name, found, tolerance, own_queries in values:
            more = noise * row[f"mc_error_{name}"] if own_queries else 0.0
            assert abs(found - row[name]) <= tolerance * row[name] + more, (quantity, name, found, row[name])


@pytest.mark.browser
@pytest.mark.parametrize("changes", GRID, ids=str)
def test_the_panel_agrees_with_the_pipeline(in_browser, changes):
    """In few worlds, so that many settings can be tried."""
    chosen = settings_of(**changes)
    agree(in_browser(chosen), pipeline_answer(chosen, FEW), noise=3)


@pytest.mark.browser
@pytest.mark.parametrize("changes", AS_EXPORTED, ids=str)
def test_the_panel_agrees_with_the_pipeline_in_all_worlds(in_browser, changes):
    chosen = settings_of(**changes)
    agree(in_browser(chosen, ALL), pipeline_answer(chosen, ALL))


@pytest.mark.browser
def test_lengths_outside_the_grid_are_refused(in_browser):
    with pytest.raises(Exception, match="500000 tokens, expected 20 to 128000"):
        in_browser(settings_of(**FIXED, input_tokens=500_000, output_tokens=100))


def test_with_nothing_fixed_the_answer_is_the_re_estimate():
    """The committed tables: energies to the last digit; water has fewer queries a world there."""
    answer = pd.read_csv("data/results/what_if.csv").set_index("quantity")
    energy = pd.read_csv("data/results/re_estimated.csv").query(
        "variant == 'production_lengths' and regime == 'short' and subject == 'blend'"
    )
    for row in energy.to_dict("records"):
        for name in STATISTICS:
            assert answer.loc[f"{row['boundary']}_energy", name] == row[f"{name}_wh"]
    water = pd.read_csv("data/results/water_split.csv").query(
        "variant == 'production_lengths' and regime == 'short' and subject == 'blend' "
        "and site_scenario == 'microsoft_today'"
    )
    for row in water.to_dict("records"):
        expected = row["median_p50_ml"]
        assert answer.loc[f"{row['scope']}_water", "median_p50"] == pytest.approx(expected, rel=0.01)


def test_the_panel_starts_with_the_waters_that_other_pages_show():
    answer, waters = (read_table(f"data/results/{name}.csv", of) for name, of in TABLES.items())
    shown = as_tabled(answer, settings_of(), waters).set_index("quantity")
    rows = waters.query(
        "variant == 'production_lengths' and regime == 'short' and site_scenario == 'microsoft_today' "
        "and subject == 'blend'"
    )
    assert len(rows) == 3
    for row in rows.to_dict("records"):
        for name in STATISTICS:
            assert shown.loc[f"{row['scope']}_water", name] == row[f"{name}_ml"]
            assert shown.loc[f"{row['scope']}_water", f"mc_error_{name}"] == row[f"mc_error_{name}_ml"]
    energies = ~shown.index.str.endswith("_water")
    assert shown[energies].equals(answer.set_index("quantity")[energies])


@pytest.mark.parametrize(
    "changes",
    [{"pue": 1.2}, {"levers": {"model": 2}}, {"model": "nobody"}, {"site": "nowhere"}],
    ids=str,
)
def test_settings_that_the_table_of_waters_has_not_keep_their_answer(changes):
    answer, waters = (read_table(f"data/results/{name}.csv", of) for name, of in TABLES.items())
    assert as_tabled(answer, settings_of(**changes), waters).equals(answer)


def test_the_committed_answer_is_that_of_params():
    """data/results/what_if.csv was made with the settings that stand in params.yaml."""
    told = set(pd.read_csv("data/results/what_if.csv")["settings"])
    chosen = load("scenario.what_if")
    assert told == {f"model={chosen.model}; traffic={chosen.traffic}; site={chosen.site}"}


def test_the_export_is_the_same_every_time():
    assert json.dumps(exported(LEAST)) == json.dumps(exported(LEAST))


@pytest.mark.parametrize("ln", [False, True])
def test_packing_keeps_values_to_half_a_step(ln):
    values = np.array([0.001, 0.5, 1.0, 37.25, 4096.0])
    packed = pack(values, ln)
    shown, found = (np.log(values), np.log(unpack(packed))) if ln else (values, unpack(packed))
    assert np.abs(found - shown).max() <= packed["step"] * 0.51
