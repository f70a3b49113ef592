"""The committed telemetry tables, derived again from the upstream files: the same bytes."""

import importlib
import os
import shutil
from pathlib import Path

import pytest

from pipeline.ingest.fetch import MIRROR_VARIABLE

FOLDER = Path("data/telemetry")
STAGES = ["fetch_telemetry", "ingest_serving", "ingest_mlperf", "ingest_token_lengths"]
TABLES = [
    "serving_measurements.csv",
    "node_power.csv",
    "mlperf_throughput.csv",
    "token_lengths.csv",
    "token_length_histograms.csv",
]


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not os.environ.get(MIRROR_VARIABLE):
        message = f"{MIRROR_VARIABLE} names no folder with the upstream files"
        if os.environ.get("PERQUERY_REQUIRE_ALL"):
            pytest.fail(message)
        pytest.skip(message)
    place = tmp_path_factory.mktemp("derived")
    (place / FOLDER).mkdir(parents=True)
    for name in ("registry.yaml", "models.csv"):
        shutil.copy2(FOLDER / name, place / FOLDER / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MIRROR_VARIABLE, str(Path(os.environ[MIRROR_VARIABLE]).resolve()))
        patch.chdir(place)
        for stage in STAGES:
            importlib.import_module(f"pipeline.stages.{stage}").main()
    return place / FOLDER


@pytest.mark.parametrize("name", TABLES)
def test_a_table_derived_again_is_the_committed_one(derived: Path, name: str) -> None:
    assert (derived / name).read_bytes() == (FOLDER / name).read_bytes()
