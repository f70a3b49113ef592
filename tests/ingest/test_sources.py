"""Sources joined into one table: what a file may hold, and that every contradiction is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.ingest.contract_sources import ENGINES, SERVING_FILE, SOURCES
from pipeline.ingest.sources import Models, check_sources, join, read_measurements, with_role

SOURCE = {
    "source": "mylab",
    "title": "My laboratory",
    "laboratory": "mylab",
    "measures": "throughput;gpu_power",
    "load": "constant",
    "task": "chat",
    "engine": "vLLM",
    "engine_version": "0.12.0",
    "run_date": "2026",
    "boundary": "gpu",
    "lengths": "stated",
    "fits": "step;power",
    "licence": "CC-BY-4.0",
    "citation": "someone2026",
}
ROW = {
    "model": "lab/alpha-8B",
    "gpu": "H100",
    "gpus": 1,
    "concurrency": 8,
    "input_tokens": 100,
    "output_tokens": 200,
    "output_tokens_per_s": 500.0,
    "gpu_w": 400.0,
}
SHAPES = pd.DataFrame(
    {"model": ["Delta 70B"], "upstream": ["lab/delta-70B"], "aliases": [None], "total_params_b": [70.6]}
).assign(active_params_b=70.6)
Write = Callable[[str, Any], Path]


@pytest.fixture
def engines() -> pd.DataFrame:
    rows = [("vLLM", "0.12.0", "2025-12-03", None)]
    return pd.DataFrame(rows, columns=list(ENGINES.columns)).astype("str")


@pytest.fixture
def joined(
    write: Write, models: pd.DataFrame, engines: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., pd.DataFrame]:
    """Write a file and its source as a person would, read both, join."""

    def joined(*rows: dict[str, Any], source: dict[str, Any] | None = None) -> pd.DataFrame:
        monkeypatch.setattr("pipeline.ingest.sources.FOLDER", tmp_path / "serving")
        text = pd.DataFrame(list(rows) or [ROW]).to_csv(index=False)
        write("serving/mylab.csv", text)
        about = pd.DataFrame([SOURCE | (source or {})], columns=list(SOURCES.columns))
        sources = read_table(write("sources.csv", about.to_csv(index=False)), SOURCES)
        return join(
            read_measurements(sources, tmp_path / "serving"), sources, Models(models, SHAPES), engines
        )

    return joined


def test_a_file_of_few_columns_is_a_source(joined: Callable[..., pd.DataFrame]) -> None:
    row = joined().iloc[0]
    assert row["key"] == "mylab/2"
    assert (row["model"], row["upstream_model"]) == ("Alpha 8B", "lab/alpha-8B")
    assert (row["laboratory"], row["load"], row["engine"]) == ("mylab", "constant", "vLLM")
    assert (row["fits"], row["boundary"], row["citation"]) == ("step;power", "gpu", "someone2026")
    assert pd.isna(row["set_aside"])


def test_the_date_of_an_engine_is_its_release_and_else_that_of_the_run(
    joined: Callable[..., pd.DataFrame],
) -> None:
    own = {"engine_version": "main", "run_date": "2026-02"}
    table = joined(ROW | {"key": "a"} | dict.fromkeys(own), ROW | {"key": "b"} | own)
    assert table.set_index("key")["engine_date"].to_dict() == {"a": "2025-12-03", "b": "2026-02"}


def test_what_a_row_states_goes_before_its_source(joined: Callable[..., pd.DataFrame]) -> None:
    table = joined(ROW | {"load": "online", "task": None}, ROW | {"load": None, "task": "code"})
    assert table["load"].tolist() == ["online", "constant"]
    assert table["task"].tolist() == ["chat", "code"]


def test_a_row_set_aside_has_no_role(joined: Callable[..., pd.DataFrame]) -> None:
    table = joined(ROW | {"set_aside": "speculation"}, ROW | {"set_aside": None})
    assert with_role(table, "step")["key"].tolist() == ["mylab/3"]


def test_a_model_is_known_by_any_spelling(joined: Callable[..., pd.DataFrame]) -> None:
    row = joined(ROW | {"model": "delta-70b-instruct"}).iloc[0]
    assert (row["model"], row["total_params_b"], row["architecture"]) == ("Delta 70B", 70.6, "dense")


def test_an_unknown_model_with_its_sizes_needs_no_entry(joined: Callable[..., pd.DataFrame]) -> None:
    row = joined(ROW | {"model": "lab/gamma", "total_params_b": 100, "active_params_b": 10}).iloc[0]
    assert (row["model"], row["architecture"]) == ("lab/gamma", "moe")


def test_energy_that_disagrees_with_power_is_flagged_not_hidden(joined: Callable[..., pd.DataFrame]) -> None:
    table = joined(ROW | {"gpu_j_per_output_token": 0.9}, ROW | {"gpu_j_per_output_token": 0.8})
    assert table["flags"].fillna("").tolist() == ["energy_disagrees_with_power", ""]


def test_joules_a_token_and_tokens_a_second_stand_for_the_power(joined: Callable[..., pd.DataFrame]) -> None:
    row = joined({**ROW, "gpu_w": None, "gpu_j_per_output_token": 0.75}).iloc[0]
    assert row["gpu_w"] == pytest.approx(375.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "delta-72b"}, r"row 2, column 'model': 'delta-72b', expected a model.*\(Delta 70B\?\)"),
        ({"total_params_b": 10.0}, r"row 2, column 'total_params_b': 10.0, expected within a tenth"),
        ({"input_tokens": None}, "row 2, column 'input_tokens': '', expected a number, because sources.csv"),
        ({"gpu_w": None}, "no value in gpu_w.*though sources.csv says that it measures gpu_power"),
        ({"node_w": 900.0}, "row 2, column 'node_w': 900.0, expected a blank"),
        (
            {"output_tokens_per_s": None, "gpu_w": None},
            "row 2, column 'output_tokens_per_s'.*here or",
        ),
        ({"output_tokens": -1}, "row 2, column 'output_tokens': -1.0, expected more than 0"),
        ({"precision": "fp8"}, "row 2, column 'precision': 'fp8', expected one of 'BF16'"),
        ({"set_aside": "boring"}, "row 2, column 'set_aside': 'boring', expected one of"),
        ({"run_date": "March"}, "row 2, column 'run_date': 'March', expected a date"),
        ({"colour": "red"}, "row 1: unknown column 'colour'"),
    ],
)
def test_a_wrong_row_is_named(
    joined: Callable[..., pd.DataFrame], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=rf"mylab\.csv.*{message}"):
        joined(ROW | change)


@pytest.mark.parametrize("column", [name for name, one in SERVING_FILE.columns.items() if one.required])
def test_a_column_that_must_be_there_is_named(joined: Callable[..., pd.DataFrame], column: str) -> None:
    with pytest.raises(InputError, match=f"row 1: column '{column}' is missing"):
        joined({name: value for name, value in ROW.items() if name != column})


def test_a_key_that_stands_twice_is_named(joined: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InputError, match=r"mylab\.csv, column 'key': 'a', expected a key that no other row"):
        joined(ROW | {"key": "a"}, ROW | {"key": "a"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fits": None}, "row 2, column 'set_aside': '', expected a reason where there are no fits"),
        ({"set_aside": "older_engine"}, "row 2, column 'set_aside'"),
        ({"fits": "step;steps"}, "row 2, column 'fits': 'step;steps', expected step, power"),
        ({"load": "heavy"}, "row 2, column 'load': 'heavy', expected one of"),
        ({"source": "My Lab"}, "row 2, column 'source': 'My Lab', expected small letters"),
        ({"lengths": "yes"}, "row 2, column 'lengths': 'yes', expected one of 'stated', 'not stated'"),
    ],
)
def test_a_wrong_source_is_named(
    joined: Callable[..., pd.DataFrame], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=rf"sources\.csv, {message}"):
        joined(source=change)


def test_a_file_without_a_source_is_named(joined: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InputError, match=r"mylab\.csv: a file without a source, expected a row 'mylab'"):
        joined(source={"source": "other"})


def test_a_source_needs_a_registered_origin_and_a_citation() -> None:
    sources = pd.DataFrame([SOURCE], columns=list(SOURCES.columns))
    check_sources(sources, ["logs"], ["someone2026"])
    with pytest.raises(InputError, match="'someone2026', expected a key of paper/references"):
        check_sources(sources, ["logs"], [])
    with pytest.raises(InputError, match="'lost', expected a data set of"):
        check_sources(sources.assign(upstream="lost"), ["logs"], ["someone2026"])
