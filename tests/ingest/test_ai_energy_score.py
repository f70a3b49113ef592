from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.ai_energy_score import UNIT, read_measurements

ROWS = [
    {"model": "lab/alpha-8B", "class": "A", "wh_per_1000_queries": 10.0},
    {"model": "lab/beta-8x4B", "class": "C", "wh_per_1000_queries": 50.0},
]
NAME = "leadgreen_mcp/data/per-query.json"
Write = Callable[[str, Any], Path]


def test_energy_per_thousand_becomes_energy_per_query(
    write: Write, tmp_path: Path, models: pd.DataFrame
) -> None:
    write(NAME, {"unit": UNIT, "rows": ROWS})
    table = read_measurements(tmp_path, models).set_index("model")
    assert table.loc["Alpha 8B", "wh_per_request"] == 0.01
    assert table.loc["Alpha 8B", "gpu_j_per_output_token"] == pytest.approx(3.6)
    assert table.loc["Alpha 8B", "gpus"] == 1
    assert pd.isna(table.loc["Beta 8x4B", "gpus"])


def test_another_unit_is_refused(write: Write, tmp_path: Path, models: pd.DataFrame) -> None:
    write(NAME, {"unit": "kWh", "rows": ROWS})
    with pytest.raises(InputError, match="'kWh', expected 'Wh per 1,000 queries'"):
        read_measurements(tmp_path, models)
