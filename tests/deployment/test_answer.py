"""What is made of the draws of the serving model: idle time, sites, ratios, quantiles, limits of power."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.core.draws import uniforms
from pipeline.core.settings import from_params
from pipeline.deployment.model.answer import AT_ONCE, at_sites
from pipeline.deployment.model.contract import OK, QUANTITIES
from pipeline.deployment.model.predict import Predictor
from pipeline.ingest.contract_facts import GENERATIONS
from pipeline.servers.model.power import OWN, SERVERS
from pipeline.water.model.sites import Sites
from tests.deployment.tables import GOOD, HEADER, one, table
from tests.water.test_draws import FACTORS, SETTINGS, scenario

EXACT = {"pue": 1.25, "wue_l_per_kwh": 0.4, "water_l_per_kwh_electricity": 2.0, "carbon_g_per_kwh": 400}


def rows(*changes: dict) -> pd.DataFrame:
    return pd.concat([one(**cells) for cells in changes], ignore_index=True)


def test_a_row_depends_on_no_other_row(tool: Predictor) -> None:
    several = rows(
        {}, {"gpu": "B200"}, {"site_scenario": "google"}, {"concurrency": 0.5}, {"engine": "SGLang"}
    )
    together = tool.predict(several)
    for at in range(len(several)):
        alone = tool.predict(several.iloc[[at]].reset_index(drop=True))
        numbers = alone.select_dtypes(float).columns
        assert len(numbers) > 30
        found = together.loc[[at], numbers].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, alone[numbers], rtol=1e-12)


def test_more_rows_than_are_drawn_at_once_are_the_same_rows(
    tool: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = rows(*({"concurrency": c, "compare_to": "0"} for c in (2, 4, 8, 16, 32)))
    several.loc[0, "compare_to"] = None
    whole = tool.predict(several)
    monkeypatch.setattr("pipeline.deployment.model.answer.AT_ONCE", 2)
    assert AT_ONCE > 2
    pd.testing.assert_frame_equal(tool.predict(several), whole)


def test_a_site_of_ones_own_is_taken_exactly_and_in_part(tool: Predictor) -> None:
    found = tool.predict(rows(EXACT, {"pue": 1.25}, {}))
    for quantile in ("p5", "p50", "p95"):
        node, facility, onsite, offsite, carbon = (
            found[f"{name}_per_query_{quantile}"]
            for name in ("node_wh", "facility_wh", "onsite_ml", "offsite_ml", "carbon_g")
        )
        assert (facility / node).iloc[:2].tolist() == pytest.approx([1.25, 1.25])
        assert (onsite / node).iloc[0] == pytest.approx(0.4)
        assert (offsite / node).iloc[0] == pytest.approx(1.25 * 2.0)
        assert (carbon / node).iloc[0] == pytest.approx(1.25 * 0.4)
        assert onsite.iloc[1] == pytest.approx(onsite.iloc[2])  # the rest is the scenario's
    assert not any("site_scenario" in str(text) for text in found["assumed"].iloc[:1])


def test_energy_and_water_of_a_row_are_those_of_its_scenario(tool: Predictor) -> None:
    headline = from_params("water.headline")
    named = ["zero_water", "world_average", None, headline, "google"]
    found = tool.predict(rows(*({"site_scenario": name} for name in named)))
    pue = pd.read_csv("data/published/pue.csv").set_index("key")["value"]
    ratio = found["facility_wh_per_query_p50"] / found["node_wh_per_query_p50"]
    assert ratio.iloc[:2].tolist() == pytest.approx([pue["ms_design"], pue["uptime_2025"]])
    assert found["total_ml_per_query_p50"].iloc[2] == found["total_ml_per_query_p50"].iloc[3]
    assert found["onsite_ml_per_query_p95"].iloc[0] == 0 < found["offsite_ml_per_query_p50"].iloc[0]
    google = found["onsite_ml_per_query_p50"].iloc[4] / found["node_wh_per_query_p50"].iloc[4]
    assert google == pytest.approx(1.15, rel=0.1)


def test_water_of_the_electricity_is_that_of_the_energy_at_the_facility_draw_by_draw(tool: Predictor) -> None:
    named = {"both": scenario(), "wet": scenario(sites=["wet"])}
    sites = Sites.of(SETTINGS.model_copy(update={"scenarios": named}), FACTORS)
    world = replace(tool.world, sites=sites)
    given = pd.DataFrame(dict.fromkeys(EXACT, [np.nan] * 2)).assign(site_scenario=[*named])
    node_wh = np.random.default_rng(3).random((2, 50))
    found = at_sites(given, world, node_wh)
    drawn_by = np.concatenate(
        [uniforms(world.seed, f"deployment/{x}", 1, 50) for x in ("site", "wue", "grid")]
    )
    drawn = {where["site_scenario"]: at for where, at in sites.draws(drawn_by)}
    for row, name in enumerate(named):
        at, facility = drawn[name], found["facility_wh_per_query"][row]
        np.testing.assert_allclose(found["offsite_ml_per_query"][row], facility * at.electricity_l_per_kwh)
        np.testing.assert_allclose(found["onsite_ml_per_query"][row], node_wh[row] * at.wue_l_per_kwh)
        np.testing.assert_allclose(facility, node_wh[row] * at.pue)
    assert len(set((found["facility_wh_per_query"] / node_wh)[0].round(6))) == 2  # of either site
    whole = found["onsite_ml_per_query"] + found["offsite_ml_per_query"]
    np.testing.assert_allclose(found["total_ml_per_query"], whole)


def test_less_than_one_request_is_one_at_times_and_idle_between(tool: Predictor) -> None:
    """Throughput in proportion, energy of a query up by the idle time, without a jump at one."""
    found = tool.predict(rows(*({"concurrency": c} for c in (1, 0.999, 0.5, 0.1))))
    rate, wh, watts = (
        found[f"{name}_p50"].to_numpy() for name in ("output_tokens_per_s", "node_wh_per_query", "gpu_w")
    )
    assert rate[2:] / rate[0] == pytest.approx([0.5, 0.1])
    assert (np.diff(wh) > 0).all() and (np.diff(watts) < 0).all()
    assert wh[1] / wh[0] == pytest.approx(1, abs=0.002)
    assert wh[3] / wh[0] < 10  # idle takes less than busy
    assert found["requests_running"].tolist() == pytest.approx([1, 0.999, 0.5, 0.1])


def test_a_query_without_an_answer_costs_its_prompt(tool: Predictor) -> None:
    found = tool.predict(
        rows({"output_tokens": 0}, {"output_tokens": 1}, {"output_tokens": 0, "input_tokens": 1022})
    )
    assert set(found["status"]) == {OK}
    blank = found.loc[[0, 2], ["output_tokens_per_s_p50", "gpu_j_per_output_token_p50"]]
    assert blank.isna().all(axis=None)
    wh = found["node_wh_per_query_p50"]
    assert wh.iloc[0] == pytest.approx(wh.iloc[1], rel=1e-6) and wh.iloc[2] > 1.5 * wh.iloc[0]
    assert found["requests_per_s_p50"].iloc[0] > found["requests_per_s_p50"].iloc[2] > 0


def test_without_rated_power_there_are_no_watts_unless_stated(tool: Predictor) -> None:
    chips = ("TPU v5e", "TPU v5p", "TPU v6e", "Trainium 2", "Inferentia 2")
    small = {"model": "Qwen3 4B", "total_params_b": None, "active_params_b": None, "gpus": 1}
    found = tool.predict(
        rows(*({**small, "gpu": chip} for chip in chips), {**small, "gpu": "TPU v5e", "rated_w": 200})
    )
    assert set(found["status"]) == {OK}
    energies = [f"{name}_p50" for name in QUANTITIES if not name.endswith("_per_s")]
    assert found["output_tokens_per_s_p50"].notna().all()
    assert found.loc[:4, energies].isna().all(axis=None)
    assert found.loc[:4, "assumed"].str.contains("no power: rated_w is not published").all()
    assert found.loc[5, ["gpu_w_p50", "node_wh_per_query_p50"]].notna().all()
    assert found["gpu_w_p95"].iloc[5] <= 200 * (1 + 1e-9)


def test_a_busy_chip_is_held_below_its_rating(tool: Predictor) -> None:
    """Prompts alone keep arithmetic busy all the time; no mean that was measured is the rating."""
    embedding = {"model": "Qwen3-Embedding-8B", "total_params_b": None, "active_params_b": None,
                 "output_tokens": None, "gpus": 1, "concurrency": 64}  # fmt: skip
    chips = {"H100": 700, "A100": 400, "B200": 1000, "L4": 72}
    found = tool.predict(rows(*({**embedding, "gpu": chip} for chip in chips)))
    share = found[["gpu_w_p50", "gpu_w_p95"]].to_numpy() / np.array([*chips.values()])[:, None]
    assert (share[:, 0] < 0.95).all() and (share[:, 0] > 0.6).all()
    assert (share[:, 1] < 1).all()


def test_equal_rows_are_equal_whatever_they_are_called(tool: Predictor) -> None:
    found = tool.predict(rows({"name": "a"}, {"name": "b", "compare_to": "c"}, {"name": "c"}))
    columns = found.select_dtypes(float).columns
    pd.testing.assert_series_equal(found.loc[0, columns[:33]], found.loc[2, columns[:33]], check_names=False)
    assert found.loc[1, "node_wh_per_query_ratio_p50"] == pytest.approx(1)


def test_ratios_are_those_of_paired_draws(tool: Predictor) -> None:
    same = {"compare_to": "base"}
    found = tool.predict(
        rows(
            {"name": "base"},
            {**same, "name": "same"},
            {**same, "pue": 1.5},
            {**same, "output_tokens": 606},
            {"compare_to": 3},
        )
    )
    assert set(found["status"]) == {OK}
    ratios = [f"facility_wh_per_query_ratio_{q}" for q in ("p5", "p50", "p95")]
    assert found.loc[0, ratios].isna().all()
    assert found.loc[1, ratios].tolist() == pytest.approx([1, 1, 1])
    longer = found.loc[3, ratios].to_numpy(float)
    assert 1 < longer[0] < longer[2] < 2.2
    apart = found.loc[3, "facility_wh_per_query_p95"] / found.loc[0, "facility_wh_per_query_p5"]
    assert longer[2] / longer[0] < apart  # what both share cancels
    assert found.loc[2, [f"node_wh_per_query_ratio_{q}" for q in ("p5", "p95")]].tolist() == pytest.approx(
        [1, 1]
    )
    assert found.loc[4, "node_wh_per_query_ratio_p50"] == pytest.approx(
        1 / found.loc[3, "node_wh_per_query_ratio_p50"],
        rel=1e-4,  # of an even number of draws
    )


def test_a_ratio_to_nothing_is_said(tool: Predictor) -> None:
    lines = [
        f"{GOOD},a,b",
        f"{GOOD.replace('H100', 'H1000')},b,",
        f"{GOOD},c,zz",
        f"{GOOD},d,d",
        f"{GOOD},a,a",
        f"{GOOD},,1",
    ]
    found = tool.predict(table(*lines, header=f"{HEADER},name,compare_to"))
    assert found["status"].tolist() == ["ok", *["wrong input"] * 5]
    assert found["message"].iloc[0] == "no ratio: row 3 has no prediction"
    assert found["node_wh_per_query_ratio_p50"].isna().all() and found["node_wh_per_query_p50"].iloc[0] > 0
    for at in (2, 3, 5):
        assert "expected the `name` of one other row, or its row (2 to 7)" in found["message"].iloc[at]


def test_every_generation_has_a_server() -> None:
    assert set(SERVERS) == {*GENERATIONS, OWN}


def test_no_server_draws_more_than_it_is_rated_for(tool: Predictor) -> None:
    found = tool.predict(rows({"gpu": "GB10", "gpus": 1, "model": "gpt-oss-20b", "total_params_b": None,
                               "active_params_b": None, "precision": "mxfp4"}))  # fmt: skip
    node_w = found["node_wh_per_query_p95"] * found["requests_per_s_p5"] * 3600
    assert found["status"].item() == OK
    assert found["gpu_w_p95"].item() <= 140 * (1 + 1e-9)
    assert node_w.item() < 2 * 240  # quantiles of a product: far from the 470 W that a share of a server is
