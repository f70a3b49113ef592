"""From the files that people have to the two logs: each file is known by its content, and turned where it
must be.

A file that keeps the contract (`pipeline/logs/contract.py`) with times that engines read is left where it
is, at any size. Any other is written anew in a temporary folder, as Parquet in the columns of the contract,
block by block.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import InputError
from pipeline.logs.cells import EPOCH, ISO, header_name, read_numbers
from pipeline.logs.contract import POWER_SERIES, REQUESTS, Flag, LogColumn
from pipeline.logs.deployment import NAME, Deployment
from pipeline.logs.engines import progress
from pipeline.logs.formats import format_of
from pipeline.logs.formats.declare import POWER_FIELDS, REQUEST_FIELDS, Format, Head, Log
from pipeline.logs.formats.files import is_wide, read_head
from pipeline.logs.formats.tidy import LEAST_COUNTER, POWER, counted_to_watts, counter_in_watts, tidy
from pipeline.logs.formats.tidy import REQUESTS as REQUEST_COLUMNS
from pipeline.logs.sources import MARKS, SUFFIXES, Source, open_files, open_source

CONTRACTS: dict[Log, dict[str, LogColumn]] = {"requests": REQUESTS, "power": POWER_SERIES}
OWN = "columns of the contract"
UNNAMED = "node"
SUPPORT = (".md", ".pdf", ".html", ".png", ".svg", ".py", ".sh", ".yaml", ".yml")
SAMPLED = re.compile(r"sampl(ed|ing|e_(rate|ratio|probability|weight))")


@dataclass(frozen=True)
class Found:
    """A file, the log that it is part of, its format, and whether engines read it as it stands."""

    path: Path
    log: Log
    name: str
    direct: bool
    head: Head | None = None
    format: Format | None = None


@dataclass
class Gathered:
    """The two logs as sources for the engine, what each file was taken for, and what was done to it."""

    requests: Source | None
    power: Source | None
    files: list[Found]
    notes: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)

    @property
    def paths(self) -> list[Path]:
        """The files, unless the logs are behind an address."""
        return [found.path for found in self.files]


def _passed_over(found: Found) -> list[str]:
    """Columns of a table, or keys of the first object, that no field of ours takes."""
    if found.head is None:
        return []
    header = found.head.header if found.head.separator else found.head.json
    if not isinstance(header, tuple | dict):
        return []
    fields = POWER_FIELDS if found.log == "power" else REQUEST_FIELDS
    if found.format is not None:
        fields = found.format.fields
    taken = {name for names in fields.values() for name in names} | {*CONTRACTS[found.log]}
    return [name for name in header if header_name(name) not in taken] if fields else []


def gather(paths: list[str], given: Deployment, folder: Path) -> Gathered:
    """Know and read all files; `folder` takes what is written anew. Raises InputError."""
    if any("://" in path for path in paths):
        if len(paths) != 2:
            raise InputError(f"{paths[0]}: expected two addresses, of requests and of power")
        return Gathered(open_source(paths[0], REQUESTS), open_source(paths[1], POWER_SERIES), [])
    files = [_known(path, bool(given.time_zone)) for path in _all_files(paths)]
    gathered = Gathered(None, None, files)
    for found in files:
        names = _passed_over(found)
        if names:
            gathered.notes.append(f"{found.path.name}: columns passed over: {', '.join(names[:20])}")
        if sampled := [name for name in names if SAMPLED.search(header_name(name))]:
            said = "is the log a sample of the requests? Its power would be that of all of them"
            gathered.flags.append(Flag("a sample", f"{found.path.name}: column {sampled[0]!r}: {said}"))
    given = _with_only_node(files, given, gathered.notes)
    for log in CONTRACTS:
        of = [found for found in files if found.log == log]
        kinds = {(_kind(found.path), found.head and found.head.header) for found in of}
        if of and all(found.direct for found in of) and len(kinds) == 1:
            setattr(gathered, log, open_files(_label(of, paths), tuple(f.path for f in of), CONTRACTS[log]))
        elif of:
            setattr(gathered, log, _written(of, log, given, folder, gathered.notes))
    return gathered


def _with_only_node(files: list[Found], given: Deployment, notes: list[str]) -> Deployment:
    """Rows that name no node are of the only node that the files name, as far as their first lines show."""
    if given.node:
        return given
    named: set[str] = set()
    for found in files:
        head = found.head
        if head is None:
            named |= _nodes_of_parquet(found.path)
        elif found.format is not None:
            block = next(tidy(replace(head), found.format, given), None)
            named |= set(block.table["node"].dropna()) if block else set()
        elif head.separator and "node" in head.header:
            cells = [line.split(head.separator) for line in head.lines[1:] if line.count(head.separator)]
            place = head.header.index("node")
            named |= {row[place].strip(' "') for row in cells if len(row) > place}
        elif isinstance(head.json, dict) and isinstance(head.json.get("node"), str):
            named.add(head.json["node"])
    if len(named) == 1:
        return given.model_copy(update={"node": named.pop()})
    return given


def _nodes_of_parquet(path: Path) -> set[str]:
    first = next(pq.ParquetFile(path).iter_batches(1000, columns=["node"]), None)
    return set(filter(None, first.column(0).to_pylist())) if first is not None else set()


def _label(of: list[Found], paths: list[str]) -> str:
    return str(of[0].path) if len(of) == 1 or not paths else str(of[0].path.parent)


def _kind(path: Path) -> str:
    return next((kind for suffix, kind in SUFFIXES.items() if path.name.endswith(suffix)), "")


def _all_files(paths: list[str]) -> list[Path]:
    """Files and the files of folders; notes that people lay beside logs are no logs."""
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.is_file()]
            inside = [
                f for f in inside if not any(part.startswith(MARKS) for part in f.relative_to(path).parts)
            ]
            logs = [file for file in inside if file.suffix.lower() not in SUPPORT]
            if not logs:
                raise InputError(f"{path}: the folder holds no log")
            found += logs
        elif path.name != NAME:
            found.append(path)
    twice = {file.resolve() for file in found}
    if len(twice) < len(found):
        raise InputError(f"{found[0].parent}: a file is given twice, expected each once")
    return found


def _known(path: Path, local: bool = False) -> Found:
    """local: times without a zone are of a stated one, so that they have to be turned."""
    with path.open("rb") as opened:
        magic = opened.read(4)
    if magic == b"PAR1":
        return _known_parquet(path)
    if zipfile.is_zipfile(path):
        raise InputError(f"{path}: a workbook or archive, expected a text file: save the sheet as CSV")
    head = read_head(path)
    if log := _own(head):
        if twice := [name for name in CONTRACTS[log] if head.header.count(name) > 1]:
            raise InputError(f"{path}, row 1: column {twice[0]!r} stands twice, expected once")
        return Found(
            path,
            log,
            OWN,
            bool(_kind(path)) and not is_wide(path) and _engines_read(head, log, local),
            head,
            None,
        )
    found = format_of(head)
    return Found(path, found.log, found.name, False, head, found)


def _known_parquet(path: Path) -> Found:
    try:
        names = set(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from None
    log: Log = "power" if "watts" in names else "requests"
    return Found(path, log, OWN, True)


def _own(head: Head) -> Log | None:
    """The log whose required columns all stand in the header or in the keys of the first object."""
    names = set(head.header) if head.separator else set(head.json) if isinstance(head.json, dict) else set()
    for log, contract in CONTRACTS.items():
        if {name for name, column in contract.items() if column.required} <= names:
            return log
    return None


def _engines_read(head: Head, log: Log, local: bool) -> bool:
    """Whether the first rows keep to what the engine reads: commas, ISO times, plain numbers below a
    counter's."""
    names = {header_name(name) for name in (head.json if isinstance(head.json, dict) else head.header)}
    turned = {"lasted": "end", "failed": "status", "cache_creation": ""}
    if log == "requests" and any(
        names & set(REQUEST_FIELDS[theirs]) and not names & set(REQUEST_FIELDS.get(ours, ()))
        for theirs, ours in turned.items()
    ):
        return False
    if isinstance(head.json, dict):
        return all(_plain_time(head.json.get(name), local) for name in ("time", "end"))
    first = [cell.strip('"') for cell in head.lines[0].removeprefix("\ufeff").split(",")]
    if head.separator != "," or first != list(head.header):
        return False
    cells = [line.split(",") for line in head.lines[1:] if line.count(",") == len(head.header) - 1]
    rows = pd.DataFrame(cells, columns=pd.Index(head.header), dtype="str")
    if log == "power" and read_numbers(rows["watts"], {"": 1.0}).values.median() > LEAST_COUNTER:
        return False
    return all(
        rows[name].map(lambda value: _plain_time(value, local)).all()
        for name in ("time", "end")
        if name in rows
    )


