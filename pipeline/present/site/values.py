"""Numbers of the text by their key, as paper/values.typ gives them to the paper."""

import math
from collections.abc import Mapping

from markupsafe import Markup

from pipeline.errors import InputError
from pipeline.present.numbers import Number

THIN, MINUS, NO_BREAK = "\u2009", "\u2212", "\u00a0"


class Values:
    """The numbers of build/paper/numbers.json; each method raises InputError for a key without a result."""

    def __init__(self, numbers: Mapping[str, Number]) -> None:
        self.numbers = numbers

    def known(self, key: str) -> float:
        """The number itself."""
        if key not in self.numbers:
            raise InputError(f"site: no result with the key {key!r}")
        return float(self.numbers[key])

    def val(self, key: str, digits: int = 2, scale: float = 1) -> str:
        """One number with `digits` decimals, times `scale`."""
        return fixed(self.known(key) * scale, digits)

    def word(self, key: str) -> str:
        """The text of a result, for example a verdict."""
        if key not in self.numbers:
            raise InputError(f"site: no result with the key {key!r}")
        return str(self.numbers[key])

    def percent(self, key: str, digits: int = 0) -> str:
        """A share as a percentage."""
        return f"{self.val(key, digits, 100)}{NO_BREAK}%"

    def interval(self, middle: str, low: str, high: str, digits: int = 2) -> Markup:
        """Three keys as `0.31 (0.16–0.60)`, on one line."""
        text = f"{self.val(middle, digits)} ({self.val(low, digits)}–{self.val(high, digits)})"
        return Markup('<span class="nowrap">{}</span>').format(text)

    def ninety(self, row: str, unit: str = "wh", digits: int = 2, joint: str = ".") -> Markup:
        """Median and the interval of nine tenths of a row; `joint` stands between the row and `p50`."""
        names = [f"{row}{joint}{end}" + (f"_{unit}" if unit else "") for end in ("p50", "p5", "p95")]
        return self.interval(names[0], names[1], names[2], digits)


def fixed(value: float, digits: int) -> str:
    """Fixed decimals, a thin space between thousands from five digits on, a real minus."""
    text = f"{abs(value):,.{digits}f}"
    whole, point, rest = text.partition(".")
    grouped = whole.replace(",", THIN if len(whole) > len("9,999") else "")
    sign = MINUS if value < 0 and float(text.replace(",", "")) else ""
    return f"{sign}{grouped}{point}{rest}"


def significant(value: float, digits: int = 2) -> str:
    """Significant digits without a power of ten: `0.083`, `1.5`, `46`; what is larger is not rounded off."""
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0:
        return "0"
    return fixed(value, max(0, digits - 1 - math.floor(math.log10(abs(rounded)))))
