"""Save a table three times: CSV with the numbers, LaTeX (booktabs) and Markdown to be read.

A `Table` says how its columns are headed and how many digits they show; the CSV keeps names and numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from pipeline.errors import InputError
from pipeline.files import write_csv, write_text
from pipeline.present.latex import escape

Format = Callable[[Any], str]
MISSING = "–"
WRAPPED_MM = {24: 30, 120: 60}  # text longer than so many characters is set in lines so wide in LaTeX


@dataclass(frozen=True)
class Table:
    """Data (one row a line), file name, caption, and for each column shown: its heading and its format."""

    name: str
    caption: str
    data: pd.DataFrame
    headings: Mapping[str, str]  # in the order shown; columns that are not named stand in the CSV alone
    formats: Mapping[str, Format] = field(default_factory=dict)

    def shown(self) -> pd.DataFrame:
        """The columns to be read, as text; raises InputError when the data lack one."""
        lacking = [column for column in self.headings if column not in self.data]
        if lacking:
            raise InputError(f"table {self.name}: column {lacking[0]!r} is missing, found {list(self.data)}")
        text = {
            heading: self.data[column].map(_optional(self.formats.get(column, str))).astype("str")
            for column, heading in self.headings.items()
        }
        return pd.DataFrame(text)

    def sides(self) -> list[str]:
        """Numbers stand on the right of their column, words on the left."""
        return ["right" if is_numeric_dtype(self.data[column]) else "left" for column in self.headings]


def digits(count: int) -> Format:
    """Format a number with `count` significant digits, without powers of ten."""

    def show(number: float) -> str:
        text = np.format_float_positional(number, precision=count, unique=False, fractional=False, trim="k")
        return text.rstrip(".")

    return show


def as_given(number: float) -> str:
    """Format a number with the digits it came with, thousands separated."""
    return f"{number:,g}"


def decimals(count: int) -> Format:
    """Format a number with `count` decimals and thousands separated."""
    return lambda number: f"{number:,.{count}f}"


def save_table(table: Table, folder: Path | str) -> None:
    """Write `<name>.csv`, `<name>.tex` and `<name>.md` into `folder`."""
    folder = Path(folder)
    shown = table.shown()
    write_csv(table.data, folder / f"{table.name}.csv")
    write_text(_latex(shown, table), folder / f"{table.name}.tex")
    write_text(_markdown(shown, table), folder / f"{table.name}.md")


def _optional(show: Format) -> Format:
    return lambda value: MISSING if pd.isna(value) else show(value)


def _latex(shown: pd.DataFrame, table: Table) -> str:
    styler = (
        shown.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
    )
    return styler.to_latex(
        environment="longtable",
        hrules=True,
        caption=escape(table.caption),
        label=f"tab:{table.name}",
        column_format="".join(
            _latex_column(shown[heading], side)
            for heading, side in zip(shown.columns, table.sides(), strict=True)
        ),
    )


def _latex_column(cells: pd.Series, side: str) -> str:
    if side == "right":
        return "r"
    longest = int(cells.str.len().max()) if len(cells) else 0
    widths = [width for least, width in WRAPPED_MM.items() if longest > least]
    return f"p{{{max(widths)}mm}}" if widths else "l"


def _markdown(shown: pd.DataFrame, table: Table) -> str:
    escaped = shown.map(lambda text: text.replace("|", "\\|"))
    body = escaped.to_markdown(index=False, disable_numparse=True, colalign=table.sides())
    return f"**{table.caption}**\n\n{body}\n"
