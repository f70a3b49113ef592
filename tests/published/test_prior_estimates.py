"""Which query an estimate is compared with, and the ratios."""

import pandas as pd
import pytest

from pipeline.core.columns import ENERGY_PER_QUERY
from pipeline.core.read import read_table
from pipeline.published.model.compared import earlier_estimates, workload_of
from pipeline.published.model.contract import PRIOR_ESTIMATES_COMPARED


@pytest.mark.parametrize(
    ("quantity", "subject", "tokens", "expected"),
    [
        ("mean energy per query, long prompt", "GPT-4o", "300", "short"),
        ("mean energy per query, long prompt", "GPT-4o", "1500", "long"),
        ("energy per query", "ChatGPT", "300 median (IQR 129-618)", "short"),
        ("energy per request", "ChatGPT", "2000 (SemiAnalysis)", "long"),
        ("median energy per long query", "DeepSeek-R1", "reasoning", "long"),
        ("median energy per long query, blend", "blend", "15x tokens", "long"),
        ("GPU energy per query", "gpt-oss-120b reasoning high", None, "long"),
        ("GPU energy per query", "Phi-4-reasoning-plus, reasoning off", None, "not-stated"),
        ("energy of the median prompt", "Gemini Apps", None, "not-stated"),
    ],
)
def test_workload(quantity: str, subject: str, tokens: str | None, expected: str) -> None:
    assert workload_of(quantity, subject, tokens, 300, 5000) == expected


@pytest.fixture(scope="module")
def energy() -> pd.DataFrame:
    return read_table("data/results/energy_per_query.csv", ENERGY_PER_QUERY)


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return read_table("data/results/prior_estimates_compared.csv", PRIOR_ESTIMATES_COMPARED)


def test_every_energy_per_query_is_there_once(committed: pd.DataFrame) -> None:
    source = pd.read_csv("data/published/prior_estimates.csv")
    wanted = source[
        (source["unit"] == "Wh/query") & (source["boundary"] != "component") & source["value"].notna()
    ]
    theirs = committed[~committed["key"].str.startswith("ours_")]
    assert sorted(theirs["key"]) == sorted(wanted["key"])


def test_ratios_are_to_the_same_workload_and_boundary(committed: pd.DataFrame, energy: pd.DataFrame) -> None:
    keys = ["analysis", "variant", "regime", "boundary"]
    medians = energy[energy["subject"] == "blend"].set_index(keys)["p50_wh"].to_dict()

    def median(*key: str) -> float:
        return medians[key]

    rows = committed.set_index("key")
    bloom, r1 = rows.loc["bloom_2022"], rows.loc["oviedo2_r1"]
    assert bloom["ratio_to_published"] == pytest.approx(
        3.96 / median("as_published", "v2", "short", "facility"), rel=1e-4
    )
    assert bloom["ratio_to_ours"] == pytest.approx(
        3.96 / median("re_estimated", "production_lengths", "short", "node"), rel=1e-4
    )
    assert r1["ratio_to_published"] == pytest.approx(
        10.6 / median("as_published", "v2", "long", "facility"), rel=1e-4
    )
    assert ((committed["ratio_to_published"] >= 4) == (committed["at_least_4_times"] == "yes")).all()
    assert rows.loc[["altman"], "ratio_to_ours"].isna().all()


def test_ours_stand_on_top_with_their_intervals(committed: pd.DataFrame) -> None:
    top = committed.head(6)
    assert top["key"].str.startswith("ours_").all() and top["source"].isna().all()
    assert (top["low_wh"] < top["value_wh"]).all() and (top["value_wh"] < top["high_wh"]).all()
    assert top["ratio_to_ours"].to_numpy() == pytest.approx(1.0)


def test_parts_of_a_total_are_not_estimates_of_a_query(energy: pd.DataFrame) -> None:
    estimates = pd.read_csv("data/published/prior_estimates.csv")
    found = earlier_estimates(estimates, energy, 300, 5000)
    assert "google_median" in set(found["key"]) and "google_host" not in set(found["key"])
