"""A log of one's own, read as the command reads it."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.logs.deployment import Deployment
from pipeline.logs.gather import gather

T0 = pd.Timestamp("2026-01-05")
NAN = float("nan")


def read(path: Path, folder: Path, log: str, **facts) -> pd.DataFrame:
    """The rows of a file in the columns of the contract."""
    folder.mkdir(exist_ok=True)
    source = getattr(gather([str(path)], Deployment.model_validate(facts), folder), log)
    assert source is not None
    table = pd.concat([pd.read_parquet(part) for part in source.files], ignore_index=True)
    return table.assign(
        time=table["time"].dt.tz_localize(None),
        **({"end": table["end"].dt.tz_localize(None)} if "end" in table else {}),
    )


def refused(path: Path, folder: Path, **facts) -> str:
    with pytest.raises(InputError) as error:
        gather([str(path)], Deployment.model_validate(facts), folder)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


def table(folder: Path, text: str, name: str = "power.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name
