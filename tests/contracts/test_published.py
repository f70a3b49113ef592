"""The contracts of the published tables refuse what they are meant to refuse."""

from pathlib import Path

import pytest

from pipeline.contracts import read_table
from pipeline.contracts.published import TABLES, UNITS
from pipeline.errors import InputError

VALUE = {
    "key": "row",
    "quantity": "rated power",
    "subject": "DGX H100",
    "value": "10.2",
    "unit": "kW",
    "method": "statement",
    "boundary": "node",
    "year": "2025",
    "source": "somebody2025",
    "confidence": "seen-primary",
}
CLAIM = {
    "key": "v2.short",
    "version": "v2",
    "where": "abstract",
    "quantity": "energy per query",
    "unit": "Wh",
    "value": "0.31",
    "kind": "printed",
    "source": "oviedo2026",
}
THROUGHPUT = {
    "key": "row",
    "set": "published_analysis",
    "model": "Llama 3.1 8B",
    "total_params_b": "8",
    "active_params_b": "8",
    "architecture": "dense",
    "gpu": "H100",
    "gpus": "1",
    "parallelism": "TP1",
    "precision": "FP8",
    "output_tokens": "128",
    "output_tokens_per_s": "100",
    "used_by_authors": "yes",
    "source": "somebody2025",
    "document_version": "v1",
    "where": "Table 1",
    "confidence": "seen-primary",
}


def _read(folder: Path, name: str, row: dict[str, str]) -> None:
    columns = list(TABLES[name].columns)
    path = folder / f"{name}.csv"
    path.write_text(f"{','.join(columns)}\n{','.join(row.get(column, '') for column in columns)}\n")
    read_table(path, TABLES[name])


@pytest.mark.parametrize(
    ("name", "row"), [("node_power", VALUE), ("claims", CLAIM), ("throughput", THROUGHPUT)], ids=str
)
def test_the_examples_below_are_right_before_they_are_spoilt(
    tmp_path: Path, name: str, row: dict[str, str]
) -> None:
    _read(tmp_path, name, row)


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("node_power", VALUE | {"value": "-10.2"}, "column 'value': -10.2, expected more than 0"),
        ("node_power", VALUE | {"value": "0"}, "column 'value': 0.0, expected more than 0"),
        ("node_power", VALUE | {"unit": "Wh"}, "column 'unit': 'Wh', expected one of 'W', 'kW'"),
        ("node_power", VALUE | {"source": ""}, "column 'source': '', expected a value, not a blank"),
        ("node_power", VALUE | {"boundary": "room"}, "column 'boundary': 'room', expected one of 'gpu'"),
        ("node_power", VALUE | {"key": "my row"}, "column 'key': 'my row', expected letters, digits"),
        ("node_power", VALUE | {"year": "25"}, "column 'year': 25, expected between 2000 and 2035"),
        (
            "node_power",
            VALUE | {"low": "11", "high": "12", "interval": "IQR"},
            "column 'value': 10.2, expected low <= value <= high",
        ),
        (
            "node_power",
            VALUE | {"high": "10.1", "interval": "upper bound"},
            "column 'value': 10.2, expected low <= value <= high",
        ),
        ("node_power", VALUE | {"low": "9", "high": "12"}, "column 'interval': '', expected a word when"),
        ("node_power", VALUE | {"interval": "IQR"}, "column 'interval': 'IQR', expected a word when"),
        ("pue", VALUE | {"unit": "ratio", "value": "0.98"}, "column 'value': 0.98, expected at least 1"),
        ("claims", CLAIM | {"value": ""}, "column 'value': '', expected a value or a range"),
        ("claims", CLAIM | {"kind": "guessed"}, "column 'kind': 'guessed', expected one of 'printed'"),
        (
            "claims",
            CLAIM | {"value": "", "low": "20", "high": "8", "interval": "range as stated"},
            "column 'value': '', expected low <= value <= high",
        ),
        (
            "throughput",
            THROUGHPUT | {"output_tokens_per_s": "0"},
            "column 'output_tokens_per_s': 0.0, expected more than 0",
        ),
        ("throughput", THROUGHPUT | {"gpus": "0"}, "column 'gpus': 0, expected more than 0"),
        (
            "throughput",
            THROUGHPUT | {"architecture": "moe"},
            "column 'architecture': 'moe', expected dense when all parameters are active",
        ),
        (
            "throughput",
            THROUGHPUT | {"active_params_b": "9", "architecture": "moe"},
            "column 'active_params_b': 9.0, expected at most total_params_b",
        ),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, name: str, row: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as error:
        _read(tmp_path, name, row)
    assert f"{name}.csv, row 2, {message}" in str(error.value)


def test_every_unit_that_is_allowed_is_used() -> None:
    for name, units in UNITS.items():
        table = read_table(Path("data/published") / f"{name}.csv", TABLES[name])
        assert set(table["unit"]) == set(units), name
