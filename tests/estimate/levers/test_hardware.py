"""Chips: the same chip gains nothing, a better one is never worse, and what is not published is said."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.estimate.levers import hardware_published as published
from pipeline.estimate.levers.hardware import Ladder, has_fp4, least_instance, missing
from pipeline.fit.serving.costs import request_cost
from pipeline.fit.serving.model import read_model
from pipeline.fit.serving.prepare import make_tables
from tests.estimate.levers.parts import FACTS, LEVERS, RE_ESTIMATE, SETTINGS, bench, results

R1, LLAMA = (RE_ESTIMATE.deployments.models[at] for at in (0, 1))
HEADROOM = SETTINGS.hardware.weights_headroom.distribution.median()


def test_least_instances_are_those_that_were_measured():
    for item, chip, precision, gpus in [
        (LLAMA, "H100", "fp8", 8),
        (LLAMA, "B200", "fp8", 4),
        (R1, "H200", "fp8", 8),
        (SETTINGS.hardware.models[1], "B200", "fp8", 2),
        (SETTINGS.hardware.models[1], "H100", "fp8", 8),
    ]:
        assert least_instance(item, chip, precision, FACTS, HEADROOM).gpus == gpus


def test_a_model_that_fits_nowhere_is_refused():
    with pytest.raises(InputError, match="eight H100 do not hold DeepSeek-R1 in bf16"):
        least_instance(R1, "H100", "bf16", FACTS, HEADROOM)


@pytest.fixture(scope="module")
def ladder():
    return Ladder.of(bench(), "short", FACTS)


def test_a_chip_against_itself_gains_one(ladder):
    for item, same in zip(ladder.models, ladder.moved["H100", "fp8"], strict=True):
        assert ladder.wh[item] / ladder.wh[same] == pytest.approx(np.ones(len(bench().every)))


def test_every_chip_of_the_ladder_has_a_row_in_both_regimes():
    table = results()["hardware"]
    modelled = table[table["basis"] == "fitted model"]
    for regime in ("short", "long"):
        assert set(SETTINGS.hardware.chips) <= set(modelled.loc[modelled["regime"] == regime, "chip"])


def better(factor: float) -> tuple:
    """Seconds and W with H100 as it is, and with more bandwidth and FLOP/s at equal power."""
    settings = RE_ESTIMATE.serving
    model = read_model(settings.power_form)
    hardware = model.tables.hardware.reset_index()
    at = hardware["gpu"] == "H100"
    for column in ("bandwidth_tb_s", "peak_bf16_tflops", "peak_fp8_tflops"):
        hardware.loc[at, column] *= factor
    faster = model.__class__(
        make_tables(model.tables.models, hardware), model.steps, model.power, model.anchors.iloc[:0]
    )
    rows = pd.DataFrame(
        {"model": "Llama 3.1 405B", "total_params_b": 405.0, "active_params_b": 405.0, "gpu": "H100",
         "gpus": 8, "precision": "fp8", "concurrency": [1.0, 16.0, 128.0, 512.0], "input_tokens": 1000.0,
         "output_tokens": 300.0, "output_cv": 0.8, "engine": "vLLM"}
    )  # fmt: skip
    cost = request_cost(rows, faster, settings, np.random.default_rng(3), 64)
    return cost.seconds(1000.0, 300.0), cost.gpu_w


def test_more_bandwidth_and_flops_at_equal_power_are_never_worse():
    seconds, watts = better(1.0)
    for factor in (1.1, 2.0):
        fewer, others = better(factor)
        assert np.all(fewer <= seconds)
        assert np.all(fewer * others <= seconds * watts * (1 + 1e-9))


def test_what_no_source_says_of_a_chip_stands_in_its_row():
    assert "bf16" in missing("Maia 200", FACTS)
    assert "server" in missing("TPU7x", FACTS)
    assert not has_fp4("TPU7x", FACTS)
    table = results()["hardware"]
    assert table.loc[table["chip"].isin(["Maia 200", "MI355X", "Rubin"]) & (table["basis"] == "fitted model"),
                     "missing"].notna().all()  # fmt: skip


def test_chips_that_no_fit_has_seen_are_graded_c():
    table = results()["hardware"]
    modelled = table[table["basis"] == "fitted model"]
    grades = modelled.groupby("chip")["grade"].agg(set).to_dict()
    for chip in ("MI355X", "TPU7x", "Maia 200", "Rubin", "GB300"):
        assert grades[chip] == {"C"}
    assert grades["B200"] == {"B"}


def test_measured_energy_of_two_chips_is_that_of_their_rows():
    rows = pd.DataFrame(
        [
            {"model": "m", "precision": "FP8", "gpu": gpu, "average_batch": batch,
             "gpu_j_per_output_token": joules}
            for gpu, scale in (("H100", 2.0), ("B200", 1.0))
            for batch, joules in ((32.0, 4 * scale), (512.0, scale))
        ]
    )  # fmt: skip
    same, best = published.measured(rows)
    assert (same["p50"], best["p50"]) == pytest.approx((2.0, 2.0))
    assert (same["grade"], same["n_values"], best["n_values"]) == ("A", 3, 1)


def test_throughput_is_divided_by_rated_power():
    watts = dict.fromkeys({chip for pair in published.PAIRS.values() for chip in pair}, 700.0) | {
        "B200": 1000.0
    }
    rows = {row["evidence"]: row for row in published.stated(LEVERS.set_index("key"), watts)}
    row = rows["oviedo_blackwell"]
    assert row["p50"] == pytest.approx(3.1 * 700 / 1000)
    assert (row["p5"], row["p95"]) == pytest.approx((2.8 * 0.7, 3.4 * 0.7))


def test_the_model_keeps_to_what_was_measured():
    """B200 against H100 at the same batch: between the measured extremes of that comparison."""
    table = results()["systems"]
    measured = table[(table["system"] == "B200") & (table["basis"] == "measured energy")]
    modelled = table[(table["system"] == "B200") & (table["basis"] == "fitted model")]
    assert measured["p50"].min() < modelled["p50"].min() < measured["p95"].max()
