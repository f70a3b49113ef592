"""What laboratories differ by, and what one's own rows narrow, by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read
from pipeline.serving.model.held_out import FORMS, RATE
from pipeline.serving.model.laboratories import STEP_MODEL, TOLD, known_to, laboratories

PREDICTIONS = read("heldout_predictions").assign(left_out="laboratory")
LEFT_OUT = PREDICTIONS[PREDICTIONS["form"].eq(STEP_MODEL) & PREDICTIONS["quantity"].eq(RATE)]
NAMES = sorted(LEFT_OUT["laboratory"].unique())[:2]


def test_a_laboratory_is_its_effect_with_its_middle_90_percent_and_its_years() -> None:
    positions = pd.Series([1, 2], index=NAMES[::-1])
    step = SimpleNamespace(
        positions=lambda effect: {"laboratory": positions}[effect],
        mode=np.array([9.0, 0.1, -0.2]),
        root=np.array([[9.0, 0.0, 0.0], [0.3, 0.4, 0.0], [0.0, 0.0, 0.1]]),  # deviations of 0.5 and 0.1
    )
    training = pd.DataFrame({
        "laboratory": [NAMES[0], NAMES[0], NAMES[1], NAMES[0]], "in_step": [True, True, True, False],
        "engine_year": [2024.5, 2025.0, 2023.0, 2026.0],
    })  # fmt: skip
    model: Any = SimpleNamespace(step=step)
    found = laboratories(model, training, PREDICTIONS).set_index("laboratory")
    assert found.index.tolist() == NAMES
    assert found["n"].tolist() == [2, 1]
    assert found["first_year"].tolist() == [2024.5, 2023.0]
    assert found["last_year"].tolist() == [2025.0, 2023.0]
    assert np.log(found["step_factor"]).tolist() == pytest.approx([-0.2, 0.1])
    for end, sign in (("low", -1), ("high", 1)):
        ends = np.log(found[f"step_factor_{end}"]).to_numpy()
        assert ends == pytest.approx(np.array([-0.2, 0.1]) + sign * 1.645 * np.array([0.1, 0.5]), abs=1e-3)
    errors = LEFT_OUT.assign(ln=np.log(LEFT_OUT["predicted_p50"] / LEFT_OUT["measured"]))
    bias = errors.groupby("laboratory")["ln"].median()
    assert found["left_out_bias_ln"].abs().tolist() == pytest.approx(bias[NAMES].abs().tolist(), abs=1e-4)


def test_the_interval_of_an_unknown_laboratory_narrows_by_the_curve() -> None:
    selection = pd.DataFrame({
        "model": 0, "form": [FORMS[RATE], FORMS[RATE], "other"], "quantity": RATE,
        "left_out": ["laboratory", "configuration", "laboratory"], "p95_over_p5": [9.0, 4.0, 16.0],
    })  # fmt: skip
    curve = pd.DataFrame({"own_rows": [TOLD, TOLD + 1], "width_ratio": [0.5, 0.25]})
    assert known_to(selection, curve) == pytest.approx((3.0, np.sqrt(3.0)))
