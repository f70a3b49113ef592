"""The contracts of the published tables refuse what they are meant to refuse."""

from pathlib import Path

import pytest

from pipeline.core.catalogue import find, transcription
from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.ingest.contract import UNITS

NODE_POWER, CLAIMS = "published/node_power", "published/claims"
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
    contract = find(name).contract
    columns = list(contract.columns)
    path = folder / f"{name.rpartition('/')[2]}.csv"
    path.write_text(f"{','.join(columns)}\n{','.join(row.get(column, '') for column in columns)}\n")
    read_table(path, contract)


@pytest.mark.parametrize(
    ("name", "row"),
    [(NODE_POWER, VALUE), (CLAIMS, CLAIM), ("throughput", THROUGHPUT)],
    ids=str,
)
def test_the_examples_below_are_right_before_they_are_spoilt(
    tmp_path: Path, name: str, row: dict[str, str]
) -> None:
    _read(tmp_path, name, row)


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        (NODE_POWER, VALUE | {"value": "-10.2"}, "column 'value': -10.2, expected more than 0"),
        (NODE_POWER, VALUE | {"value": "0"}, "column 'value': 0.0, expected more than 0"),
        (NODE_POWER, VALUE | {"unit": "Wh"}, "column 'unit': 'Wh', expected one of 'W', 'kW'"),
        (
            NODE_POWER,
            VALUE | {"source": ""},
            "column 'source': '', expected a value, not a blank",
        ),
        (
            NODE_POWER,
            VALUE | {"boundary": "room"},
            "column 'boundary': 'room', expected one of 'gpu'",
        ),
        (
            NODE_POWER,
            VALUE | {"key": "my row"},
            "column 'key': 'my row', expected letters, digits",
        ),
        (NODE_POWER, VALUE | {"year": "25"}, "column 'year': 25, expected between 2000 and 2035"),
        (
            NODE_POWER,
            VALUE | {"low": "11", "high": "12", "interval": "IQR"},
            "column 'value': 10.2, expected low <= value <= high",
        ),
        (
            NODE_POWER,
            VALUE | {"high": "10.1", "interval": "upper bound"},
            "column 'value': 10.2, expected low <= value <= high",
        ),
        (
            NODE_POWER,
            VALUE | {"low": "9", "high": "12"},
            "column 'interval': '', expected a word when",
        ),
        (
            NODE_POWER,
            VALUE | {"interval": "IQR"},
            "column 'interval': 'IQR', expected a word when",
        ),
        ("pue", VALUE | {"unit": "ratio", "value": "0.98"}, "column 'value': 0.98, expected at least 1"),
        (CLAIMS, CLAIM | {"value": ""}, "column 'value': '', expected a value or a range"),
        (
            CLAIMS,
            CLAIM | {"kind": "guessed"},
            "column 'kind': 'guessed', expected one of 'printed'",
        ),
        (
            CLAIMS,
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
    assert f".csv, row 2, {message}" in str(error.value)


def test_every_unit_that_is_allowed_is_used() -> None:
    for name, units in UNITS.items():
        assert set(transcription(name)["unit"]) == set(units), name
