"""Numbers and words as readers see them: in figures, tables and LaTeX.

    @table("lever_scale", "Energy over the size of the system.", {
        "users": ("Requests in flight", digits(3)),
        "energy": "J per output token",
    })
    def scale(lever_scale: pd.DataFrame) -> pd.DataFrame:

Columns that are not named stand in the CSV alone.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from pipeline.core.assumption import Assumption, Section
from pipeline.core.errors import InputError
from pipeline.core.files import write_csv, write_text
from pipeline.report.declared import Declared, Function, declared, note

Format = Callable[[Any], str]
ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$", "–": "--",
    "−": "$-$", "µ": r"$\mu$", "≥": r"$\geq$", "≤": r"$\leq$", "σ": r"$\sigma$", "²": r"$^2$",
}  # fmt: skip


def significant(value: float, digits: int = 2) -> str:
    """A number with that many significant digits, one more from 10 on: 0.064, 3.9, 10.6."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    decimals = max(0, digits - (0 if exponent >= 1 else 1) - exponent)
    return f"{value:,.{decimals}f}"


def interval(value: float, low: float, high: float) -> str:
    """A value with its interval, each with the two digits that Monte Carlo errors carry: 0.31 (0.16–11)."""
    middle, *ends = (significant(float(f"{one:.1e}")).removesuffix(".0") if one >= 9.95 else significant(one)
                     for one in (value, low, high))  # fmt: skip
    return f"{middle} ({'–'.join(ends)})"


def band(row: Mapping[Any, Any] | pd.Series, name: str = "{}") -> str:
    """`2.8 (1.6–6.6)` of the p50, p5 and p95 of a row; without ends, or where they agree, the median alone.

    `name` has {} in the place of p50: `median_{}_wh`. A bound, which has no median, is `up to 3.7` or
    `at least 1.2`.
    """
    middle, low, high = (float(row[name.format(percentile)]) for percentile in ("p50", "p5", "p95"))
    if math.isnan(middle):
        return f"at least {significant(low)}" if math.isnan(high) else f"up to {significant(high)}"
    return interval(middle, low, high) if low < high else significant(middle)


def plain(value: float) -> str:
    """A tick as people read it: 0.001, 0.1, 1, 10, 1,000."""
    return f"{value:,.0f}" if value >= 1 else f"{value:.6f}".rstrip("0")


def digits(count: int) -> Format:
    """Format a number with `count` significant digits, without powers of ten."""

    def show(number: float) -> str:
        text = np.format_float_positional(number, precision=count, unique=False, fractional=False, trim="k")
        return text.rstrip(".")

    return show


def decimals(count: int) -> Format:
    """Format a number with `count` decimals and thousands separated."""
    return lambda number: f"{number:,.{count}f}"


def as_given(number: float) -> str:
    """Format a number with the digits it came with, thousands separated."""
    return f"{number:,g}"


def percent(share: float) -> str:
    """Format a share in whole per cent."""
    return f"{100 * share:.0f} %"


