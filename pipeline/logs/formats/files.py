"""Opening a file of unknown format: plain, gzip or zstd, UTF-8 (UTF-16 by its mark); its first lines, its
separator and header, its JSON; bounded in size and depth."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.logs.cells import header_name
from pipeline.logs.formats.declare import Head

BLOCK = 1 << 22
GZIP = b"\x1f\x8b"
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what `surrogateescape` makes of such bytes
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINES = 50
MOST_OF_A_LINE = 1 << 24
MOST_OF_A_DOCUMENT = 1 << 29  # characters; a JSON document is held in memory whole
BEFORE = re.compile(r"\ufeff?(sep=.|#)")
SEPARATORS = (",", ";", "\t", "|")


def open_bytes(file: Path) -> IO[bytes]:
    """The bytes of the text, unpacked."""
    if file.suffix == ".zst":
        return cast(IO[bytes], pa.input_stream(str(file), compression="zstd"))
    return cast(IO[bytes], gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def open_text(file: Path) -> IO[str]:
    """Text in which a byte that is not UTF-8 stands as a surrogate, so that its row can be told."""
    coding = "utf-16" if is_wide(file) else "utf-8-sig"
    errors = "replace" if coding == "utf-16" else "surrogateescape"
    return io.TextIOWrapper(open_bytes(file), encoding=coding, errors=errors, newline="")


def is_wide(file: Path) -> bool:
    """Whether a text is in UTF-16, as what PowerShell redirects."""
    with open_bytes(file) as text:
        return text.read(2).startswith(UTF_16)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their rows; raises InputError at one that is no UTF-8 or cannot be unpacked."""
    row = 0
    try:
        with open_text(path) as text:
            while line := text.readline(MOST_OF_A_LINE):
                row += 1
                if len(line) == MOST_OF_A_LINE and line.lstrip()[:1] not in ("{", "["):
                    raise InputError(f"{path}, row {row}: a line of more than {MOST_OF_A_LINE} characters")
                if not line.isascii() and NOT_UTF8.search(line):
                    raise InputError(f"{path}, row {row}: {line.strip()[:60]!r}, expected UTF-8 text")
                yield row, line
    except (EOFError, OSError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from None


def refuse_other_starts(file: Path, may_have_mark: bool, may_be_wide: bool = False) -> None:
    """Refuse what its first bytes show to be no text in UTF-8; only CSV may start with a byte-order mark."""
    with file.open("rb") as packed:
        if file.suffix != ".gz" and packed.read(len(GZIP)) == GZIP:
            raise InputError(f"{file}: a gzip file, expected plain text, or a name that ends in .gz")
    try:
        with open_bytes(file) as text:
            start = text.read(len(codecs.BOM_UTF8))
    except (EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: not a whole gzip file ({error})") from None
    if start.startswith(UTF_16) and not may_be_wide:
        raise InputError(f"{file}, row 1: UTF-16 text, expected UTF-8")
    if start == codecs.BOM_UTF8 and not may_have_mark:
        raise InputError(f"{file}, row 1: starts with a byte-order mark, expected JSON lines without one")


def is_utf8(file: Path) -> bool:
    """Whether all of the text is UTF-8: a block at a time, far quicker than an engine reads it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(file) as text:
        try:
            while block := text.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def read_head(path: Path) -> Head:
    """The start of a file; raises InputError where it is no text."""
    try:
        if not path.stat().st_size:
            raise InputError(f"{path}: the file is empty")
        refuse_other_starts(path, may_have_mark=True, may_be_wide=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    lines = [line.rstrip("\r\n") for _, line in islice(numbered_lines(path), LINES)]
    shown = next((line.strip() for line in lines if line.strip()), "")
    if not shown:
        raise InputError(f"{path}: the file is empty")
    if shown[0] in "{[":
        return _json_head(path, tuple(lines), shown)
    # spreadsheets put `sep=,` and tools remarks before a table
    skip = next((k for k, line in enumerate(lines) if line.strip() and not BEFORE.match(line)), 0)
    separator, header = _table(lines[skip:])
    skip = skip if len(header) > 1 else 0
    names = tuple(header_name(name) for name in header)
    return Head(path, tuple(lines[skip:]), separator, header, names, skip=skip)


def document(path: Path) -> Any:
    """A JSON document, whole."""
    content, length = [], 0
    for _, line in numbered_lines(path):
        content.append(line)
        length += len(line)
        if length > MOST_OF_A_DOCUMENT:
            expected = f"more than {MOST_OF_A_DOCUMENT} characters, expected JSON lines"
            raise InputError(f"{path}: a JSON document of {expected}")
    return load_json(path, None, "".join(content))


def load_json(path: Path, row: int | None, text: str) -> Any:
    """One JSON value; a key that stands twice, NaN, deep nesting and half a value are one line of refusal."""
    where = f"{path}, row {row}" if row else f"{path}"
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise InputError(f"{where}: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: {text.strip()[:60]!r}, expected JSON ({error.msg})") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"key {twice[:60]!r} stands twice in one object")
    return found


def _no_constant(word: str) -> None:
    """NaN and Infinity, which Python writes and JSON does not have, are missing."""


def _json_head(path: Path, lines: tuple[str, ...], first: str) -> Head:
    try:
        found = load_json(path, 1, first)
    except InputError:
        # not one object a line: one document, or not JSON
        return Head(path, lines, json=document(path), whole=True)
    return Head(path, lines, json=found, whole=len([line for line in lines if line.strip()]) == 1)


def _table(lines: list[str]) -> tuple[str, tuple[str, ...]]:
    """The separator of the first line (outside quotes) that cuts the next lines alike, and its cells."""
    first = next(line for line in lines if line.strip())
    best: tuple[int, str, tuple[str, ...]] = (1, ",", (first,))
    for separator in SEPARATORS:
        try:
            cells = next(csv.reader([first], delimiter=separator, skipinitialspace=True))
        except (csv.Error, StopIteration):
            continue
        if len(cells) > best[0]:
            best = (len(cells), separator, tuple(cell.strip() for cell in cells))
    return best[1], best[2]
