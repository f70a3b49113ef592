"""Measurements of one's own move predictions, carry to other loads, and are refused if one is wrong."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.deployment.model.contract import OK
from pipeline.deployment.model.measured import calibrated
from pipeline.deployment.model.predict import Predictor
from tests.deployment.tables import one

RATE = ["output_tokens_per_s_p5", "output_tokens_per_s_p50", "output_tokens_per_s_p95"]


def rows(*changes: dict) -> pd.DataFrame:
    return pd.concat([one(**cells) for cells in changes], ignore_index=True)


def width(found: pd.DataFrame) -> np.ndarray:
    return np.log(found[RATE[2]] / found[RATE[0]]).to_numpy()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (one(), "nothing measured, expected a column of output_tokens_per_s, gpu_w"),
        (one(gpu_w=None), "row 0: nothing measured, expected a number in output_tokens_per_s"),
        (one(gpu_w="many"), "row 0: column 'gpu_w': 'many', expected a number"),
        (one(gpu_w=-1), "row 0: column 'gpu_w': -1, expected more than 0"),
        (one(gpu_w=900, gpu="H1000"), "row 0: column 'gpu': 'H1000', expected an accelerator"),
        (one(gpu_w=900, concurrency=0.5), "column 'concurrency': 0.5, expected at least 1 in a measurement"),
        (one(gpu_w=900, output_tokens=0), "column 'output_tokens': 0, expected at least 1 in a measurement"),
        (one(gpu_w=900, gpus=5), "row 0: cannot run: 64 heads"),
        (one(gpu_w=1.9), "column 'gpu_w': 1.9, expected within 20 times of the "),
        (one(gpu_w=9000), "column 'gpu_w': 9000, expected at most the 2,800 W that they are rated at"),
        (one(output_tokens_per_s=3), "column 'output_tokens_per_s': 3, expected within 20 times"),
        (one(gpu_j_per_output_token=0.002), "that is predicted (another unit?)"),
        (one(node_wh_per_query=0.0002), "column 'node_wh_per_query': 0.0002, expected within 20 times"),
        (one(power=900), "row 1: nothing measured"),
        (one(gpu_watt=1, gpu_j_per_output_tokens=2), "unknown column 'gpu_j_per_output_tokens', expected"),
    ],
)
def test_a_wrong_measurement_refuses_the_table(tool: Predictor, table: pd.DataFrame, said: str) -> None:
    with pytest.raises(InputError) as raised:
        calibrated(tool, table, "mine.csv")
    assert str(raised.value).startswith("mine.csv, row") and said in str(raised.value)


def test_all_wrong_measurements_are_named_at_once(tool: Predictor) -> None:
    table = rows({"gpu_w": 900}, {"gpu_w": 900, "gpu": "H1000"}, {"gpu_w": "x"})
    with pytest.raises(InputError) as raised:
        calibrated(tool, table, "mine.csv")
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "mine.csv, row 1",
        "mine.csv, row 2",
    ]


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_three_points_move_and_narrow_predictions_there_and_elsewhere(tool: Predictor, factor: float) -> None:
    on = {"engine": "vLLM"}
    loads = ({**on, "concurrency": c} for c in (4, 32, 128))
    elsewhere = rows(*loads, {**on, "input_tokens": 4000}, {**on, "gpu": "H200"})
    before = tool.predict(elsewhere)
    flights = rows(*({**on, "concurrency": c} for c in (8, 32, 64)))
    mine = flights.assign(output_tokens_per_s=factor * tool.predict(flights)[RATE[1]])
    after = calibrated(tool, mine).predict(elsewhere)
    assert set(after["status"]) == {OK}
    moved = np.log(after[RATE[1]] / before[RATE[1]]).to_numpy() / np.log(factor)
    assert (moved[:3] > 0.5).all() and (moved[:3] < 1.2).all()  # the configuration itself
    assert (moved[3:] > 0.2).all() and (moved[3:] < 1.2).all()  # what is carried to others
    assert (width(after)[:3] < 0.75 * width(before)[:3]).all()
    assert (width(after) < width(before)).all()


def test_one_measurement_is_enough_and_order_does_not_matter(tool: Predictor) -> None:
    base = tool.predict(one())
    mine = one(output_tokens_per_s=1.5 * base[RATE[1]].item())
    assert calibrated(tool, mine).predict(one())[RATE[1]].item() > 1.1 * base[RATE[1]].item()
    several = rows(*({"concurrency": c, "output_tokens_per_s": 40 * c} for c in (4, 16, 64)))
    forth, back = (
        calibrated(tool, table).predict(one()) for table in (several, several[::-1].reset_index(drop=True))
    )
    assert forth[RATE].to_numpy(float) == pytest.approx(back[RATE].to_numpy(float), rel=1e-6)


def test_a_stated_laboratory_is_not_ones_own(tool: Predictor) -> None:
    other = one(laboratory="inferencex")
    before = tool.predict(other)
    mine = one(output_tokens_per_s=2 * before[RATE[1]].item())
    moved = np.log(calibrated(tool, mine).predict(other)[RATE[1]].item() / before[RATE[1]].item())
    own = np.log(calibrated(tool, mine).predict(one())[RATE[1]].item() / tool.predict(one())[RATE[1]].item())
    assert moved < own


def test_energy_of_the_servers_teaches_what_energy_of_the_accelerators_does(tool: Predictor) -> None:
    """What the middle server draws for a measured power of accelerators gives the same prediction."""
    before = tool.predict(one())
    rate, joules = before[RATE[1]].item(), 0.7 * before["gpu_j_per_output_token_p50"].item()
    of_gpu = calibrated(tool, one(output_tokens_per_s=rate, gpu_j_per_output_token=joules)).predict(one())
    fixed, loss, _ = np.exp(tool.world.servers["H100"].mean)
    node_wh = (fixed * 4 / 8 + (1 + loss) * joules * rate) / rate * 303 / 3600
    of_node = calibrated(tool, one(output_tokens_per_s=rate, node_wh_per_query=node_wh)).predict(one())
    column = "gpu_j_per_output_token_p50"
    assert of_node[column].item() == pytest.approx(of_gpu[column].item(), rel=1e-6)
    assert of_gpu[column].item() < 0.9 * before[column].item()
    alone = calibrated(tool, one(node_wh_per_query=node_wh)).predict(one())
    assert alone["node_wh_per_query_p50"].item() < 0.9 * before["node_wh_per_query_p50"].item()


@pytest.mark.parametrize("engine", [None, "llama.cpp"])
def test_after_measurements_a_blank_engine_is_the_measured_one(tool: Predictor, engine: str | None) -> None:
    """It is no mixture any more: the band is that of one engine, and the note says which."""
    mine = rows(*({"concurrency": c, "output_tokens_per_s": 35 * c, "engine": engine} for c in (8, 32, 64)))
    after = calibrated(tool, mine)
    taken = after.known.engine
    assert taken in ("vLLM", "SGLang", "TensorRT-LLM")
    found = after.predict(rows({}, {"engine": taken}))
    assert found["assumed"].iloc[0].startswith(f"engine {taken}, as measured")
    assert found.loc[0, RATE].tolist() == found.loc[1, RATE].tolist()
    both = rows(
        {"output_tokens_per_s": 900, "engine": "vLLM"}, {"output_tokens_per_s": 900, "engine": "SGLang"}
    )
    assert "any of" in calibrated(tool, both).predict(one())["assumed"].item()
