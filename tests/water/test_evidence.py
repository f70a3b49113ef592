import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.water.model.published import assumptions, beside, compared
from tests.water.test_draws import FACTORS

ENERGY = pd.DataFrame({"label": ["one", "two"], "energy_wh": [1.2, 2.4]})
OWN = pd.DataFrame(
    {
        "key": ["none", "some", "much", "other", "drawn", "all", "old"],
        "provider": ["Microsoft"] * 3 + ["Google"] + ["Microsoft"] * 3,
        "name": "n",
        "cooling": ["closed loop"] + ["evaporative"] * 4 + ["mixed", "evaporative"],
        "pue": [1.5] + [1.2] * 6,
        "wue_l_per_kwh": [0.0, 0.1, 0.5, 0.2, 0.21, 0.19, 0.205],
        "wue_basis": ["consumption", "not-stated", "not-stated", "consumption", "withdrawal"]
        + ["consumption"] * 2,
        "wue_year": [2024, 2025, 2024, 2024, 2025, 2025, 2023],
        "grid_key": ["wet"] + ["dry"] * 6,
        "electricity_l_per_kwh": [4.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0],
    }
)


def test_every_number_of_a_row_is_of_its_site() -> None:
    found = assumptions(ENERGY, OWN, (0.0, 0.2))
    at = OWN.set_index("key").loc[found["site"]].reset_index()
    for name in ("pue", "wue_l_per_kwh", "electricity_l_per_kwh"):
        assert found[name].tolist() == at[name].tolist()
    assert found["electricity"].tolist() == at["grid_key"].tolist()
    it_wh = found["energy_wh"] / found["pue"]
    np.testing.assert_allclose(found["onsite_ml"], it_wh * found["wue_l_per_kwh"])
    np.testing.assert_allclose(found["offsite_ml"], it_wh * found["pue"] * found["electricity_l_per_kwh"])
    np.testing.assert_allclose(found["total_ml"], found["onsite_ml"] + found["offsite_ml"])
    again = found["wue_needed_l_per_kwh"] * it_wh
    np.testing.assert_allclose(again, found["claim_ml"], atol=1e-15)


def test_the_nearest_is_one_of_the_owners_sites_of_today_that_consume() -> None:
    found = assumptions(ENERGY, OWN, (0.0, 0.2)).set_index(["claim", "energy"])
    # 0.2 mL: of 1.2 Wh sites take 0, 0.1 and 0.5 mL, of 2.4 Wh 0, 0.2 and 1.0 mL; others would come nearer
    assert found.loc["upper end", "site"].tolist() == ["some", "some"]
    assert found.loc["lower end", "site"].tolist() == ["none", "none"]
    assert found.loc["upper end", "share_of_sites_below"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_what_no_site_takes_is_not_compatible() -> None:
    found = assumptions(ENERGY, OWN, (0.0, 0.7)).set_index(["claim", "energy"])
    assert found.loc["upper end", "compatible"].tolist() == ["no", "yes"]  # at most 0.5 and 1.0 mL


PRIOR = pd.DataFrame(
    {
        "key": ["known", "bare", "cycle", "silent"],
        "subject": "s",
        "setup": None,
        "regime": ["short", "long", "short", "short"],
        "nearest": ["blend", "one", "blend", "blend"],
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
            "variant": "production_lengths", "regime": regime, "subject": subject, "site_scenario": "both",
            "scope": scope, "median_p5_ml": 0.1, "median_p50_ml": value, "median_p95_ml": 3.0,
        }
        for subject, regime, value in (("blend", "short", 0.6), ("blend", "long", 0.7), ("one", "long", 0.8))
        for scope in ("onsite", "total")
    ]
)  # fmt: skip


def test_a_source_is_recomputed_from_its_inputs_and_met_at_its_boundary() -> None:
    found = compared(PRIOR, FACTORS, SITES, SPLIT, "both").set_index("key")
    assert found.loc["known", "recomputed_ml"] == pytest.approx(2.0 * (2.2 + 1.1 * 1.0))
    assert found.loc["known", ["ours_at", "ours_p50_ml", "ratio_to_ours"]].tolist() == ["wet", 2.0, 2.0]
    assert found.loc["bare", ["ours_of", "ours_at", "ours_p50_ml"]].tolist() == ["one, long", "both", 0.8]
    assert found.loc["silent", "ours_scope"] == "onsite"
    assert found.loc[["bare", "cycle", "silent"], "recomputed_ml"].isna().all()
    assert pd.isna(found.loc["cycle", "ours_p50_ml"])


def test_a_model_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InputError, match="'bare', column 'nearest': 'two', expected one of blend, one"):
        compared(PRIOR.replace({"nearest": {"one": "two"}}), FACTORS, SITES, SPLIT, "both")


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
