from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.ingest.registry import read_registry

COMMIT = "a" * 40
ENTRY = {
    "title": "A data set",
    "address": f"https://example.org/{COMMIT}/",
    "commit": COMMIT,
    "licence": "MIT",
    "citation": "someone2025",
    "holds": "rows",
    "boundary": "gpu",
    "defects": ["none known"],
    "files": {"data/a b.csv": {"sha256": "0" * 64, "bytes": 3}},
}
Write = Callable[[str, Any], Path]


def test_addresses_are_quoted(write: Write) -> None:
    data = read_registry(write("r.yaml", {"one": ENTRY}))["one"]
    assert data.url("data/a b.csv") == f"https://example.org/{COMMIT}/data/a%20b.csv"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": ""}, "one.licence"),
        ({"extra": 1}, "one.extra"),
        ({"boundary": "rack"}, "one.boundary"),
        ({"commit": "main"}, "one.commit"),
        ({"commit": "b" * 40}, "does not name its commit"),
        ({"address": None}, "needs an address"),
        ({"package": "PyPI thing 1.0"}, "expected one of the two"),
        ({"files": {}}, "one.files"),
        ({"files": {"../x": {"sha256": "0" * 64, "bytes": 3}}}, "must stay inside"),
        ({"files": {"x": {"sha256": "0" * 63, "bytes": 3}}}, "one.files.x.sha256"),
        ({"files": {"x": {"sha256": "0" * 64, "bytes": 0}}}, "one.files.x.bytes"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(write: Write, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_registry(write("r.yaml", {"one": ENTRY | change}))


def test_broken_yaml_names_the_line(write: Write) -> None:
    with pytest.raises(InputError, match="line 2"):
        read_registry(write("r.yaml", "one:\n  title: a: b\n"))


def test_a_missing_registry_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_registry(tmp_path / "none.yaml")