def _plain_time(value: object, local: bool) -> bool:
    """ISO 8601 with `Z`, an offset or no zone; what looks like no time at all is left to the engine to
    refuse."""
    text = str(value).strip().strip('"') if value is not None else ""
    found = ISO.fullmatch(text)
    if found is None:
        return not (
            EPOCH.fullmatch(text) or any(sign in text for sign in "/.") or (":" in text and len(text) > 8)
        )
    if local and not found["z"]:
        return False
    zone = found["z"] or "Z"
    return "/" not in text and "," not in text and (zone == "Z" or zone[0] in "+-") and text[10] in "T "


def _written(of: list[Found], log: Log, given: Deployment, folder: Path, notes: list[str]) -> Source:
    """All files of a log as Parquet parts in the columns of the contract."""
    zones: dict[Path, bool] = {}
    parts: list[Path] = []
    bar = progress(f"{log} read", unit="rows")
    for number, found in enumerate(of):
        head = found.head or read_head_of_parquet(found.path)
        form = found.format or format_of(head)
        for k, (table, zoned, said) in enumerate(_blocks(head, form, given)):
            bar.update(len(table))
            zones[found.path] = zoned
            notes += [
                f"{found.path.name}: {note}" for note in said if f"{found.path.name}: {note}" not in notes
            ]
            parts.append(folder / f"{log}-{number:04d}-{k:06d}.parquet")
            _write(table, log, zoned, parts[-1])
    bar.close()
    if len(set(zones.values())) > 1:
        without = next(path for path, zoned in zones.items() if not zoned)
        raise InputError(
            f"{without}: times without a zone beside logs with one, expected `time_zone` in {NAME}"
        )
    _complete(parts)
    if not parts:
        raise InputError(f"{of[0].path}: a header without rows, expected at least one row")
    return Source(
        str(of[0].path) if len(of) == 1 else str(of[0].path.parent), "parquet", tuple(parts),
        tuple(pq.read_schema(parts[0]).names),
        any(found.format is not None and found.format.of_runs for found in of), turned=True,
    )  # fmt: skip


