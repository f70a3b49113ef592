from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from pipeline.core.assumption import LogNormal
from pipeline.core.catalogue import find
from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.servers.model.contract import NODE_POWER_FITS
from pipeline.servers.model.power import (
    BELIEVED,
    Condition,
    ServerFit,
    b200_conditions,
    by_accelerator,
    fit_server,
    from_table,
    rated,
    saturated_share,
    to_table,
)

HARDWARE = read_table("data/published/hardware.csv", find("hardware").contract)
RATED_W = rated(HARDWARE)
FITS = from_table(read_table("data/results/node_power_fits.csv", NODE_POWER_FITS), HARDWARE)
PRIORS = from_params("servers")
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


def test_the_formula_by_hand() -> None:
    """fixed 1000 W for eight, loss 0.1, a server of 1.2 times the part beside: four of them at 2,000 W."""
    fit = ServerFit("H100", np.log([1000.0, 0.1, 0.15]), np.eye(3) * 1e-18, 0.5, 700.0)
    server = ndtr(np.log(1.2) / 0.5)
    at = np.array([0.5, 0.5, 0.5, server])
    assert fit.node_w(np.array(2000.0), np.array(4), at) == pytest.approx((500 + 200) * 1.2 + 2000)
    assert fit.idle_w(np.array(8), at) == pytest.approx((1000 + 84) * 1.2 + 0.15 * 700 * 8)


def test_terms_rise_with_the_uniforms_that_draw_them() -> None:
    """A standard deviation up: 0.2, 0.3 and 0.1 in ln, and the third follows the first by half."""
    root = np.array([[0.2, 0.0, 0.0], [0.0, 0.3, 0.0], [0.05, 0.0, 0.1]])
    fit = ServerFit("H100", np.log([1000.0, 0.1, 0.15]), root @ root.T, 0.5, 700.0)
    fixed, loss, idle, server = fit.terms(ndtr(np.array([1.0, 1.0, 1.0, -1.0])))
    expected = [1000 * np.exp(0.2), 0.1 * np.exp(0.3), 0.15 * np.exp(0.15), np.exp(-0.5)]
    assert [fixed, loss, idle, server] == pytest.approx(expected)


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


def test_the_node_that_served_is_reproduced_but_for_memory_fans_and_losses() -> None:
    """Four H100 with processors: 418 W idle, 2,747 W busy; a whole server draws more."""
    fit = FITS["H100"]
    assert np.exp(fit.mean[2]) * RATED_W["H100"] == pytest.approx(72.5, rel=0.05)
    idle = np.median(fit.idle_w(np.array(4), UNIFORMS))
    busy = np.median(fit.node_w(np.array(2522.0), np.array(4), UNIFORMS))
    assert 418 < idle < 3 * 418
    assert 2747 < busy < 1.5 * 2747


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
                ("processor_share", 0.29, 0.31),
                ("server_spread", 0.1, 0.2),
            )
        }
    )
    found = fit_server("B200", RATED_W["B200"], tight, conditions, {"saturated": (np.log(saturated), 0.001)})
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
    again = from_table(to_table(list(FITS.values())), HARDWARE)
    for gpu, fit in FITS.items():
        assert again[gpu].node_w(np.array(4000.0), np.array(8), UNIFORMS) == pytest.approx(
            fit.node_w(np.array(4000.0), np.array(8), UNIFORMS)
        )


def test_every_accelerator_has_a_server_and_each_measured_one_its_own() -> None:
    servers = by_accelerator(FITS, HARDWARE)
    assert set(servers) == set(HARDWARE["gpu"])
    assert {gpu: servers[gpu].gpu for gpu in FITS} == {gpu: gpu for gpu in FITS}
    assert servers["H200"].gpu == "H100"


def test_a_prior_of_another_family_is_refused() -> None:
    wrong = SimpleNamespace(
        fixed_w=PRIORS["B200"].server_spread,
        **{name: getattr(PRIORS["B200"], name) for name in BELIEVED if name != "fixed_w"},
    )
    with pytest.raises(InputError, match="fixed_w"):
        fit_server("B200", RATED_W["B200"], wrong, [], {})


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
    conditions = b200_conditions(logs, mlperf, RATED_W["B200"], PRIORS["B200"])
    assert [c.watts for c in conditions] == pytest.approx([2000.0, 9800.0])
    assert conditions[1].spread < PRIORS["B200"].server_spread.distribution.median()


def test_saturation_needs_rows_at_large_batch() -> None:
    rows = pd.DataFrame(
        {
            "fits": "node",
            "checks": None,
            "gpu": "B200",
            "model": "Llama 3.1 405B",
            "concurrency": [8.0, 512.0, 1024.0],
            "gpu_w": [3000.0, 7600.0, 7600.0],
            "gpus": 8.0,
        }
    )
    mean, spread = saturated_share(rows, RATED_W["B200"], PRIORS["B200"])
    assert np.exp(mean) == pytest.approx(0.95)
    assert spread == pytest.approx(0.04)
    with pytest.raises(InputError, match="batch 256 to inf"):
        saturated_share(rows.iloc[:1], RATED_W["B200"], PRIORS["B200"])
