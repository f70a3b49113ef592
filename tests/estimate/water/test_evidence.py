import numpy as np
import pandas as pd
import pytest

from pipeline.estimate.water.claim import assumptions
from pipeline.estimate.water.published_waters import beside, compared
from tests.estimate.water.test_draws import FACTORS

ENERGY = pd.DataFrame({"label": ["one", "two"], "energy_wh": [1.2, 2.4]})
WUE = pd.DataFrame(
    {
        "key": ["none", "some", "old", "other", "drawn"],
        "provider": ["Microsoft", "Microsoft", "Microsoft", "Google", "Microsoft"],
        "subject": "s",
        "basis": ["consumption", "not-stated", "not-stated", "consumption", "withdrawal"],
        "year": [2024, 2025, 2021, 2025, 2025],
        "value": [0.0, 0.5, 5.0, 0.2, 0.11],
    }
)


def test_the_wue_that_is_needed_gives_the_claim_back() -> None:
    found = assumptions(ENERGY, WUE, (0.0, 0.2), pue=1.2, electricity_l_per_kwh=3.0)
    again = found["wue_needed_l_per_kwh"] * found["energy_wh"] / found["pue"]
    np.testing.assert_allclose(again, found["claim_ml"], atol=1e-15)
    np.testing.assert_allclose(found["total_ml"] - found["claim_ml"], 3.0 * found["energy_wh"])
    upper = found[found["claim"] == "upper end"]
    assert upper["wue_needed_l_per_kwh"].tolist() == pytest.approx([0.2, 0.1])


def test_only_the_owners_recent_consumption_counts_as_compatible() -> None:
    found = assumptions(ENERGY, WUE, (0.0, 1.0), pue=1.2, electricity_l_per_kwh=3.0)
    upper = found[found["claim"] == "upper end"]
    assert upper["compatible"].tolist() == ["no", "yes"]  # needs 1.0 and 0.5; 5.0 is of 2021, 0.2 of another
    assert set(found["nearest_wue"]) <= {"none", "some"}


PRIOR = pd.DataFrame(
    {
        "key": ["known", "bare", "cycle", "silent"],
        "subject": "s",
        "setup": None,
        "regime": ["short", "long", "short", "short"],
        "value": [4.0, 1.0, 45.0, 0.3],
        "low": np.nan,
        "high": np.nan,
        "interval": None,
        "basis": "consumption",
        "scope": ["total", "onsite", "life cycle", "not-stated"],
        "energy_wh": [2.0, np.nan, np.nan, 0.3],
        "energy_boundary": ["IT", None, None, "not-stated"],
        "site": ["wet", None, None, None],
        "method": ["bottom-up-model", "statement", "life-cycle-assessment", "statement"],
        "source": "x",
        "note": None,
    }
)
SITES = pd.DataFrame(
    {
        "site": ["wet", "wet"],
        "design": ["as built", "closed loop"],
        **{f"{p}_{scope}_ml": [v, 9.0] for p, v in (("p5", 1.0), ("p50", 2.0), ("p95", 4.0))
           for scope in ("onsite", "offsite", "total")},
    }
)  # fmt: skip
SPLIT = pd.DataFrame(
    [
        {
            "variant": "production_lengths", "regime": regime, "subject": "blend", "site_scenario": "both",
            "scope": scope, "median_p5_ml": 0.1, "median_p50_ml": value, "median_p95_ml": 3.0,
        }
        for regime, value in (("short", 0.6), ("long", 0.8))
        for scope in ("onsite", "total")
    ]
)  # fmt: skip


def test_a_source_is_recomputed_from_its_inputs_and_met_at_its_boundary() -> None:
    found = compared(PRIOR, FACTORS, SITES, SPLIT, "both").set_index("key")
    assert found.loc["known", "recomputed_ml"] == pytest.approx(2.0 * (2.2 + 1.1 * 1.0))
    assert found.loc["known", ["ours_at", "ours_p50_ml", "ratio_to_ours"]].tolist() == ["wet", 2.0, 2.0]
    assert found.loc["bare", ["ours_at", "ours_p50_ml"]].tolist() == ["both", 0.8]
    assert found.loc["silent", "ours_scope"] == "onsite"
    assert found.loc[["bare", "cycle", "silent"], "recomputed_ml"].isna().all()
    assert pd.isna(found.loc["cycle", "ours_p50_ml"])


def test_a_day_is_laid_over_a_day_of_others() -> None:
    day = pd.DataFrame(
        [
            {
                "variant": "production_lengths", "scenario": "mixed", "site_scenario": "both", "scope": scope,
                "p5_million_l_per_day": 1.0, "p50_million_l_per_day": value, "p95_million_l_per_day": 4.0,
            }
            for scope, value in (("onsite", 2.0), ("total", 3.0))
        ]
    )  # fmt: skip
    facts = pd.DataFrame(
        {
            "key": ["a", "b"], "quantity": "water", "subject": "s", "value": [365.0, 7.0],
            "unit": ["million L/year", "Wh"], "source": "x",
        }
    )  # fmt: skip
    found = beside(day, facts, "both")
    assert found["ratio_p50"].tolist() == [2.0, 3.0]
