"""What the tests of readers share: a table of made-up models, and a way to write upstream files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


@pytest.fixture
def models() -> pd.DataFrame:
    rows = [("lab/alpha-8B", "Alpha 8B", 8.0, 8.0, "dense"), ("lab/beta-8x4B", "Beta 8x4B", 30.0, 6.0, "moe")]
    columns = ["upstream_model", "model", "total_params_b", "active_params_b", "architecture"]
    return pd.DataFrame(rows, columns=columns).assign(params_source="made up", note=None)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Write a file under the temporary folder: text as it is, everything else as JSON."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write
