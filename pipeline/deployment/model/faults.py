"""Numbers as people write them, and all that is wrong with the rows of a table, each row's faults together.

What has two readings is refused, never guessed.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.deployment.model.contract import Column

# 1.000 is one or a thousand, 12.345 hardly a mean of twelve tokens; 613.328 is one of six hundred.
THOUSANDS = re.compile(r"\d{1,3}(?:[.,' ]\d{3}){2,}|\d{1,3}[,' ]\d{3}|\d{1,3}\.\d\d0|\d{1,2}\.\d{3}")
GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")  # beside decimal commas
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
SHOWN = 60  # characters of a value in a message


def shown(value: Any) -> str:
    """A cell as a person would write it, cut where it is long."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return "''"
    plain = value.item() if hasattr(value, "item") else value
    text = repr(
        int(plain) if isinstance(plain, float) and plain.is_integer() and abs(plain) < 1e15 else plain
    )
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


@dataclass
class Faults:
    """Messages by position of a row; `where` are the rows as the user counts them."""

    where: pd.Index
    found: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, wrong: Any, column: str, values: Any, expected: str) -> None:
        """One fault for each row where `wrong` (n,) holds."""
        for at in np.flatnonzero(np.asarray(wrong, dtype=bool)):
            value = values.iloc[at] if isinstance(values, pd.Series) else values[at]
            self.one(int(at), column, value, expected)

    def one(self, at: int, column: str, value: Any, expected: str) -> None:
        """One fault of one row."""
        self.found[at].append(f"column {column!r}: {shown(value)}, expected {expected}")

    def say(self, at: int, message: str) -> None:
        """The same in words of one's own."""
        self.found[at].append(message)

    @property
    def rows(self) -> np.ndarray:
        """Whether a row has a fault, (n,)."""
        return np.isin(np.arange(len(self.where)), list(self.found))

    def message(self, at: int) -> str:
        """All faults of a row in one."""
        return "; ".join(self.found.get(at, []))


def numbers(values: pd.Series, column: Column, decimal: str, faults: Faults) -> NDArray[np.float64]:
    """Floats, NaN where blank or wrong, (n,); `decimal`: the sign of decimals in the file."""
    name = str(values.name)
    given = values.notna().to_numpy()
    if not given.any():
        return np.full(len(values), np.nan)
    text = np.array([isinstance(value, str) for value in values], dtype=bool)
    cells = values
    if decimal == "," and text.any():
        cells = values.map(lambda cell: cell.replace(",", ".") if _comma(cell) else cell)
    found = pd.to_numeric(cells, errors="coerce").to_numpy(float, copy=True)
    found[[isinstance(value, bool) for value in values]] = np.nan
    two = np.zeros(len(values), dtype=bool)
    separated = THOUSANDS if column.kind in ("tokens", "whole") else GROUPED if decimal == "," else None
    if separated and text.any():
        two = np.array([bool(isinstance(cell, str) and separated.fullmatch(cell)) for cell in values])
        faults.add(two, name, values, "a number without a separator of thousands (1000)")
    wrong = given & ~two & ~np.isfinite(found)
    faults.add(wrong, name, values, "a number" if decimal == "," else "a number with a decimal point")
    usable = given & ~two & ~wrong
    if column.kind == "whole":
        parts = usable & (found % 1 != 0)
        faults.add(parts, name, values, "a whole number")
        usable &= ~parts
    below = found <= column.least if column.above else found < column.least
    outside = usable & (below | (found > column.most))
    faults.add(outside, name, values, column.allows())
    return np.where(usable & ~outside, found, np.nan)


def _comma(cell: object) -> bool:
    return isinstance(cell, str) and bool(DECIMAL_COMMA.fullmatch(cell))