def slug(text: str) -> str:
    """Lower case; a hyphen for whatever is not letters, digits, dot or underscore."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-")


def markdown(text: str) -> str:
    """A cell of a Markdown table: no markup, no link, on one line."""
    return re.sub(r"([|\[\]`])", r"\\\1", re.sub(r"[\r\n]+", " ", text)).replace("<", "&lt;")


def latex(text: str) -> str:
    """Text as LaTeX shows it."""
    return re.sub("|".join(map(re.escape, ESCAPES)), lambda match: ESCAPES[match[0]], text)


MISSING = "–"
WRAPPED_MM = {24: 30, 120: 60}  # text longer than so many characters is set in lines so wide in LaTeX
Columns = Mapping[str, str | tuple[str, Format]]  # in the order shown: heading, or heading and format
Row = dict[str, Any]


@dataclass(frozen=True)
class Table(Declared):
    """A table: its caption, and the heading of each column shown, with its format where it is no text."""

    caption: str
    columns: Columns


def table(name: str, caption: str, columns: Columns) -> Callable[[Function], Function]:
    """Declare a table: the function below makes its rows."""
    return lambda make: note(make, Table(name, make, {}, caption, columns))


def shown(about: Table, data: pd.DataFrame) -> pd.DataFrame:
    """The columns to be read, as text under their headings; raises InputError when the data lack one."""
    text = {}
    for column, words in about.columns.items():
        heading, show = (words, str) if isinstance(words, str) else words
        if column not in data:
            raise InputError(f"table {about.name}: column {column!r} is missing, found {list(data)}")
        text[heading] = data[column].map(_optional(show)).astype("str")
    return pd.DataFrame(text)


def save_table(about: Table, data: pd.DataFrame, folder: Path | str) -> None:
    """Write `<name>.csv`, `<name>.tex` and `<name>.md` into `folder`."""
    folder = Path(folder)
    text = shown(about, data)
    # Numbers stand on the right of their column, words on the left.
    sides = ["right" if is_numeric_dtype(data[column]) else "left" for column in about.columns]
    write_csv(data, folder / f"{about.name}.csv")
    write_text(_latex(about, text, sides), folder / f"{about.name}.tex")
    write_text(_markdown(about, text, sides), folder / f"{about.name}.md")


def _optional(show: Format) -> Format:
    return lambda value: MISSING if pd.isna(value) else show(value)


def _latex(about: Table, text: pd.DataFrame, sides: list[str]) -> str:
    styler = text.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
    return styler.to_latex(
        environment="longtable",
        hrules=True,
        caption=latex(about.caption),
        label=f"tab:{about.name}",
        column_format="".join(
            _latex_column(text[name], side) for name, side in zip(text, sides, strict=True)
        ),
    )


def _latex_column(cells: pd.Series, side: str) -> str:
    if side == "right":
        return "r"
    longest = int(cells.str.len().max()) if len(cells) else 0
    widths = [width for least, width in WRAPPED_MM.items() if longest > least]
    return f"p{{{max(widths)}mm}}" if widths else "l"


def _markdown(about: Table, text: pd.DataFrame, sides: list[str]) -> str:
    escaped = text.map(markdown)
    body = escaped.to_markdown(index=False, disable_numparse=True, colalign=sides)
    return f"**{about.caption}**\n\n{body}\n"


def records(data: pd.DataFrame) -> list[Row]:
    """Rows by column name."""
    found: Any = data.to_dict("records")
    return list(found)


def with_bands(data: pd.DataFrame, show: Callable[..., str] = band, **names: str) -> pd.DataFrame:
    """With a column of text for each name: the median and its interval, of columns as `step_{}`."""
    texts = {column: [show(row, name) for row in records(data)] for column, name in names.items()}
    return data.assign(**texts)


Number = float | int | str
WORDS = (
    "verdict",
    "support",
    "method",
    "grade",
    "inside_90",
    "before_inside_90",
)  # columns of text that the paper quotes


class Numbers(Declared):
    """Numbers of one topic."""


def numbers(name: str) -> Callable[[Function], Function]:
    """Declare numbers: the function below gives them by their keys."""
    return lambda make: note(make, Numbers(name, make, {}))


def collect(modules: tuple[ModuleType, ...], settings: Callable[[str], Any]) -> dict[str, Number]:
    """All numbers that some modules declare."""
    found: dict[str, Number] = {}
    for entry in declared(*modules):
        if isinstance(entry, Numbers):
            found |= entry.made(entry.given(settings))
    return found


def by_keys(*parts: tuple[str, pd.DataFrame, list[str]]) -> dict[str, Number]:
    """`by_key` of several tables."""
    return {key: value for part in parts for key, value in by_key(*part).items()}


def by_key(prefix: str, table: pd.DataFrame, names: list[str]) -> dict[str, Number]:
    """Each number, and each of WORDS, under `prefix.<names of the row>.<column>`; none for a missing cell."""
    found: dict[str, Number] = {}
    for record in table.to_dict("records"):
        row = ".".join([prefix, *(slug(record[name]) for name in names)])
        found |= {
            f"{row}.{column}": value
            for column, value in record.items()
            if not pd.isna(value)
            and (column in WORDS or (column not in names and not isinstance(value, str)))
        }
    return found


def worded(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Numbers that name a row, as text: 5, 0.85."""
    return table.assign(**{column: table[column].map("{:g}".format)})


def all_assumed(prefix: str, section: Section, names: tuple[str, ...] = ()) -> dict[str, Number]:
    """`assumed` of the named fields of a section, or of all."""
    found: dict[str, Number] = {}
    for name in names or type(section).model_fields:
        found |= dict(assumed(f"{prefix}.{name}", getattr(section, name)))
    return found


def assumed(prefix: str, item: Any) -> Iterator[tuple[str, Number]]:
    """Plain numbers of a section: parameters of distributions, their medians, counts and percentiles."""
    if isinstance(item, Assumption):
        yield f"{prefix}.median", item.distribution.median()
        parameters: Mapping[str, Any] = item.distribution.model_dump(
            exclude={"family", "median_value"}, exclude_none=True
        )
        yield from ((f"{prefix}.{name}", value) for name, value in parameters.items())
    elif isinstance(item, Section):
        for name in type(item).model_fields:
            yield from assumed(f"{prefix}.{name}", getattr(item, name))
    elif isinstance(item, list | tuple):
        for number, part in enumerate(item, start=1):
            yield from assumed(f"{prefix}.{number}", part)
    elif isinstance(item, int | float) and not isinstance(item, bool):
        yield prefix, item
