"""What water of sites has to agree with, whatever is transcribed."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import transcription
from pipeline.core.settings import from_params
from pipeline.water.model.sites import PER_FACILITY, SITE_TABLES, members, site_factors
from tests.water.test_draws import tables

PUBLISHED = {name: transcription(name) for name in SITE_TABLES}
FACTORS = site_factors(PUBLISHED).set_index("key")
SITES = PUBLISHED["sites"].set_index("key")
WUE, PUE = (PUBLISHED[name].set_index("key") for name in ("wue", "pue"))
SETTINGS = from_params("water")
USED = sorted({site for scenario in SETTINGS.scenarios.values() for site in scenario.sites})


def test_no_site_consumes_more_than_it_withdraws() -> None:
    scaled = SITES[SITES["scaled_to"].notna()]
    withdrawn = WUE.loc[scaled["wue_key"]]
    assert len(scaled) > 1 and (withdrawn["basis"] == "withdrawal").all()
    per_it = (
        np.where(withdrawn["unit"] == PER_FACILITY, FACTORS.loc[scaled.index, "pue"], 1) * withdrawn["value"]
    )
    assert (FACTORS.loc[scaled.index, "wue_l_per_kwh"].to_numpy() <= per_it.to_numpy()).all()


@pytest.mark.parametrize("operator", sorted(SITES["scaled_to"].dropna().unique()))
def test_sites_by_what_their_servers_draw_have_the_mean_that_the_operator_states(operator) -> None:
    for name, scenario in SETTINGS.scenarios.items():
        sites = members(FACTORS.reset_index(), name, scenario)
        if (SITES.loc[sites["key"], "scaled_to"] == operator).all() and scenario.weights == "electricity":
            assert sites["weight"] @ sites["wue_l_per_kwh"] == pytest.approx(WUE.loc[operator, "value"])


@pytest.mark.parametrize("site", USED)
def test_pue_and_water_of_a_site_are_of_one_year(site) -> None:
    """Or of one row of one source; none by design, and what is quoted without a year, have no year."""
    row = SITES.loc[site]
    water = WUE.loc[row["wue_key"]]
    if row["pue_key"] != row["wue_key"] and water["value"] > 0 and water["method"] != "quoted":
        assert PUE.loc[row["pue_key"], "year"] == water["year"]


def test_what_is_withdrawn_becomes_what_the_operator_says_it_consumes() -> None:
    found = tables()
    found["sites"]["scaled_to"] = "stated"
    found["wue"] = found["wue"].assign(basis="withdrawal", value=[2.0, 0.5])
    stated = found["wue"].iloc[[1]].assign(key="stated", value=0.4, basis="consumption")
    found["wue"] = pd.concat([found["wue"], stated], ignore_index=True)
    factors = site_factors(found)
    it_mwh = factors["electricity_mwh"] / factors["pue"]
    assert np.average(factors["wue_l_per_kwh"], weights=it_mwh) == pytest.approx(0.4)
    assert (factors["wue_basis"] == "consumption").all()
    assert factors["wue_l_per_kwh"][1] / factors["wue_l_per_kwh"][0] == pytest.approx(2.0 * 1.1 / 0.5)


def test_every_site_has_the_carbon_of_its_grid() -> None:
    assert FACTORS.loc[USED, "carbon_kg_per_kwh"].notna().all()
