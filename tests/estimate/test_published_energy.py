"""The recipe: trimming, blend, and how energy has to move with what it depends on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assumptions.published import AsPublished, Trim
from pipeline.estimate.published_energy import (
    blend_members,
    coupled_utilisation,
    energy_wh,
    query_energy_wh,
    trimmed,
)
from pipeline.fit.published_throughput import ThroughputFit

TRIM = Trim(outer=(5, 95), inner=(10, 90), source="x", reason="x")
POSITIVE = st.floats(1e-3, 1e4)
FACTOR = st.floats(1.01, 100)


def energy(**changed: float) -> float:
    values = {"pue": 1.2, "node_power_kw": 10.0, "utilisation": 0.6, "tokens": 300.0, "tokens_per_s": 2000.0}
    return float(energy_wh(**(values | changed)))  # type: ignore[arg-type]


def test_a_node_of_3600_w_makes_one_watt_hour_a_second() -> None:
    assert energy(pue=1, node_power_kw=3.6, utilisation=1, tokens=500, tokens_per_s=500) == pytest.approx(1)


@given(
    quantity=st.sampled_from(["pue", "node_power_kw", "utilisation", "tokens"]), value=POSITIVE, factor=FACTOR
)
def test_energy_is_proportional(quantity: str, value: float, factor: float) -> None:
    larger, smaller = energy(**{quantity: value * factor}), energy(**{quantity: value})
    assert larger == pytest.approx(factor * smaller)


@given(value=POSITIVE, factor=FACTOR)
def test_energy_falls_with_throughput(value: float, factor: float) -> None:
    assert energy(tokens_per_s=value * factor) == pytest.approx(energy(tokens_per_s=value) / factor)


@given(power=POSITIVE, tokens=POSITIVE, rate=POSITIVE)
def test_a_pue_of_1_adds_nothing(power: float, tokens: float, rate: float) -> None:
    node_wh = power * 1000 * 0.6 * tokens / rate / 3600
    assert energy(pue=1, node_power_kw=power, tokens=tokens, tokens_per_s=rate) == pytest.approx(node_wh)


def test_a_longer_prompt_never_takes_less(published: AsPublished, fits: dict[str, ThroughputFit]) -> None:
    tokens = np.array([[0.0, 10.0, 300.0, 5000.0]])
    one = np.ones_like(tokens)
    for model in published.models:
        by_length = [
            query_energy_wh(
                published.variants[f"v2_input_{length}"],
                model,
                fits[model.name],
                output_tokens=tokens,
                utilisation=one,
                pue=one,
            )
            for length in (500, 1000, 5000)
        ]
        assert (np.diff(np.concatenate(by_length), axis=0) > 0).all()


def test_no_tokens_take_no_energy(published: AsPublished, fits: dict[str, ThroughputFit]) -> None:
    zero = np.zeros((1, 1))
    for model in published.models:
        taken = query_energy_wh(
            published.base, model, fits[model.name], output_tokens=zero, utilisation=zero + 1, pue=zero + 1
        )
        assert taken == 0


def test_coupled_utilisation_runs_from_idle_to_full(published: AsPublished) -> None:
    base = published.variants["v2_power_coupled"]
    assert coupled_utilisation(base, np.array([0.0, 0.5, 1.0])) == pytest.approx([0.24, 0.52, 0.80])
    with pytest.raises(ValueError, match="neither drawn nor coupled"):
        coupled_utilisation(published.base, np.array([0.5]))


def test_the_double_trim_keeps_the_14th_to_the_86th_percentile() -> None:
    energy = np.random.default_rng(0).permuted(np.tile(np.arange(10_000.0), (3, 1)), axis=1)
    kept = trimmed(energy, TRIM)
    assert ((~np.isnan(kept)).sum(axis=1) == 7200).all()
    assert np.nanmin(kept, axis=1) == pytest.approx(1400)
    assert np.nanmax(kept, axis=1) == pytest.approx(8599)
    assert np.array_equal(kept[~np.isnan(kept)], energy[~np.isnan(kept)]), "order and values stay"


@given(st.lists(st.integers(0, 1000), min_size=20, max_size=80), st.integers(1, 3))
def test_the_trim_is_the_authors_rule(values: list[int], rows: int) -> None:
    energy = np.tile(np.array(values, dtype=float), (rows, 1))
    rest = energy[0]
    for percentiles in (TRIM.outer, TRIM.inner):
        low, high = np.percentile(rest, percentiles)
        rest = rest[(rest >= low) & (rest <= high)]
    for row in trimmed(energy, TRIM):
        assert np.array_equal(row[~np.isnan(row)], rest)


def test_without_a_trim_nothing_is_cut() -> None:
    energy = np.random.default_rng(0).random((2, 50))
    assert trimmed(energy, None) is energy


def test_the_blend_takes_the_highest_medians_highest_first() -> None:
    energies = {
        name: np.array([[value, value, 100.0]]) for name, value in zip("abcd", [2.0, 4, 1, 3], strict=True)
    }
    assert blend_members(energies, 3) == ["b", "d", "a"]
