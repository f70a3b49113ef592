"""The one error a user sees, and how a command shows it."""

import reprlib
import sys
from collections.abc import Callable
from pathlib import Path

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 2


def shown(value: object) -> str:
    """A value as a message names it: text in quotes, cut in the middle where it is long.

    Examples
    --------
    >>> shown("8xH100"), len(shown("x" * 10_000))
    ("'8xH100'", 80)
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number of too many digits"


class InputError(Exception):
    """Something that a person gave us is wrong; the message says where, what, and what was expected."""

    @classmethod
    def at(
        cls, path: Path | str, *, row: int | str | None, column: str, value: object, expected: str
    ) -> "InputError":
        """Name file, row, column, value and what was expected.

        Parameters
        ----------
        path : of the file.
        row : its line, the header is 1; None where the whole column is meant.
        column, value : what was found, and where.
        expected : in words.

        Returns
        -------
        The error, to be raised.

        Examples
        --------
        >>> print(InputError.at("power.csv", row=7, column="watts", value=-3, expected="0 or more"))
        power.csv, row 7, column 'watts': -3, expected 0 or more
        """
        where = f"{path}, row {row}" if row is not None else f"{path}"
        return cls(f"{where}, column {column!r}: {shown(value)}, expected {expected}")


def run(main: Callable[[], None]) -> None:
    """Run a command or a stage; print an InputError as one line on stderr and exit with 1."""
    from pipeline.core.processes import recorded  # which raises InputError itself

    try:
        with recorded():
            main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
