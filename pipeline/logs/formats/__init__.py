"""Formats that are read directly, each a declaration, and which of them a file is of."""

from pipeline.core.errors import InputError
from pipeline.logs.formats.declare import TIME, WATT_NAMES, Format, Head
from pipeline.logs.formats.power import POWER_FORMATS
from pipeline.logs.formats.requests import REQUEST_FORMATS

# the most telling first: a file is of the first format that knows it
FORMATS = (*REQUEST_FORMATS[:-2], *POWER_FORMATS, *REQUEST_FORMATS[-2:])


def format_of(head: Head) -> Format:
    """The format of a file; raises InputError where none knows it."""
    for found in FORMATS:
        if found.known(head):
            return found
    if {*head.names} & {*WATT_NAMES} and not {*head.names} & {*TIME}:
        raise InputError(f"{head.path}, row 1: power without a column of times, expected one such as `time`")
    shown = next(line.strip() for line in head.lines if line.strip())[:80]
    raise InputError(f"{head.path}, row 1: {shown!r}: no known format of power or requests (see --formats)")


def describe() -> str:
    """All formats, with a tiny example each and where it is from."""
    parts = []
    for found in FORMATS:
        example = "".join(f"    {line[:160]}\n" for line in found.example.rstrip("\n").split("\n"))
        parts.append(f"{found.log}: {found.name}\n  after {found.source}\n{example}")
    return "\n".join(parts)


__all__ = ["FORMATS", "Format", "Head", "describe", "format_of"]
