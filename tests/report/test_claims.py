import numpy as np
import pandas as pd
import pytest

from pipeline.core.assumption import LogNormal
from pipeline.core.errors import InputError
from pipeline.published.claims import Comparator, Fleet, LeverMedians, Query, RangeOver, Scaled, TokenLengths
from pipeline.report.claims import (
    AUTHORS,
    CANNOT,
    Case,
    Estimate,
    Evidence,
    Ratio,
    Unresolved,
    counts,
    ledger_metrics,
    make_ledger,
    printed_decimals,
    support,
)
from pipeline.water.claims import WaterAtSites

FACTORS = {"p25": 0.5, "p50": 1.0, "p75": 2.0}
STREAMS = {"v2": 1.0, "v2_authors_stream": 1.02}


def energy():
    """A blend with quartiles 0.15, 0.3, 0.6 Wh and errors of 1 %; long: ten times that; authors: 2 % more."""
    rows = [
        {
            "analysis": "as_published",
            "variant": variant,
            "regime": regime,
            "subject": "blend",
            "n_draws": 10_000,
        }
        | {"p25_wh": 0.5 * scale * base, "p50_wh": scale * base, "p75_wh": 2 * scale * base}
        | {f"mc_error_{name}_wh": 0.01 * factor * scale * base for name, factor in FACTORS.items()}
        for variant, scale in STREAMS.items()
        for regime, base in {"short": 0.3, "long": 3.0}.items()
    ]
    return pd.DataFrame(rows)


def fleet():
    rows = [
        {"analysis": "as_published", "variant": variant, "scenario": "mixed", "component": "total"}
        | {
            "mc_error_gwh_per_day": 0.034 * scale,
            "value_gwh_per_day": 1.7 * scale,
            "p5_gwh_per_day": 1.6 * scale,
            "p95_gwh_per_day": 1.8 * scale,
        }
        for variant, scale in STREAMS.items()
    ]
    return pd.DataFrame(rows)


def lengths():
    row = {
        "analysis": "as_published",
        "variant": "v2_authors_stream",
        "regime": "short",
        "subject": "histogram",
    }
    row |= {f"{name}_tokens": 300 * factor for name, factor in FACTORS.items()}
    return pd.DataFrame([row | {f"mc_error_{name}_tokens": 3.0 for name in FACTORS}])


def water():
    """On-site water of the published energies between 0.01 and 0.08 mL in one scenario."""
    row = {"analysis": "as_published", "variant": "v2", "regime": "short", "subject": "blend"}
    row |= {"site_scenario": "own", "scope": "onsite", "p25_ml": 0.01, "p75_ml": 0.08}
    return pd.DataFrame([row, row | {"scope": "total", "p25_ml": 1.0}])


def water_split():
    """On-site water of our median query, 0.03 (0–0.2) and 0.09 (0.02–0.5) mL in two scenarios."""
    row = {"variant": "ours", "regime": "short", "subject": "blend", "scope": "onsite"}
    bands = {"own": (0.0, 0.03, 0.2), "all": (0.02, 0.09, 0.5)}
    names = [f"median_{name}_ml" for name in ("p5", "p50", "p95")]
    return pd.DataFrame(
        [row | {"site_scenario": name} | dict(zip(names, band, strict=True)) for name, band in bands.items()]
    )


def claims(**values):
    """One claim `c` with the given value, low, high; a second one, `other`, of value 3."""
    row = {"key": "c", "version": "v2", "where": "x", "quantity": "x", "unit": "Wh", "interval": None}
    row |= {"kind": "printed", "source": "s", "note": None, "value": np.nan, "low": np.nan, "high": np.nan}
    return pd.DataFrame([row | values, row | {"key": "other", "value": 3.0}])


def evidence(levers=None, table_1=None, **values):
    tables = {
        "energy_per_query": energy(),
        "fleet": fleet(),
        "results/token_lengths": lengths(),
        "published/claims": claims(**values),
        "water_per_query": water(),
        "water_split": water_split(),
        "table_1": table_1,
    }
    return Evidence(tables.__getitem__, levers)


