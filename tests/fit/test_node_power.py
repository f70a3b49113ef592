from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.servers import NODE_POWER_FITS
from pipeline.distributions import LogNormal
from pipeline.errors import InputError
from pipeline.fit.node_conditions import b200_conditions, saturated_share
from pipeline.fit.node_power import RATED_W, Condition, fit_server, from_table, server_of, to_table

FITS = from_table(read_table("data/results/node_power_fits.csv", NODE_POWER_FITS))
PRIORS = load("assumptions.re_estimate.server_power")
UNIFORMS = np.random.default_rng(3).random((2000, 4))
gpu_types = st.sampled_from(sorted(FITS))
watts = st.floats(min_value=50, max_value=8000)
probabilities = st.lists(st.floats(min_value=0.001, max_value=0.999), min_size=4, max_size=4)


@given(gpu=gpu_types, gpu_w=watts, more=st.floats(min_value=1, max_value=2000), u=probabilities)
def test_wall_power_is_above_accelerator_power_and_rises_with_it(
    gpu: str, gpu_w: float, more: float, u: list[float]
) -> None:
    at = np.array(u)
    first = FITS[gpu].node_w(np.array(gpu_w), np.array(8), at)
    second = FITS[gpu].node_w(np.array(gpu_w + more), np.array(8), at)
    assert first > gpu_w
    assert second - first > more * 0.999


@given(gpu=gpu_types, u=probabilities)
def test_half_a_server_at_half_the_power_draws_half(gpu: str, u: list[float]) -> None:
    at = np.array(u)
    whole = FITS[gpu].node_w(np.array(4000.0), np.array(8), at)
    half = FITS[gpu].node_w(np.array(2000.0), np.array(4), at)
    assert half == pytest.approx(whole / 2)


def test_the_logged_server_is_reproduced_idle_and_saturated() -> None:
    fit = FITS["B200"]
    idle = np.median(fit.idle_w(np.array(8), UNIFORMS))
    assert idle == pytest.approx(2356, rel=0.05)
    saturated = np.median(fit.node_w(np.array(0.957 * 8000), np.array(8), UNIFORMS))
    assert saturated == pytest.approx(np.sqrt(9892 * 10401), rel=0.03)


def test_known_terms_are_recovered_from_made_up_conditions() -> None:
    fixed, loss, idle, saturated = 1500.0, 0.2, 0.15, 0.9
    walls = {"idle": idle, "saturated": saturated, "training": 0.88, "training_peak": 0.97}
    conditions = [
        Condition(name, fixed + (1 + loss) * share * 8000, name, 0.001) for name, share in walls.items()
    ]
    tight = SimpleNamespace(
        **{
            name: SimpleNamespace(distribution=lognormal(p5, p95))
            for name, p5, p95 in (
                ("fixed_w", 300, 6000),
                ("loss", 0.02, 0.9),
                ("gpu_idle_share", 0.149, 0.151),
                ("gpu_training_share", 0.879, 0.881),
                ("gpu_training_peak_share", 0.969, 0.971),
                ("server_spread", 0.1, 0.2),
            )
        }
    )
    found = fit_server("B200", tight, conditions, (np.log(saturated), 0.001))
    assert np.exp(found.mean) == pytest.approx([fixed, loss, idle], rel=0.03)


def lognormal(p5: float, p95: float) -> LogNormal:
    return LogNormal(family="lognormal", p5=p5, p95=p95)


def test_measurements_narrow_the_prior_and_no_measurement_leaves_it() -> None:
    ratio = {}
    for gpu, fit in FITS.items():
        node_w = fit.node_w(np.array(0.75 * RATED_W[gpu] * 8), np.array(8), UNIFORMS)
        low, high = np.quantile(node_w, [0.05, 0.95])
        ratio[gpu] = high / low
    assert ratio["B200"] < ratio["H100"] < ratio["A100"]
    prior = PRIORS["A100"].fixed_w.distribution
    assert FITS["A100"].mean[0] == pytest.approx(prior.mu, rel=1e-5)


def test_the_table_brings_a_fit_back() -> None:
    again = from_table(to_table(list(FITS.values())))
    for gpu, fit in FITS.items():
        assert again[gpu].node_w(np.array(4000.0), np.array(8), UNIFORMS) == pytest.approx(
            fit.node_w(np.array(4000.0), np.array(8), UNIFORMS)
        )


def test_an_unknown_accelerator_is_refused() -> None:
    assert server_of("H200") == "H100"
    with pytest.raises(InputError, match="TPU"):
        server_of("TPU")


def test_a_prior_of_another_family_is_refused() -> None:
    wrong = SimpleNamespace(
        fixed_w=PRIORS["B200"].server_spread,
        **{
            name: getattr(PRIORS["B200"], name)
            for name in ("loss", "gpu_idle_share", "gpu_training_share", "gpu_training_peak_share")
        },
    )
    with pytest.raises(InputError, match="fixed_w"):
        fit_server("B200", wrong, [], (0.0, 0.1))


def test_flagged_logs_and_other_scenarios_are_no_conditions() -> None:
    logs = pd.DataFrame({"valid": ["yes", "no"], "floor_w": [2000.0, 50.0]})
    run = {
        "gpu": "NVIDIA B200-SXM-180GB",
        "gpus_per_node": 8.0,
        "nodes": 1,
        "model": "Llama 3.1 405B",
        "platform": "one",
    }
    mlperf = pd.DataFrame(
        [
            run | {"scenario": "Offline", "published_w": 9800.0},
            run | {"scenario": "Server", "published_w": 9000.0},
            run | {"scenario": "Offline", "published_w": np.nan},
            run | {"scenario": "Offline", "published_w": 5000.0, "model": "Llama 3.1 8B"},
        ]
    )
    conditions = b200_conditions(logs, mlperf, PRIORS["B200"])
    assert [c.wall_w for c in conditions] == pytest.approx([2000.0, 9800.0])
    assert conditions[1].spread < PRIORS["B200"].server_spread.distribution.median()


def test_saturation_needs_rows_at_large_batch() -> None:
    rows = pd.DataFrame(
        {
            "source": "mlenergy_v3",
            "gpu": "B200",
            "model": "Llama 3.1 405B",
            "average_batch": [8.0, 512.0, 1024.0],
            "gpu_w": [3000.0, 7600.0, 7600.0],
            "gpus": 8.0,
        }
    )
    mean, spread = saturated_share(rows, 0.04)
    assert np.exp(mean) == pytest.approx(0.95)
    assert spread == pytest.approx(0.04)
    with pytest.raises(InputError, match="batch 256"):
        saturated_share(rows.iloc[:1], 0.04)
