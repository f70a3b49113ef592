"""Every value that the authors' scripts print comes out of their stream, to the last printed digit."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from pipeline.core.assumption import Exponential, LogNormal, Uniform
from pipeline.published.claims import MODELS
from pipeline.published.model.authors import draw, estimate
from pipeline.published.model.draws import Tables
from pipeline.published.model.energy import ThroughputFit
from pipeline.published.model.settings import AsPublished

# As text: the number of digits says to what precision a value is printed.
CLAIMS = pd.read_csv("data/published/claims.csv", dtype="str", keep_default_na=False).set_index("key")
CODE = CLAIMS[CLAIMS["kind"] == "released_code"]
FLEET = [key for key in CODE.index if key.startswith("v2.fleet.")]
ENERGY = [key for key in CODE.index if key not in FLEET]


@pytest.fixture(scope="module")
def tables(published: AsPublished, fits: dict[str, ThroughputFit]) -> Tables:
    return estimate(published, fits)


def subject_of(key: str) -> tuple[str, str, str]:
    """Variant, regime and subject of a per-query claim."""
    _, *parts = key.split(".")
    if parts[0] == "sens":
        variant = "v2_power_coupled" if parts[1] == "pu" else f"v2_input_{parts[1].removeprefix('input')}"
        return variant, parts[2], "blend"
    regime, *rest = parts
    if rest[0] == "pathway":
        return "v2", regime, "blend" if rest[1] == "baseline" else f"blend + {rest[1]}"
    return "v2", regime, MODELS[rest[0]]


def assert_digits(found: float, printed: str) -> None:
    """Rounded to as many decimals as are printed (trailing zeros may be dropped there), it is the same."""
    decimals = -int(Decimal(printed).as_tuple().exponent)
    assert round(found, decimals) == float(printed)


@pytest.mark.parametrize("key", ENERGY)
def test_energy_per_query(tables: Tables, key: str) -> None:
    variant, regime, subject = subject_of(key)
    energy = tables.energy.set_index(["variant", "regime", "subject"])
    row = energy.loc[(f"{variant}_authors_stream", regime, subject)]
    for column, statistic in (("value", "p50"), ("low", "p25"), ("high", "p75")):
        assert_digits(row[f"{statistic}_wh"], CODE.loc[key, column])
    mean = re.fullmatch(r"mean ([\d.]+)", CODE.loc[key, "note"])
    if mean:
        assert_digits(row["mean_wh"], mean[1])


@pytest.mark.parametrize("key", FLEET)
def test_fleet(tables: Tables, key: str) -> None:
    scenario = key.removeprefix("v2.fleet.").removesuffix(".code")
    fleet = tables.fleet.set_index(["scenario", "component"])
    total = fleet.loc[(scenario, "total")]
    assert_digits(total["value_gwh_per_day"], CODE.loc[key, "value"])
    if CODE.loc[key, "low"]:
        assert_digits(total["p5_gwh_per_day"], CODE.loc[key, "low"])
        assert_digits(total["p95_gwh_per_day"], CODE.loc[key, "high"])
    for component, printed in zip(
        ("short", "long"), re.findall(r"0\.\d+|1\.\d+", CODE.loc[key, "note"]), strict=False
    ):
        assert_digits(fleet.loc[(scenario, component), "value_gwh_per_day"], printed)


def test_the_printed_token_ranges_are_those_of_single_samples(tables: Tables) -> None:
    tokens = tables.tokens.set_index(["regime", "subject"])
    short = tokens.loc[("short", "Nemotron Ultra 253B")]
    long = tokens.loc[("long", "histogram")]
    assert_digits(short["p25_tokens"], CLAIMS.loc["v2.tokens.short", "low"])
    assert_digits(short["p75_tokens"], CLAIMS.loc["v2.tokens.short", "high"])
    assert_digits(long["p25_tokens"], CLAIMS.loc["v2.tokens.long", "low"])
    assert_digits(long["p75_tokens"], CLAIMS.loc["v2.tokens.long", "high"])


def test_every_summary_has_a_sampling_error(tables: Tables) -> None:
    errors = tables.energy.filter(regex="^mc_error_")
    values = tables.energy[[name.removeprefix("mc_error_") for name in errors]]
    relative = errors.to_numpy() / values.to_numpy()
    assert ((relative > 0.001) & (relative < 0.15)).all()


def test_draws_use_the_legacy_stream() -> None:
    ours, numpy = np.random.RandomState(1), np.random.RandomState(1)
    gain = LogNormal(family="lognormal", p5=1.5, p95=5)
    assert np.array_equal(draw(ours, gain, 3), numpy.lognormal(gain.mu, gain.sigma, 3))
    length = Exponential(family="exponential", median=300)
    assert np.array_equal(draw(ours, length, 3), numpy.exponential(300 / np.log(2), 3))
    flat = draw(ours, Uniform(family="uniform", low=2, high=3), 1000)
    assert 2 <= flat.min() < 2.01 < 2.99 < flat.max() <= 3