def judge(recipe, **values):
    levers = {"a": LogNormal(family="lognormal", p5=1, p95=4)}
    other = Unresolved(verdict=CANNOT, reason="no data")
    return make_ledger(evidence(levers, **values), {"c": recipe, "other": other}).iloc[0]


SHORT = Query(variant="v2", regime="short", subject="blend")


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        ({"value": 0.3}, "exact"),
        ({"value": 0.30, "low": 0.15, "high": 0.60}, "exact"),
        ({"value": 0.31, "low": 0.15, "high": 0.60}, "within Monte Carlo error"),
        ({"value": 0.30, "low": 0.11, "high": 0.60}, "differs"),
        ({"value": 0.35}, "differs"),
    ],
)
def test_verdict_asks_for_every_printed_number(printed, verdict):
    assert judge(SHORT, **printed)["verdict"] == verdict


def test_authors_stream_is_held_to_the_last_digit():
    recipe = Query(variant="v2", regime="short", subject="blend", compared_with=AUTHORS)
    assert judge(recipe, value=0.306)["verdict"] == "exact"
    row = judge(recipe, value=0.307)
    assert row["verdict"] == "differs"
    assert row["tolerance_value"] == pytest.approx(0.0005)


def test_dropped_zeros_are_told_by_the_recipe():
    assert judge(SHORT, value=0.3)["tolerance_value"] > 0.05
    recipe = Query(variant="v2", regime="short", subject="blend", decimals=(3, 3, 3))
    assert judge(recipe, value=0.3)["tolerance_value"] < 0.02


def test_differs_says_both_numbers():
    assert judge(SHORT, value=0.35)["reason"] == "The printed value 0.35 comes out as 0.3."


def test_reason_of_a_recipe_takes_our_numbers():
    recipe = Query(variant="v2", regime="short", subject="blend", reason="Ours is {value}.")
    assert judge(recipe, value=0.35)["reason"] == "Ours is 0.3."
    assert pd.isna(judge(recipe, value=0.30)["reason"])


def test_a_choice_of_ours_is_explained_with_every_verdict():
    recipe = RangeOver(pairs=[("other", SHORT)], reason="Over {low} we chose.", explain=True)
    row = judge(recipe, low=10, interval="range as stated")
    assert (row["verdict"], row["reason"]) == ("exact", "Over 10 we chose.")


def test_scaled_and_ratio():
    seconds = judge(Scaled(of=SHORT, factor=90.0), low=14, high=54, interval="range as stated")
    assert (seconds["ours_low"], seconds["ours_high"]) == pytest.approx((13.5, 54))
    long = Query(variant="v2", regime="long", subject="blend")
    assert judge(Ratio(numerator=long, denominator=SHORT), value=10)["ours_value"] == pytest.approx(10)


def test_fleet_takes_the_scatter_of_the_bootstrap():
    row = judge(Fleet(variant="v2", scenario="mixed"), value=1.75)
    assert row["verdict"] == "within Monte Carlo error"
    assert row["tolerance_value"] == pytest.approx(0.005 + 2 * 0.034)


def test_range_over_divides_the_printed_by_ours():
    row = judge(RangeOver(pairs=[("other", SHORT)]), low=10, high=10, interval="range as stated")
    assert (row["ours_low"], row["verdict"]) == (pytest.approx(10), "exact")


def test_token_lengths_of_the_authors_stream():
    recipe = TokenLengths(variant="v2", regime="short", subject="histogram", compared_with=AUTHORS)
    assert judge(recipe, value=300, low=150, high=600)["verdict"] == "exact"


def test_levers():
    assert judge(LeverMedians(levers=["a"]), low=2, high=3)["verdict"] == "differs"


def test_unresolved_claims_are_counted():
    ledger = make_ledger(
        evidence(value=0.3), {"c": SHORT, "other": Unresolved(verdict=CANNOT, reason="no data")}
    )
    found = counts(ledger)
    assert found["reproduction"] == {
        "exact": 1, "within Monte Carlo error": 0, "differs": 0, "cannot be computed": 1,
    }  # fmt: skip
    assert sum(found["re-estimate"].values()) == 0
    assert ledger_metrics(ledger)["reproduction"]["all"] == 2


