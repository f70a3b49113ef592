"""How much context running requests hold: early in a run, and when memory is full."""

import heapq
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions.serving import Serving
from pipeline.fit.serving import terms as T
from pipeline.fit.serving.model import ServingModel
from pipeline.fit.serving.predictive import draw
from pipeline.fit.serving.prepare import VLLM, prepare
from pipeline.fit.serving.training import CHAT_REQUESTS, age_share


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
    requests = batch + CHAT_REQUESTS if batch > CHAT_REQUESTS / 2 else CHAT_REQUESTS
    ages = [simulated_age(batch, requests, seed) for seed in range(40)]
    assert age_share(np.array([float(batch)]))[0] == pytest.approx(np.mean(ages), rel=0.05)


def test_no_step_reads_more_cache_than_memory_holds(
    configuration: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    batch = np.array([8.0, 64, 512, 4096])
    rows = configuration.loc[[0] * 4].assign(concurrency=batch, output_tokens=8000.0, version="2025")
    p = prepare(rows.assign(stack=VLLM, split_by_request=0.0), model.tables)
    read = p.x[:, T.INDEX["kv"]] * p.chip.bandwidth
    free = 0.95 * 80 * 2**30 - 70.6e9 * 2 / 4
    one = T.cache_bytes_per_gpu(p.arch, p.load, T.mean_context(p.load))
    np.testing.assert_allclose(read, np.minimum(batch * one, free))
    attention = p.x[:, T.INDEX["attention"]]
    assert attention[0] < attention[1] < attention[2] == attention[3]


def test_young_requests_have_less_context(configuration: pd.DataFrame, model: ServingModel) -> None:
    rows = configuration.assign(stack=VLLM, version="2025", split_by_request=0.0)
    steady = prepare(rows, model.tables)
    assert T.mean_context(steady.load)[0] == pytest.approx(501 + 301 * (1 + 0.8**2) / 2)
    young = steady.with_load(replace(steady.load, age_share=np.array([0.5])))
    assert T.mean_context(young.load)[0] == pytest.approx(501 + 301 * (1 + 0.8**2) / 4)
    assert young.x[0, T.INDEX["kv"]] < steady.x[0, T.INDEX["kv"]]


def test_a_measured_number_in_flight_is_cut_later(
    configuration: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    rows = configuration.assign(concurrency=1e4, output_tokens=8001.0, output_cv=1.0)

    def running(measured: bool) -> float:
        rng = np.random.default_rng(3)
        return draw(rows, model, settings, rng, 5, measured_in_flight=measured).running[0, 0]

    # half way through a mean output, instead of the age at a coefficient of variation of one: twice as far
    expected = (501 + 8001) / (501 + 8001 / 2)
    assert running(True) / running(False) == pytest.approx(expected, rel=1e-6)
