"""Numbers and times as tools and people write them.

Numbers: units in the cell or the header, decimal commas, `[N/A]`. Times: one strict grammar; the style is
found from the values, then all must follow it: ISO 8601 (also with a space, `/` or `,123`), epochs in s,
ms, us or ns, US and day-first dates, web servers' `05/Jan/2026:00:00:01 +0000`. A zone is an offset, `Z`,
or a name: a column of times has it in every row or in none.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd

from pipeline.core.errors import InputError

MISSING = [
    "", "nan", "NaN", "NA", "N/A", "[N/A]", "n/a", "null", "None", "none", "-", "[Not Supported]",
    "[Unknown Error]", "Not Supported", "[GPU is lost]", "<NA>",
]  # fmt: skip
WATTS = {
    "w": 1.0, "watt": 1.0, "watts": 1.0, "kw": 1e3, "mw": 1e-3, "milliwatts": 1e-3, "uw": 1e-6,
    "microwatts": 1e-6, "kilowatts": 1e3,
}  # fmt: skip
JOULES = {
    "j": 1.0, "joules": 1.0, "mj": 1e-3, "millijoules": 1e-3, "kj": 1e3, "uj": 1e-6,
    "microjoules": 1e-6, "wh": 3600.0, "kwh": 3.6e6, "mwh": 3.6, "watthours": 3600.0,
}  # fmt: skip
BRACKETS = re.compile(r"[\[(]([^\[\]()]*)[\])]")
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
    numbers = pd.to_numeric(digits, errors="coerce").astype("float64")
    factor = unit.map({**units, "": units.get(header, 1.0)}).astype("float64")
    values = numbers * factor
    return Numbers(values, there & values.isna())


US_PER_S = 1_000_000
EPOCH_UNITS = {
    "s": (1e8, 1e10, US_PER_S),
    "ms": (1e11, 1e13, 1000),
    "us": (1e14, 1e16, 1),
    "ns": (1e17, 1e19, 1e-3),
}
# names that mean one offset everywhere; others (CST, IST, BST, ...) mean several and are refused
ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180,
    "JST": 540, "EST": -300, "EDT": -240, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}  # fmt: skip
_CLOCK = r"(?P<H>\d{2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?: ?(?P<p>[AaPp][Mm]))?"
_LOOSE_CLOCK = _CLOCK.replace(r"(?P<H>\d{2})", r"(?P<H>\d{1,2})")
_ZONE = r"(?: ?(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?|[A-Z]{2,4}|[A-Z][A-Za-z]+/[A-Za-z_/]+))?"
DAY_FIRST, MONTH_FIRST = "day_first", "month_first"
EPOCH = re.compile(r"[0-9]{9,19}(\.[0-9]+)?([eE][+]?[0-9]{1,2})?")
ISO = re.compile(rf"(?P<y>\d{{4}})(?P<s>[-/]?)(?P<m>\d{{2}})(?P=s)(?P<d>\d{{2}})(?:T| +){_CLOCK}{_ZONE}")
NUMERIC = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<s>[/.-])(?P<b>\d{{1,2}})(?P=s)(?P<y>\d{{4}}),? {_LOOSE_CLOCK}{_ZONE}"
)
WEB = re.compile(rf"\[?(?P<d>\d{{2}})/(?P<w>[A-Z][a-z]{{2}})/(?P<y>\d{{4}}):{_CLOCK}{_ZONE}\]?")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
EXPECTED = "a time such as 2026-01-31T23:59:59Z or an epoch (with its offset where clocks are set)"


@dataclass(frozen=True)
class Times:
    """Microseconds since 1970 (int64, NaT where blank), and whether they say their zone; `bad` cannot be
    read."""

    us: pd.Series
    zoned: pd.Series
    bad: pd.Series


@dataclass(frozen=True)
class Style:
    """How the times of one column are written: `epoch` (with a unit), `iso`, `numeric` (with an order),
    `web`."""

    kind: str
    detail: str = ""


def style_of(values: pd.Series, dates: str = "", where: str = "") -> Style | None:
    """The one style that the values show; none where all are blank. Raises InputError where it is open."""
    text = _text(values).dropna().drop_duplicates()
    if text.empty:
        return None
    if text.map(lambda value: EPOCH.fullmatch(value) is not None).all():
        return Style("epoch", _unit(text.astype("float64"), where))
    found = [match for value in text.head(100_000) if (match := NUMERIC.fullmatch(value))]
    if len(found) * 2 > min(len(text), 100_000):
        return Style("numeric", _order(found, dates, where))
    web = sum(WEB.fullmatch(value) is not None for value in text.head(100))
    return Style("web") if web * 2 > min(len(text), 100) else Style("iso")


def read_times(values: pd.Series, style: Style | None, time_zone: str = "") -> Times:
    """Times of a style; those without a zone are of `time_zone`, or of no zone where it is blank."""
    text = _text(values)
    if style is None:
        return Times(pd.Series(pd.NA, values.index, dtype="Int64"), text.notna(), text.notna())
    if style.kind == "epoch":
        low, high, factor = EPOCH_UNITS[style.detail]
        number = pd.to_numeric(text.where(text.map(_is_epoch)), errors="coerce")
        number = number.where(number.between(low, high))
        us = number.map(lambda value: _whole(value, factor), na_action="ignore").astype("Int64")
        # digits of long epochs do not fit a float
        long = text.where(us.notna() & text.str.fullmatch(r"\d{15,19}").fillna(False)).dropna()
        exact = long.map(lambda value: int(value) // (1000 if style.detail == "ns" else 1)).astype("Int64")
        us = exact.reindex(us.index).fillna(us)
        return Times(us, us.notna(), text.notna() & us.isna())
    pairs = {value: _moment(value, style, time_zone) for value in text.dropna().unique()}
    us = text.map(lambda value: pairs[value][0], na_action="ignore").astype("Int64")
    zoned = text.map(lambda value: pairs[value][1], na_action="ignore").fillna(False).astype(bool)
    return Times(us, zoned, text.notna() & us.isna())


def _text(values: pd.Series) -> pd.Series:
    text = values.map(_written, na_action="ignore").astype("str")
    text = text.str.strip()
    return text.mask(text.isin(["", "nan", "NaT", "None", "null", "N/A", "[N/A]"]))


def _written(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _is_epoch(value: object) -> bool:
    return isinstance(value, str) and EPOCH.fullmatch(value) is not None


def _whole(value: float, factor: float) -> int:
    return round(value * factor)


def _unit(numbers: pd.Series, where: str) -> str:
    for unit, (low, high, _) in EPOCH_UNITS.items():
        if numbers.between(low, high).all():
            return unit
    raise InputError(
        f"{where}: numbers from {numbers.min():g} to {numbers.max():g}, expected epochs of one unit"
    )


def _order(found: list[re.Match], dates: str, where: str) -> str:
    """Dots are day-first; with others a number above 12 decides, in all rows alike."""
    if found[0]["s"] == ".":
        return DAY_FIRST
    day_first = any(int(match["a"]) > 12 for match in found)
    month_first = any(int(match["b"]) > 12 for match in found)
    if day_first and month_first:
        raise InputError(f"{where}: dates with the day first and with the month first, expected one order")
    if day_first or month_first:
        return DAY_FIRST if day_first else MONTH_FIRST
    if not dates:
        raise InputError(
            f"{where}: {found[0][0]!r} may be day-first or month-first, expected `dates: day_first` or "
            "`dates: month_first` in deployment.yaml"
        )
    return dates


def _moment(value: str, style: Style, time_zone: str) -> tuple[object, bool]:
    pattern = {"iso": ISO, "numeric": NUMERIC, "web": WEB}[style.kind]
    match = pattern.fullmatch(value)
    if match is None:
        return pd.NA, False
    parts = match.groupdict()
    if style.kind == "iso":
        year, month, day = int(parts["y"]), int(parts["m"]), int(parts["d"])
    elif style.kind == "web":
        if parts["w"] not in MONTHS:
            return pd.NA, False
        year, month, day = int(parts["y"]), MONTHS.index(parts["w"]) + 1, int(parts["d"])
    else:
        first, second = int(parts["a"]), int(parts["b"])
        day, month = (first, second) if style.detail == DAY_FIRST else (second, first)
        year = int(parts["y"])
    hour = int(parts["H"])
    if parts["p"]:
        if not 1 <= hour <= 12:
            return pd.NA, False
        hour = hour % 12 + (12 if parts["p"].lower() == "pm" else 0)
    try:
        naive = datetime(year, month, day, hour, int(parts["M"]), int(parts["S"] or 0))
        zone = _zone(parts["z"]) if parts["z"] else (ZoneInfo(time_zone) if time_zone else None)
    except (ValueError, KeyError, OSError):
        return pd.NA, False
    # in the hour in which clocks are set it is two moments, or none
    if len({naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}) > 1:
        return pd.NA, False
    micro = int((parts["f"] or "0").ljust(9, "0")[:6])
    since = naive.replace(tzinfo=zone or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(seconds=1) * US_PER_S + micro, zone is not None


def _zone(word: str) -> timezone | ZoneInfo:
    if word.upper() in ZONES and (word.isupper() or word == "z"):
        return timezone(timedelta(minutes=ZONES[word.upper()]))
    if word[0] in "+-":
        digits = word[1:].replace(":", "")
        minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
        if minutes > 15 * 60:
            raise ValueError(word)
        return timezone(timedelta(minutes=-minutes if word[0] == "-" else minutes))
    if "/" not in word:
        raise ValueError(word)
    return ZoneInfo(word)
