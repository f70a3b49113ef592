"""What measurements of one's own tell."""

import numpy as np
import pandas as pd
import pytest

from pipeline.serving.model.calibration import JOULES, RATE, WATTS, updated
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.predictive import draw
from pipeline.serving.model.settings import Serving
from tests.serving.conftest import rows_of

BATCH = np.array([8.0, 32.0, 128.0])


def table(**columns: object) -> pd.DataFrame:
    return rows_of("Qwen3 32B", "H200", gpus=np.array([2, 2, 2]), concurrency=BATCH, **columns)


def medians(rows: pd.DataFrame, model: ServingModel, settings: Serving) -> tuple[np.ndarray, np.ndarray]:
    """Median tokens/s and width of the 90 % interval in ln, (n,)."""
    rate = np.log(draw(rows, model, settings, 3, 512).output_tokens_per_s)
    low, middle, high = np.quantile(rate, [0.05, 0.5, 0.95], axis=1)
    return np.exp(middle), high - low


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_one_row_moves_and_narrows_the_others(factor: float, model: ServingModel, settings: Serving) -> None:
    before, width = medians(table(), model, settings)
    own = table().iloc[[1]].assign(**{RATE: factor * before[1]})
    after, narrow = medians(table(), updated(model, own, settings), settings)
    assert np.abs(np.log(after / before / factor)).max() < 0.35 * abs(np.log(factor)) + 0.05
    assert (narrow < 0.75 * width).all()


def test_more_rows_narrow_more(model: ServingModel, settings: Serving) -> None:
    before, _ = medians(table(), model, settings)
    widths = [
        medians(table(), updated(model, table().iloc[:n].assign(**{RATE: before[:n]}), settings), settings)[1]
        for n in (1, 3)
    ]
    assert (widths[1] <= widths[0] + 1e-3).all()


def test_what_is_learnt_goes_with_the_laboratory(model: ServingModel, settings: Serving) -> None:
    """Another model on another chip moves too, less than the one that was measured."""
    before, _ = medians(table(), model, settings)
    told = updated(model, table().assign(**{RATE: 0.6 * before}), settings)
    other = rows_of("Llama 3.1 8B", "B200", gpus=np.array([1]))
    moved = medians(other, told, settings)[0] / medians(other, model, settings)[0]
    own = medians(table(), told, settings)[0] / before
    assert own.max() < moved[0] < 1


def test_a_stated_laboratory_does_not_learn_from_ours(model: ServingModel, settings: Serving) -> None:
    before, _ = medians(table(), model, settings)
    told = updated(model, table().assign(**{RATE: 0.5 * before}), settings)
    named = table(laboratory="inferencex")
    ratio = medians(named, told, settings)[0] / medians(named, model, settings)[0]
    ours = medians(table(), told, settings)[0] / before
    assert (ours < ratio).all()


def test_energy_alone_moves_energy(model: ServingModel, settings: Serving) -> None:
    def joules(by: ServingModel) -> np.ndarray:
        drawn = draw(table(), by, settings, 3, 512)
        return np.median(drawn.gpu_w / drawn.output_tokens_per_s, axis=1)

    before = joules(model)
    told = updated(model, table().assign(**{JOULES: 1.6 * before}), settings)
    assert (np.abs(np.log(joules(told) / before / 1.6)) < 0.2).all()


def test_watts_alone_leave_throughput(model: ServingModel, settings: Serving) -> None:
    drawn = draw(table(), model, settings, 3, 512)
    own = table().assign(**{WATTS: 0.8 * np.median(drawn.gpu_w, axis=1)})
    told = draw(table(), updated(model, own, settings), settings, 3, 512)
    np.testing.assert_allclose(told.step_s, drawn.step_s)
    assert (np.median(told.gpu_w, axis=1) < 0.93 * np.median(drawn.gpu_w, axis=1)).all()


def test_a_blank_engine_becomes_the_likeliest(model: ServingModel, settings: Serving) -> None:
    blank = table(engine=None)
    told = updated(model, blank.assign(**{RATE: medians(table(), model, settings)[0]}), settings)
    assert np.isfinite(draw(blank, told, settings, 3, 64).step_s).all()
