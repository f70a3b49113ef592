"""The text of a log, plain or gzip: UTF-8, with or without a byte-order mark; anything else is named."""

import codecs
import gzip
import re
from pathlib import Path
from typing import IO, cast

from pipeline.core.errors import InputError

BLOCK = 1 << 22
GZIP = b"\x1f\x8b"
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what `surrogateescape` makes of such bytes
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def open_bytes(file: Path) -> IO[bytes]:
    """The bytes of the text, unpacked."""
    return cast(IO[bytes], gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def open_text(file: Path) -> IO[str]:
    """Text in which a byte that is not UTF-8 stands as a surrogate, so that its row can be told."""
    opened: IO[str] = (gzip.open if file.suffix == ".gz" else open)(
        file, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    return opened


def refuse_other_starts(file: Path, may_have_mark: bool) -> None:
    """Refuse what its first bytes show to be no text in UTF-8; only CSV may start with a byte-order mark."""
    with file.open("rb") as packed:
        if file.suffix != ".gz" and packed.read(len(GZIP)) == GZIP:
            raise InputError(f"{file}: a gzip file, expected plain text, or a name that ends in .gz")
    try:
        with open_bytes(file) as text:
            start = text.read(len(codecs.BOM_UTF8))
    except (EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: not a whole gzip file ({error})") from None
    if start.startswith(UTF_16):
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
