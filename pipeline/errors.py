"""The one error a user sees, and how a command shows it."""

import sys
from collections.abc import Callable
from pathlib import Path


class InputError(Exception):
    """Something that a person gave us is wrong; the message says where, what, and what was expected."""

    @classmethod
    def at(
        cls, path: Path | str, *, row: int | str | None, column: str, value: object, expected: str
    ) -> "InputError":
        """Name file, row (line of the file, the header is 1), column, value and what was expected."""
        where = f"{path}, row {row}" if row is not None else f"{path}"
        return cls(f"{where}, column {column!r}: {value!r}, expected {expected}")


def run(main: Callable[[], None]) -> None:
    """Run a command; print an InputError as one line on stderr and exit with 1."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
