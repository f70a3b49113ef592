from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.ingest.contract import THROUGHPUT
from pipeline.published.model.energy import (
    ThroughputFit,
    blend_members,
    coupled_utilisation,
    energy_wh,
    fit_all,
    fit_model,
    from_table,
    query_energy_wh,
    rows_of,
    to_table,
    trimmed,
)
from pipeline.published.model.settings import AsPublished, PublishedModel, Trim

LENGTHS = {"input_tokens": 500.0, "output_tokens_short": 300.0, "output_tokens_long": 5000.0}
# Coefficients as the analysis states them, to three decimals, with the number of rows.
STATED = {
    "Llama 3.1 405B": (9.762, -0.585, 0.227, 7),
    "Llama 3.1 70B": (10.824, -0.562, 0.262, 5),
    "Mixtral 8x22B": (11.225, -0.553, 0.252, 5),
    "DeepSeek-R1": (10.559, -0.539, -0.005, 3),
}


def model(throughput: str = "regression") -> PublishedModel:
    settings = {
        "name": "M",
        "precision": "FP8",
        "node_power": "node_power_8xh100",
        "source": "x",
        "reason": "x",
    }
    return PublishedModel(**settings, throughput=throughput)  # type: ignore[arg-type]


def rows(noise: float, cells: int = 40, seed: int = 0) -> pd.DataFrame:
    """Rows that follow ln TPS = 10 - 0.5 ln in + 0.2 ln out with normal errors."""
    rng = np.random.default_rng(seed)
    tokens = pd.DataFrame(np.exp(rng.uniform(4, 9, (cells, 2))), columns=["input_tokens", "output_tokens"])
    log_rate = 10 - 0.5 * np.log(tokens["input_tokens"]) + 0.2 * np.log(tokens["output_tokens"])
    return tokens.assign(output_tokens_per_s=np.exp(log_rate + noise * rng.standard_normal(cells)))


@pytest.fixture(scope="module")
def throughput() -> pd.DataFrame:
    return read_table(Path("data/published/throughput.csv"), THROUGHPUT)


def test_noise_free_truth_comes_back() -> None:
    fit = fit_model(rows(noise=0), model(), **LENGTHS)
    assert (fit.intercept, fit.slope_input, fit.slope_output) == pytest.approx((10, -0.5, 0.2))
    assert fit.residual_sd == pytest.approx(0, abs=1e-9)
    assert fit.pi90_factor_short == pytest.approx(1)


def test_noise_is_found_and_truth_lies_within_its_errors() -> None:
    fits = [fit_model(rows(noise=0.3, seed=seed), model(), **LENGTHS) for seed in range(200)]
    assert np.mean([fit.residual_sd for fit in fits]) == pytest.approx(0.3, rel=0.03)
    z = [(fit.slope_input + 0.5) / fit.slope_input_se for fit in fits]
    assert np.std(z) == pytest.approx(1, abs=0.15)


def test_the_prediction_interval_covers_new_rows_nine_times_in_ten() -> None:
    rng = np.random.default_rng(1)
    truth = 10 - 0.5 * np.log(500) + 0.2 * np.log(300)
    inside = []
    for seed in range(400):
        fit = fit_model(rows(noise=0.3, cells=8, seed=seed), model(), **LENGTHS)
        predicted = fit.intercept + fit.slope_input * np.log(500) + fit.slope_output * np.log(300)
        new = truth + 0.3 * rng.standard_normal()
        inside.append(abs(new - predicted) < np.log(fit.pi90_factor_short))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.04)


def test_three_rows_fit_exactly_and_say_nothing_of_their_error() -> None:
    fit = fit_model(rows(noise=0.5, cells=3), model(), **LENGTHS)
    table = rows(noise=0.5, cells=3)
    again = [fit.tokens_per_s(row.input_tokens, np.array(row.output_tokens)) for row in table.itertuples()]
    assert np.array(again) == pytest.approx(table["output_tokens_per_s"].to_numpy())
    assert np.isnan([fit.slope_input_se, fit.residual_sd, fit.pi90_factor_short]).all()


def test_predictions_stop_at_the_largest_row_and_survive_no_tokens() -> None:
    fit = fit_model(rows(noise=0), model(), **LENGTHS)
    rates = fit.tokens_per_s(500, np.array([0.0, 1.0, 300.0, 1e30]))
    assert (np.diff(rates) > 0).all()
    assert rates[0] > 0
    assert rates[-1] == fit.largest_tokens_per_s


def test_a_constant_model_takes_its_larger_row() -> None:
    fit = fit_model(rows(noise=0.1, cells=2), model("constant"), **LENGTHS)
    largest = rows(noise=0.1, cells=2)["output_tokens_per_s"].max()
    assert fit.tokens_per_s(123, np.array([[1.0, 5000.0]])) == pytest.approx(np.array([[largest, largest]]))


def test_the_published_coefficients(throughput: pd.DataFrame) -> None:
    fits = {fit.model: fit for fit in fit_all(throughput, from_params("published.models"), **LENGTHS)}
    for name, (*coefficients, count) in STATED.items():
        fit = fits[name]
        assert (fit.intercept, fit.slope_input, fit.slope_output) == pytest.approx(coefficients, abs=5e-4)
        assert fit.rows == count
    assert fits["Nemotron Ultra 253B"].largest_tokens_per_s == 5200
    factors = [fits[name].pi90_factor_short for name in list(STATED)[:3]]
    assert factors == pytest.approx([2.1, 3.8, 3.8], abs=0.05)


def test_other_precisions_and_unused_rows_stay_out(throughput: pd.DataFrame) -> None:
    chosen = rows_of(throughput, from_params("published.models")[0])
    assert len(chosen) == 7
    assert set(chosen["precision"]) == {"FP8"}


def test_too_few_rows_are_refused(throughput: pd.DataFrame) -> None:
    two = from_params("published.models")[4].model_copy(update={"throughput": "regression"})
    with pytest.raises(InputError, match="2 rows, expected at least 3 rows of Nemotron"):
        rows_of(throughput, two)
    with pytest.raises(InputError, match="0 rows, expected at least 1"):
        rows_of(throughput, two.model_copy(update={"name": "Nobody", "throughput": "constant"}))


def test_fits_survive_a_table() -> None:
    fits = [fit_model(rows(noise=0.2), model(), **LENGTHS), ThroughputFit("N", "constant", 2, 5200.0)]
    again = from_table(to_table(fits))
    assert again["M"] == fits[0]
    assert again["N"].largest_tokens_per_s == 5200.0
    assert again["N"].method == "constant"


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