def _complete(parts: list[Path]) -> None:
    """Give every part the columns of all; a log without ends beside one with them has requests of no
    length."""
    schemas = [pq.read_schema(part) for part in parts]
    union = {field.name: field for schema in schemas for field in schema}
    for part, schema in zip(parts, schemas, strict=True):
        if list(schema.names) == list(union):
            continue
        table = pq.read_table(part)
        arrays = [
            table[name]
            if name in schema.names
            else table["time"]
            if name == "end"
            else pa.nulls(len(table), field.type)
            for name, field in union.items()
        ]
        pq.write_table(pa.table(arrays, names=list(union)), part)


def read_head_of_parquet(path: Path) -> Head:
    """Parquet beside text files of the same log is not read: one of the two must be turned."""
    raise InputError(f"{path}: Parquet beside text files of the same log, expected one kind")


def _blocks(
    head: Head, form: Format, given: Deployment
) -> Iterator[tuple[pd.DataFrame, bool, tuple[str, ...]]]:
    """Tables, whether zoned, notes; counters need the whole file at once, as a reading needs the one
    before."""
    if form.log == "requests":
        for block in tidy(head, form, given):
            yield block.table, block.zoned, block.notes
        return
    rest = tidy(head, form, given)
    first = next(rest, None)
    if first is None:
        return
    counts = "joules" in first.table or first.table["watts"].median() > LEAST_COUNTER
    if not counts:
        yield first.table, first.zoned, first.notes
        for block in rest:
            yield block.table, block.zoned, block.notes
        return
    whole = pd.concat([first.table, *(block.table for block in rest)], ignore_index=True)
    table, said = counted_to_watts(whole) if "joules" in whole else counter_in_watts(whole, head.path)
    if table.empty:
        raise InputError(f"{head.path}: one reading a counter, expected at least two")
    yield table, first.zoned, (*first.notes, *said)


def _write(table: pd.DataFrame, log: Log, zoned: bool, path: Path) -> None:
    columns: dict[str, pa.Array] = {}
    stamp = pa.timestamp("us", tz="UTC" if zoned else None)
    for name in POWER if log == "power" else REQUEST_COLUMNS:
        values = table.get(name, None)
        if name in ("time", "end"):
            if values is None or values.isna().all():
                continue
            columns[name] = pa.array(values.astype("Int64"), pa.int64(), from_pandas=True).cast(stamp)
        elif name in ("node", "model", "request", "status", "scope", "device", "gpu", "instance"):
            if values is None or (values.isna().all() and name not in ("node", "model")):
                continue
            filled = values.fillna(UNNAMED if name == "node" else "not named" if name == "model" else "")
            columns[name] = pa.array(filled.astype("object"), pa.string(), from_pandas=True)
        elif values is not None and not (
            values.isna().all() and name not in ("watts", "input_tokens", "output_tokens")
        ):
            columns[name] = pa.array(values.astype("float64"), pa.float64(), from_pandas=True)
    pq.write_table(pa.table(columns), path)
