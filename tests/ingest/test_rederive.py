"""The committed telemetry tables, derived again from the upstream files: the same bytes."""

import importlib
import os
import shutil
from pathlib import Path

import pytest

from pipeline.ingest.upstream import MIRROR_VARIABLE
from pipeline.reproduce import committed_outputs, stages
from pipeline.telemetry import frozen_stages

STAGES = frozen_stages(stages())
TABLES = committed_outputs(STAGES)


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not os.environ.get(MIRROR_VARIABLE):
        message = f"{MIRROR_VARIABLE} names no folder with the upstream files"
        if os.environ.get("PERQUERY_REQUIRE_ALL"):
            pytest.fail(message)
        pytest.skip(message)
    place = tmp_path_factory.mktemp("derived")
    inputs = {Path(dep) for stage in STAGES.values() for dep in stage["deps"] if dep.startswith("data/")}
    for path in inputs - set(TABLES):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place / path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MIRROR_VARIABLE, str(Path(os.environ[MIRROR_VARIABLE]).resolve()))
        patch.chdir(place)
        for stage in STAGES.values():
            importlib.import_module(stage["cmd"].split()[-1]).main()
    return place


def test_every_source_is_derived_again() -> None:
    names = {path.name for path in TABLES}
    assert {"mlenergy_v3.csv", "node_power.csv", "token_lengths.csv"} <= names


@pytest.mark.parametrize("path", TABLES, ids=str)
def test_a_table_derived_again_is_the_committed_one(derived: Path, path: Path) -> None:
    assert (derived / path).read_bytes() == path.read_bytes()
