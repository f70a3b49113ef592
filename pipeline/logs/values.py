"""Numbers as tools and spreadsheets write them: units in the cell or the header, decimal commas, `[N/A]`."""

import re
from dataclasses import dataclass

import pandas as pd

MISSING = [
    "",
    "nan",
    "NaN",
    "NA",
    "N/A",
    "[N/A]",
    "n/a",
    "null",
    "None",
    "none",
    "-",
    "[Not Supported]",
    "[Unknown Error]",
    "Not Supported",
    "[GPU is lost]",
    "<NA>",
]
WATTS = {
    "w": 1.0,
    "watt": 1.0,
    "watts": 1.0,
    "kw": 1e3,
    "mw": 1e-3,
    "milliwatts": 1e-3,
    "uw": 1e-6,
    "microwatts": 1e-6,
    "kilowatts": 1e3,
}
JOULES = {
    "j": 1.0,
    "joules": 1.0,
    "mj": 1e-3,
    "millijoules": 1e-3,
    "kj": 1e3,
    "uj": 1e-6,
    "microjoules": 1e-6,
    "wh": 3600.0,
    "kwh": 3.6e6,
    "mwh": 3.6,
    "watthours": 3600.0,
}
BRACKETS = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")
CAMEL = re.compile(r"(?<=[a-z0-9]{2})(?=[A-Z][a-z])")
CELL = r"([-+]?[0-9.,'\u00a0 ]*[0-9](?:[eE][-+]?[0-9]+)?)\s*([A-Za-z\u00b5]*)"


@dataclass(frozen=True)
class Numbers:
    """Numbers in the unit of the cell or, without one, of the header; `bad` cannot be read; `unit` of the
    cells."""

    values: pd.Series
    bad: pd.Series


def header_name(header: str) -> str:
    """A header in small letters with underscores, without its unit in brackets."""
    words = CAMEL.sub("_", BRACKETS.sub("", header).strip())
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def header_unit(header: str) -> str:
    """The unit that a header states in brackets or at its end, in small letters; blank where it states
    none."""
    if found := BRACKETS.search(header):
        return found[1].strip().lower()
    last = re.split(r"[^A-Za-z]+", header.strip())[-1]
    # mW and MW, mJ and MJ: telemetry has the small ones
    return last.lower() if last.lower() in WATTS | JOULES else ""


def decimal_comma(columns: list[pd.Series], separator: str) -> bool:
    """Whether numbers have decimal commas: never beside commas as separators, else unless a cell speaks
    against."""
    if separator == ",":
        return False
    cells = (
        pd.concat([column.dropna().astype("str") for column in columns])
        if columns
        else pd.Series(dtype="str")
    )
    if cells.str.contains(r"\d,\d", regex=True).any():
        return True
    # a point that does not stand before three digits is a decimal point
    points = cells[cells.str.contains(r"\d\.\d", regex=True)]
    return bool(len(points)) and bool(points.str.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+\D*").all())


def read_numbers(text: pd.Series, units: dict[str, float], header: str = "", comma: bool = False) -> Numbers:
    """Numbers of text, times the factor of their unit; raises nothing: `bad` says what is no number."""
    if not pd.api.types.is_object_dtype(text) and not pd.api.types.is_string_dtype(text):
        numbers = text.astype("float64")
        return Numbers(numbers * units.get(header, 1.0), pd.Series(False, text.index))
    stripped = text.astype("str").str.strip()
    # tools write what is wrong with a card in square brackets
    there = text.notna() & ~stripped.isin(MISSING) & ~stripped.str.fullmatch(r"\[[A-Za-z/ ]+\]").fillna(False)
    parts = stripped.where(there).str.extract(f"^{CELL}$")
    digits, unit = parts[0].str.replace(r"['\u00a0 ]", "", regex=True), parts[1].str.lower()
    if comma:
        grouped = digits.str.fullmatch(r"[-+]?\d{1,3}(\.\d{3})*(,\d+)?|[-+]?\d+(,\d+)?([eE].*)?")
        digits = digits.where(grouped.fillna(False)).str.replace(".", "").str.replace(",", ".")
    else:
        grouped = digits.str.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?").fillna(False)
        digits = digits.mask(grouped, digits.str.replace(",", ""))
    numbers = pd.to_numeric(digits, errors="coerce")
    factor = unit.map({**units, "": units.get(header, 1.0)})
    values = numbers * factor
    return Numbers(values, there & values.isna())
