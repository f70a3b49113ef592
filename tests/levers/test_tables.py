"""Tables with few samples: every named system has a row, with source, regime and grade; scale; refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.settings import read
from pipeline.ingest.contract import GRADES, LEVER_GROUPS
from pipeline.levers.model.rows import Row, published_rows, span, system_table
from pipeline.levers.model.serving import ONE_INSTANCE, instances_for
from tests.levers.parts import LEVERS, ROUTERS, SETTINGS, small

NAMED = [
    ("scale", "Azure-scale serving"),
    ("scale", "Continuous batching"),
    ("models", "Phi-4"),
    ("models", "Fara-7B"),
    ("models", "Llama 3.1 8B"),
    ("models", "Llama 3.1 70B"),
    ("models", "Qwen3 32B"),
    ("models", "gpt-oss-120b"),
    ("models", "gpt-oss-20b"),
    ("models", "Mixture of experts"),
    ("models", "FP8"),
    ("models", "FP4"),
    ("models", "Distillation"),
    ("models", "Shorter outputs"),
    ("routing", "Model Router"),
    ("routing", "RouteLLM"),
    ("routing", "Hybrid LLM"),
    ("serving", "Disaggregated serving"),
    ("serving", "Adaptive serving"),
    ("serving", "Continuous batching"),
    ("serving", "Prefix caching"),
    ("serving", "Speculative decoding"),
    ("serving", "Power capping and clocks"),
    ("hardware", "Next-generation accelerators"),
    *(("hardware", chip) for chip in SETTINGS.hardware.chips[1:]),
    ("datacentre", "Best site"),
    ("datacentre", "Closed-loop cooling"),
    ("combined", "All levers together"),
]


@pytest.mark.parametrize(("group", "system"), NAMED)
def test_every_named_system_has_a_row_that_computes(group, system):
    table = small()["systems"]
    found = table[(table["group"] == group) & (table["system"] == system)]
    assert len(found)
    ends = found[["p5", "p50", "p95"]]
    assert (ends.max(axis=1) > 0).all() and np.isfinite(ends.max(axis=1)).all()
    assert found.loc[found["bound"].isna(), "p50"].notna().all()


def test_what_we_model_gains_at_the_accelerators_too():
    """But where power has its host in it, and where a table of another stage gives percentiles."""
    table = small()["systems"]
    ours = table[table["basis"].str.startswith("fitted model") & (table["group"] != "routing")]
    blank = ours[ours["gpu_p50"].isna()]
    assert set(blank["system"]) == {"TPU7x", "Fara-7B"}
    assert (ours["gpu_p5"].fillna(0) <= ours["gpu_p95"].fillna(0)).all()
    sites = table[(table["group"] == "datacentre") & (table["basis"] == "published range")]
    assert len(sites) and (sites["gpu_p50"] == 1).all()


def test_every_published_lever_has_source_regime_and_grade():
    for column in ("source", "regime", "grade", "group", "system"):
        assert LEVERS[column].notna().all()
    assert set(LEVERS["grade"]) == set(GRADES)
    assert set(LEVERS["group"]) <= set(LEVER_GROUPS)


def test_evidence_names_rows_that_exist():
    for name in ("systems", "hardware"):
        named = small()[name]["evidence"].dropna().str.split(";").explode()
        assert set(named) <= {*LEVERS["key"], *ROUTERS["key"]}


def test_cost_latency_and_throughput_do_not_become_energy_unseen():
    """Rows of energy come from units of energy; converted throughput says so in its basis."""
    energy = set(LEVERS.loc[LEVERS["unit"] == "x less energy", "key"])
    throughput = set(LEVERS.loc[LEVERS["unit"].str.startswith("x throughput"), "key"])
    table = small()["systems"]
    for _, row in table[table["n_values"].notna() & (table["quantity"] == "energy")].iterrows():
        assert set(row["evidence"].split(";")) <= energy
    converted = table[table["basis"] == "published throughput and rated power"]
    assert set(converted["evidence"]) <= throughput


def test_a_lever_stays_in_its_regime():
    """A published row about one regime stands behind rows of that regime alone, computed ones too."""
    regimes = LEVERS.set_index("key")["regime"]
    table = small()["systems"]
    regimes = pd.concat([regimes, ROUTERS.set_index("key")["regime"]])
    for _, row in table[table["evidence"].notna()].iterrows():
        for key in row["evidence"].split(";"):
            assert regimes[key] in ("both", row["regime"])


def test_drafts_lose_in_the_largest_batch():
    table = small()["systems"]
    drafts = table[(table["system"] == "Speculative decoding") & (table["grade"] == "D")]
    by_load = drafts.set_index(["regime", "load"])["p50"]
    for regime in ("short", "long"):
        assert by_load[regime, "1 sequence"] > 1 > by_load[regime, "256 sequences"]


def test_eight_bits_gain_little_at_small_batch_and_more_at_large():
    table = small()["systems"]
    found = table[table["compared"].str.startswith("Qwen3 235B-A22B in fp8") & (table["regime"] == "short")]
    few, many = found[found["load"].notna()]["p50"].item(), found[found["load"].isna()]["p50"].item()
    # On vLLM of mid 2025: 0.64 at 8 requests, 1.05 at 32, up to 1.15 above; today's is taken to lose less.
    assert few < 1.15 < many


def test_failed_tasks_count():
    """Steps over success on both sides at the assumed ratio of a step; list prices in rows of their own."""
    value = LEVERS.set_index("key")["value"]
    table = small()["systems"]
    rows = table[(table["system"] == "Fara-7B") & table["compared"].str.contains("UI-TARS")]
    gain, listed = (rows[rows["quantity"] == quantity].iloc[0] for quantity in ("energy", "price"))
    steps = (value["fara_steps_like"] / value["fara_success_uitars"]) / (
        value["fara_steps"] / value["fara_success_fara7b"]
    )
    price = (value["fara_cost_uitars"] / value["fara_success_uitars"]) / (
        value["fara_cost_fara7b"] / value["fara_success_fara7b"]
    )
    assert gain["p50"] == pytest.approx(steps * SETTINGS.agent.like_step.distribution.median(), rel=2e-3)
    assert gain["p5"] < gain["p50"] < gain["p95"]
    assert listed["p50"] == pytest.approx(price, rel=1e-5)
    assert pd.isna(listed["published_claim"]) and listed["basis"] == "list price"


def test_a_step_of_an_agent_of_its_size_is_bounded_by_its_price():
    """What params.yaml says: equal, or in proportion to the list price of a step."""
    value = LEVERS.set_index("key")["value"]
    price = (value["fara_cost_uitars"] / value["fara_steps_like"]) / (
        value["fara_cost_fara7b"] / value["fara_steps"]
    )
    low, high = SETTINGS.agent.like_step.distribution.ppf(np.array([0.05, 0.95]))
    assert price == pytest.approx(1.25, abs=0.005)
    assert low < 1 < price < high


def test_a_span_of_one_value_has_no_ends():
    assert np.isnan(span([2.0], 2.0, 2.0)["p5"])
    found = span([1.0, 4.0], 0.5, 4.0)
    assert (found["p5"], found["p50"], found["p95"]) == (0.5, 2.5, 4.0)


def test_a_bound_has_one_end_and_no_middle():
    table = small()["systems"]
    bounds = table[table["bound"].notna()]
    interval = LEVERS.set_index("key")["interval"]
    for _, row in bounds.iterrows():
        assert {interval[key] for key in row["evidence"].split(";")} == {row["bound"]}
        assert pd.isna(row["p50"])
    upper = bounds[bounds["bound"] == "upper bound"].set_index("evidence")["p95"]
    assert upper["dela_shape"] == 100
    assert upper["fern_73"].tolist() == [3.7, 3.7]
    plain = table[table["n_values"].notna() & table["bound"].isna() & (table["quantity"] == "energy")]
    used = set(plain["evidence"].str.split(";").explode())
    assert not interval[list(used)].isin(["upper bound", "lower bound"]).any()


def test_published_rows_join_what_is_of_one_system_and_grade():
    rows = [row for row in published_rows(LEVERS) if row.system == "Speculative decoding"]
    assert {row.regime for row in rows} == {"short", "long"}
    assert all(row.bound is None and row.gain["p5"] == 0.63 and row.n_values == 3 for row in rows)


def test_a_claim_about_long_queries_stands_beside_long_rows_only():
    rows = [
        Row("serving", "s", regime, "a against b", "fitted model", "B", np.ones(8), "oviedo2026")
        for regime in ("short", "long")
    ]
    table = system_table(rows, 4)
    assert table["published_claim"].isna().tolist() == [True, False]
    assert table["published_high"].iloc[1] == 5


def test_instances_keep_room_for_chance():
    assert [instances_for(users, 100.0, 2.0) for users in (1.0, 64.0, 100.0, 10_000.0)] == [1, 1, 2, 102]
    assert instances_for(100.0, 100.0, 0.0) == 1


def test_energy_falls_with_the_size_of_the_system():
    fitted = small()["scale"].query("kind == 'fitted'")
    for _, rows in fitted.groupby(["configuration", "lengths"]):
        ordered = rows.sort_values("users")
        assert ordered["users"].iloc[0] == ordered["instances"].iloc[0] == 1
        joules = ordered["j_per_output_token_p50"].to_numpy()
        assert joules[-1] < joules[0] / 3
        grown = np.diff(np.log(joules))
        assert grown.max() < 0.35  # a second instance, half full, takes back some of it


def test_measured_points_lie_near_the_fitted_line():
    """With the server and the site on top, inside the band of one instance, filled as far as they go."""
    scale = small()["scale"].query("lengths == 'benchmark'")
    for _, rows in scale.groupby("configuration"):
        line = rows[rows["kind"] == ONE_INSTANCE].sort_values("users")
        points = rows[rows["kind"] == "measured accelerators, modelled rest"]
        assert line["users"].iloc[0] == 1 and points["users"].max() <= line["users"].iloc[-1]
        low, middle, high = (
            np.interp(
                np.log(points["users"]), np.log(line["users"]), np.log(line[f"j_per_output_token_{name}"])
            )
            for name in ("p5", "p50", "p95")
        )
        found = np.log(points["j_per_output_token_p50"])
        assert ((low < found) & (found < high)).all()
        assert np.abs(found - middle).max() < 0.45


def test_an_instance_costs_least_when_saturated():
    one = small()["scale"].query("kind == @ONE_INSTANCE")
    assert (one["instances"] == 1).all()
    for _, rows in one.groupby("configuration"):
        assert rows.sort_values("users")["j_per_output_token_p50"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("alpha: 6, beta: 3, unit: fraction", "alpha: 6, beta: 3, unit: ratio",
         "levers.routed.share: Value error, unit 'ratio', expected 'fraction'"),
        ("    next: B200;", "    next: B201;",
         "levers.hardware: Value error, next: 'B201' is none of"),
        ("\n  cached:\n", "\n  cachd:\n",
         "levers.cachd: unknown key, did you mean 'cached'?"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_with_its_key(tmp_path, old, new, message):
    text = Path("params.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=r"params\.yaml") as error:
        read(path)
    assert message in str(error.value)
