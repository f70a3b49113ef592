"""Chips: the same chip gains nothing, a better one is never worse, and what is not published is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.levers.model import hardware as published
from pipeline.levers.model.hardware import Comparison, bits_of, least_instance, missing
from pipeline.levers.model.settings import Options
from pipeline.serving.model.costs import request_cost
from pipeline.serving.model.model import read_model
from pipeline.serving.model.prepare import make_tables
from tests.levers.parts import FACTS, LEVERS, RE_ESTIMATE, SETTINGS, evaluator, small

R1, LLAMA = (RE_ESTIMATE.deployments.models[at] for at in (0, 1))


def test_least_instances_are_those_that_were_measured():
    for item, chip, precision, gpus in [
        (LLAMA, "H100", "fp8", 8),
        (LLAMA, "B200", "fp8", 4),
        (R1, "H200", "fp8", 8),
        (SETTINGS.hardware.models[1], "B200", "fp8", 2),
        (SETTINGS.hardware.models[1], "H100", "fp8", 8),
    ]:
        assert least_instance(item, chip, precision, FACTS, SETTINGS.hardware).gpus == gpus


def test_a_model_that_fits_nowhere_is_refused():
    with pytest.raises(InputError, match="8 H100 do not hold DeepSeek-R1 in bf16"):
        least_instance(R1, "H100", "bf16", FACTS, SETTINGS.hardware)


@pytest.fixture(scope="module")
def comparison():
    return Comparison.of(evaluator(), "short", FACTS)


def test_a_chip_against_itself_gains_one(comparison):
    for item, same in zip(comparison.models, comparison.moved["H100", "fp8"], strict=True):
        assert comparison.wh[item] / comparison.wh[same] == pytest.approx(np.ones(len(evaluator().every)))


def test_every_chip_has_a_row_in_both_regimes():
    table = small()["hardware"]
    modelled = table[table["basis"] == "fitted model"]
    for regime in ("short", "long"):
        assert set(SETTINGS.hardware.chips) <= set(modelled.loc[modelled["regime"] == regime, "chip"])


def better(factor: float) -> tuple:
    """Seconds and W with H100 as it is, and with more bandwidth and FLOP/s at equal power."""
    settings = RE_ESTIMATE.serving
    model = read_model()
    hardware = model.tables.hardware.reset_index()
    at = hardware["gpu"] == "H100"
    for column in ("bandwidth_tb_s", "peak_bf16_tflops", "peak_fp8_tflops"):
        hardware.loc[at, column] *= factor
    faster = replace(model, tables=make_tables(model.tables.models, hardware))
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
    assert "host" in missing("TPU7x", FACTS)
    assert missing("B200", FACTS) is None


def test_before_and_after_stand_in_the_same_host():
    one = evaluator()
    item = SETTINGS.hardware.models[0]
    busy = Options(utilisation=np.ones(len(one.every)))
    gpu_w = np.full(len(one.every), 3000.0)
    watts = [
        one.watts(item.model_copy(update={"gpu": gpu}), gpu_w, busy) for gpu in ("H100", "B200", "GB300")
    ]
    np.testing.assert_allclose(watts[1], watts[0])
    np.testing.assert_allclose(watts[2], watts[0])


def test_a_host_that_is_in_the_rated_power_is_not_counted_again():
    one = evaluator()
    item = SETTINGS.hardware.models[0].model_copy(update={"gpu": "TPU7x"})
    gpu_w = np.full(len(one.every), 3000.0)
    assert one.host_counted("TPU7x")
    np.testing.assert_allclose(one.watts(item, gpu_w, Options(utilisation=1.0)), gpu_w)
    rows = small()["hardware"].query("basis == 'fitted model'").groupby("chip")["boundary"].agg(set)
    assert rows["TPU7x"] == {"facility"} and rows["B200"] == {"facility", "gpu"}
    assert bits_of("TPU7x", FACTS) == ("fp8",)
    table = small()["hardware"]
    assert table.loc[table["chip"].isin(["Maia 200", "MI355X", "Rubin"]) & (table["basis"] == "fitted model"),
                     "missing"].notna().all()  # fmt: skip


def test_chips_that_no_fit_has_seen_are_graded_c():
    table = small()["hardware"]
    modelled = table[table["basis"] == "fitted model"]
    grades = modelled.groupby("chip")["grade"].agg(set).to_dict()
    for chip in ("MI355X", "TPU7x", "Maia 200", "Rubin", "GB300"):
        assert grades[chip] == {"C"}
    assert grades["B200"] == {"B"}


def test_measured_energy_of_two_chips_is_that_of_their_rows():
    rows = pd.DataFrame(
        [
            {"model": "m", "precision": "FP8", "gpu": gpu, "concurrency": batch,
             "gpu_j_per_output_token": joules}
            for gpu, scale in (("H100", 2.0), ("B200", 1.0))
            for batch, joules in ((32.0, 4 * scale), (512.0, scale))
        ]
    )  # fmt: skip
    same, best = published.measured(rows, [64.0, 128.0, 256.0])
    assert (same["p50"], best["p50"]) == pytest.approx((2.0, 2.0))
    assert (same["grade"], same["n_values"], best["n_values"]) == ("A", 3, 1)


def test_throughput_is_divided_by_rated_power():
    rows = {row["evidence"]: row for row in published.stated(LEVERS.set_index("key"), FACTS)}
    row, watts = rows["oviedo_blackwell"], [FACTS[chip]["rated_w"] for chip in ("H100", "B200")]
    assert row["p50"] == pytest.approx(3.1 * watts[0] / watts[1])
    assert (row["p5"], row["p95"]) == pytest.approx((2.8 * watts[0] / watts[1], 3.4 * watts[0] / watts[1]))
    per_watt = rows["infx_b200_h100"]
    assert per_watt["p50"] == LEVERS.set_index("key").loc["infx_b200_h100", "value"]


def test_the_model_keeps_to_what_was_measured():
    """B200 against H100 at the same batch: between the measured extremes of that comparison."""
    table = small()["systems"]
    measured = table[(table["system"] == "B200") & (table["basis"] == "measured energy")]
    modelled = table[(table["system"] == "B200") & (table["basis"] == "fitted model")]
    assert measured["p50"].min() < modelled["p50"].min() < measured["p95"].max()