@pytest.mark.parametrize("recipes", [{"c": SHORT}, {"c": SHORT, "other": SHORT, "typo": SHORT}])
def test_every_claim_has_a_recipe_and_every_recipe_a_claim(recipes):
    with pytest.raises(InputError, match="only one"):
        make_ledger(evidence(value=0.3), recipes)


def test_printed_decimals_follow_the_longest():
    assert printed_decimals(np.array([0.31, 0.16, 0.6])) == [2, 2, 2]
    assert printed_decimals(np.array([13.0, np.nan, np.nan])) == [0, 0, 0]
    assert printed_decimals(np.array([300.0, 129, 618])) == [0, 0, 0]


def test_an_estimate_scales_its_error():
    scaled = Estimate(np.array([1.0, 2, 3]), np.array([0.1, 0.2, 0.3])).scaled(10)
    assert scaled.ours.tolist() == [10, 20, 30]
    assert scaled.error.tolist() == [1, 2, 3]


def test_water_is_held_against_our_query_at_each_group_of_sites():
    recipe = WaterAtSites(
        variant="ours",
        published_variant="v2",
        regime="short",
        scenarios=("own", "all"),
        scope="onsite",
        reason="{own}, {all}, {published_p25} to {published_p75}",
    )
    row = judge(recipe, low=0.0, high=0.067)
    assert (row["judged_by"], row["support"]) == ("re-estimate", "partly supported")
    assert pd.isna(row["verdict"])
    assert list(row[["ours_low", "ours_high", "ours_ci90_low", "ours_ci90_high"]]) == [0.03, 0.09, 0.0, 0.5]
    assert row["reason"] == "0.03, 0.09, 0.01 to 0.08"
    assert judge(recipe, low=0.02, high=0.1)["support"] == "supported"
    assert judge(recipe, low=2.0, high=3.0)["support"] == "not supported"


@pytest.mark.parametrize(
    ("cases", "found"),
    [
        ([(6, 12, 30), (2, 8, 9)], "supported"),
        ([(6, 7.6, 30)], "supported"),  # rounds to the printed end
        ([(6, 12, 30), (2, 3, 9)], "partly supported"),
        ([(30, 40, 50), (2, 12, 19)], "partly supported"),
        ([(2, 3, 9), (1, 2, 3)], "partly supported"),
        ([(1, 2, 7), (21, 30, 40)], "not supported"),
    ],
)
def test_a_range_is_supported_by_medians_and_partly_by_intervals(cases, found):
    assert support(np.array([np.nan, 8.0, 20.0]), 0.5, [Case(*case) for case in cases]) == found


@pytest.mark.parametrize(
    ("cases", "found"),
    [
        ([(2, 3, 6), (4, 6, 8)], "supported"),
        ([(1, 2, 3), (4, 6, 8)], "partly supported"),
        ([(1, 2, 4), (6, 7, 8)], "not supported"),
    ],
)
def test_an_up_to_is_supported_where_it_is_reached(cases, found):
    assert support(np.array([np.nan, np.nan, 5.0]), 0.5, [Case(*case) for case in cases]) == found


def test_a_comparator_is_held_to_the_row_of_its_source():
    table_1 = pd.DataFrame(
        {"key": ["c"], "recomputed_wh": [0.0364], "source_wh": [0.03], "highest_wh": [0.4]}
    )
    recipe = Comparator(key="c", reason="{value}, {low}, {high}", explain=True)
    other = Unresolved(verdict=CANNOT, reason="no data")
    for printed, verdict in [(0.04, "exact"), (0.05, "differs")]:
        found = make_ledger(evidence(table_1=table_1, value=printed), {"c": recipe, "other": other})
        row = found.iloc[0]
        assert (row["verdict"], row["reason"]) == (verdict, "0.0364, 0.03, 0.4")
        assert row["compared_with"] == "the source's rows"
