"""What every notebook here uses: results by path, tables made for reading, checks shown as a table."""

import base64
import html
import json
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from IPython import get_ipython
from IPython.display import HTML
from pandas.api.types import is_bool_dtype, is_number, is_numeric_dtype

REPOSITORY = Path(__file__).resolve().parent.parent  # whatever folder a notebook is started in
ENLARGED = 1.5  # figures are made for print, where text of 7 pt is read from nearby
SHORT = 20  # characters
PERCENTILES = ("p5", "p50", "p95")

warnings.simplefilter("error")  # a warning would leave paths of the machine in the executed copy
warnings.simplefilter("ignore", PendingDeprecationWarning)  # of the kernel itself


class Project:
    """The results as seen from a notebook; paths are relative to the repository."""

    def __init__(self, root: str | Path = REPOSITORY):
        self.root = Path(root)

    def table(self, path: str) -> pd.DataFrame:
        """A table of the project, as it stands in its file."""
        made = self._made(path)
        return pd.read_parquet(made) if made.suffix == ".parquet" else pd.read_csv(made)

    def text(self, path: str) -> str:
        """The text of a file."""
        return self._made(path).read_text(encoding="utf-8")

    def figure(self, name: str) -> HTML:
        """A figure of the pipeline with its caption and alt text, carried inside the notebook."""
        about = json.loads(self.text(f"figures/{name}.json"))
        image = base64.b64encode(self._made(f"figures/{name}.svg").read_bytes()).decode("ascii")
        alt, caption = html.escape(about["alt"]), html.escape(about["caption"])
        style = f"background: white; width: {ENLARGED * about['width_mm']:.0f}mm; max-width: 100%"
        return HTML(
            f'<figure style="margin: 0">'
            f'<img alt="{alt}" src="data:image/svg+xml;base64,{image}" style="{style}">'
            f'<figcaption style="max-width: 60rem">{caption}</figcaption></figure>'
        )

    def _made(self, path: str) -> Path:
        if not (self.root / path).is_file():
            raise FileNotFoundError(f"{path} is not there: run `make reproduce` first")
        return self.root / path


def one_of(name: str, value: str, known: Iterable[object]) -> None:
    """A parameter that has to be one of the words of a table; raises ValueError naming them."""
    words = sorted({str(word) for word in known})
    if value not in words:
        raise ValueError(f"{name}: {value!r}, expected one of {', '.join(words)}")


def number(value: float, digits: int = 4, zeros: str = "") -> str:
    """So many significant digits, in plain notation unless the number is tiny; nothing for no number.

    zeros: "#" keeps those at the end.
    """
    if math.isnan(value):
        return ""
    if value != round(value) or (zeros and value):
        if abs(value) < 10 ** (digits - 1):
            return f"{value:{zeros}.{digits}g}"
        value = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"


def banded(table: pd.DataFrame, name: str, digits: int = 2) -> "pd.Series[str]":
    """Middle, and P5 and P95 in brackets if they differ; `name` has {} in place of p5, p50 and p95.

    A bound has no middle.
    """
    columns = (table[name.format(percentile)] for percentile in PERCENTILES)
    texts = []
    for row in zip(*columns, strict=True):
        low, middle, high = (number(value, digits, zeros="#") for value in row)
        if middle:
            texts.append(middle if low == high else f"{middle} ({low}–{high})")
        else:
            texts.append(f"up to {high}" if high else f"at least {low}")
    return pd.Series(texts, index=table.index)


def holds(checks: Mapping[str, bool]) -> pd.DataFrame:
    """Statements that depend on the assumptions, shown and not enforced: a what-if run can end and say so."""
    said = {True: "holds", False: "does not hold"}
    return pd.Series({words: said[bool(value)] for words, value in checks.items()}, name="here").to_frame()


def as_html(table: pd.DataFrame) -> str:
    """A table for reading: rows by name if they have one, text to the left, numbers to the right, no NaN."""
    named = any(name is not None for name in table.index.names)
    flat = table.reset_index() if named or not is_numeric_dtype(table.index) else table
    keys = len(flat.columns) - len(table.columns)
    columns = [flat.iloc[:, at].infer_objects() for at in range(len(flat.columns))]
    cells = [_cells(column) for column in columns]
    for at in reversed(range(keys - 1)):  # the name of a group of rows stands once
        outer = list(zip(*cells[: at + 1], strict=True))
        repeats = [row > 0 and outer[row] == outer[row - 1] for row in range(len(outer))]
        cells[at] = ["" if again else cell for again, cell in zip(repeats, cells[at], strict=True)]
    labels = ["" if at < keys and not named else _label(name) for at, name in enumerate(flat.columns)]
    styles = [_style(column, texts) for column, texts in zip(columns, cells, strict=True)]
    body = "".join(_row(row, styles, "td") for row in zip(*cells, strict=True))
    return (  # a box that scrolls can be reached by the keyboard
        '<div class="scroll" tabindex="0" role="group" aria-label="Table">'
        '<table class="dataframe" style="table-layout: auto; margin-left: 0">'
        f"<thead>{_row(labels, styles, 'th')}</thead><tbody>{body}</tbody></table></div>"
    )


def _label(name: object) -> str:
    """The name of a column; of columns in levels, all of them."""
    return ", ".join(str(level) for level in name if level != "") if isinstance(name, tuple) else str(name)


def _counts(column: pd.Series) -> bool:
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _cells(column: pd.Series) -> list[str]:
    """What stands in the cells of a column; in one of several kinds, each as its kind."""
    texts = column.map(lambda value: number(float(value)) if is_number(value) else str(value))
    return texts.where(column.notna(), "").tolist()


def _style(column: pd.Series, texts: Iterable[str]) -> str:
    """Short texts are not broken."""
    short = max(map(len, texts), default=0) <= SHORT
    return f"text-align: {'right' if _counts(column) else 'left'}{'; white-space: nowrap' if short else ''}"


def _row(cells: Sequence[str], styles: Iterable[str], tag: str) -> str:
    tags = [tag if cell else "td" for cell in cells]  # a head without words is none
    inside = (
        f'<{tag} style="{style}">{html.escape(cell)}</{tag}>'
        for tag, cell, style in zip(tags, cells, styles, strict=True)
    )
    return f"<tr>{''.join(inside)}</tr>"


if (shell := get_ipython()) is not None:
    shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, as_html)
