"""How much context running requests hold: early in a run, and when memory is full."""

import heapq

import numpy as np
import pandas as pd
import pytest

from pipeline.serving.model import terms as T
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.prepare import prepare
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.training import age_share


def simulated_age(batch: int, requests: int, seed: int) -> float:
    """Mean age, in mean lengths, of exponential requests run `batch` at once until none waits."""
    rng = np.random.default_rng(seed)
    running = [(end, 0.0) for end in rng.exponential(size=batch)]
    heapq.heapify(running)
    age_time = now = 0.0
    for length in rng.exponential(size=requests - batch):
        end, started = heapq.heappop(running)
        age_time += (end - started) ** 2 / 2  # ages of this request, added up over its time
        heapq.heappush(running, (end + length, end))
        now = end
    age_time += sum((now - started) ** 2 / 2 for _, started in running)
    return age_time / (batch * now)


@pytest.mark.parametrize("batch", [64, 256, 1024, 3072])
def test_the_age_of_requests_is_that_of_a_simulated_run(batch: int) -> None:
    requests = batch + 1024 if batch > 512 else 1024
    ages = [simulated_age(batch, requests, seed) for seed in range(40)]
    assert age_share(np.array([float(batch)]), 1024.0)[0] == pytest.approx(np.mean(ages), rel=0.05)


def test_no_step_reads_more_cache_than_memory_holds(
    configuration: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    batch = np.array([8.0, 64, 512, 4096])
    rows = configuration.loc[[0] * 4].assign(concurrency=batch, output_tokens=8000.0)
    p = prepare(rows, model.tables, settings)
    read = p.x[:, T.INDEX["kv"]] * p.chip.bandwidth
    share = settings.memory_share.distribution.median()
    free = share * p.chip.memory - 70.6e9 * 2 / 4
    one = T.cache_bytes_per_gpu(p.arch, p.load, T.mean_context(p.load))
    np.testing.assert_allclose(read, np.minimum(p.load.concurrency * one, free))
    attention = p.x[:, T.INDEX["attention"]]
    assert attention[0] < attention[1] < attention[2] == attention[3]


def test_young_requests_have_less_context(
    configuration: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    steady = prepare(configuration, model.tables, settings)
    assert T.mean_context(steady.load)[0] == pytest.approx(501 + 301 * (1 + 0.8**2) / 2)
    young = prepare(configuration.assign(age_share=0.5), model.tables, settings)
    assert T.mean_context(young.load)[0] == pytest.approx(501 + 301 * (1 + 0.8**2) / 4)
    assert young.x[0, T.INDEX["kv"]] < steady.x[0, T.INDEX["kv"]]


def test_what_memory_does_not_hold_waits(
    configuration: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    rows = configuration.assign(concurrency=1e4, output_tokens=8001.0)
    p = prepare(rows, model.tables, settings)
    room = T.sequences_that_fit(p.arch, p.load, p.chip, settings, np.array([501 + 8001 / 2]))
    assert settings.memory_share.distribution.median() == 0.92
    np.testing.assert_allclose(p.load.concurrency, room)
    narrow = prepare(rows.assign(cache_precision="fp8"), model.tables, settings)
    np.testing.assert_allclose(narrow.load.concurrency, 2 * room)


def test_cached_tokens_are_read_and_not_computed(
    configuration: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    fresh = prepare(configuration, model.tables, settings).x[0]
    cached = prepare(configuration.assign(cached_input_tokens=400.0), model.tables, settings).x[0]
    kv, prefill = T.INDEX["kv"], T.INDEX["prefill"]
    assert cached[kv] == fresh[kv]
    assert cached[prefill] == pytest.approx(fresh[prefill] * 101 / 501)
