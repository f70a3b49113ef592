"""Pages of the site, and the numbers of their text by the keys of build/paper/numbers.json."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.core.errors import InputError
from pipeline.core.files import read_json
from pipeline.report.formats import Number

THIN, MINUS, NO_BREAK, JOINER = "\u2009", "\u2212", "\u00a0", "\u2060"


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

    def sig(self, key: str, digits: int = 2) -> str:
        """One number with significant digits."""
        return significant(self.known(key), digits)

    def ninety(self, row: str, unit: str = "wh", digits: int = 2, joint: str = ".") -> Markup:
        """Median and 90 % interval of a row; `joint` stands between the row and `p50`."""
        middle, low, high = (
            self.sig(f"{row}{joint}{end}" + (f"_{unit}" if unit else ""), digits)
            for end in ("p50", "p5", "p95")
        )
        return Markup('<span class="nowrap">{} ({}–{})</span>').format(middle, low, high)


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


FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
WHAT_IF = FOLDER / "whatif"  # style, script and uses of the what-if page
WHAT_IF_FILES = ("whatif.css", "whatif.js")
WHAT_IF_USES = WHAT_IF / "uses.json"
WHAT_IF_DATA = Path("build/whatif/whatif.json")


@dataclass(frozen=True)
class Page:
    """One page: its file in the site, its name in the navigation, its template."""

    file: str
    name: str
    template: str


PAGES = [
    Page("index.html", "Start", "index.html.j2"),
    Page("brief.html", "Brief", "brief.html.j2"),
    Page("what-if.html", "What if", "what-if.html.j2"),
    Page("claims.html", "Claims", "claims.html.j2"),
    Page("figures.html", "Figures", "figures.html.j2"),
    Page("tables.html", "Tables", "tables.html.j2"),
    Page("reading.html", "Paper, notebooks", "reading.html.j2"),
    Page("cite.html", "Cite", "cite.html.j2"),
]


# Terms as hover text, and in one list on the page of the paper.
GLOSSARY = {
    "90 % interval": "from P5 to P95: nine in ten of our simulated services lie inside",
    "agent": "software that answers a task by many calls of a model",
    "batch": "requests that one instance works on at once",
    "blend": "equal parts of the three largest models of the published study",
    "chat": "a question and a short answer",
    "data centre": "the whole site: servers, idle servers, cooling and power supply",
    "grade": "how far the evidence behind a measure carries, from A (measured) to D (assumed)",
    "PUE": "energy of the whole data centre over that of its servers",
    "reasoning": "a query to a model that writes out its thinking before it answers",
    "token": "a piece of text, about three quarters of a word",
    "WUE": "litres of water used on site per kWh of the servers",
}


def term(name: str, shown: str = "") -> Markup:
    """A word of GLOSSARY with its meaning as hover text."""
    return Markup('<abbr title="{}">{}</abbr>').format(GLOSSARY[name], shown or name)


def environment(values: Values) -> Environment:
    """Templates with the functions of `Values`; text is escaped, a name that is missing stops the page."""
    found = Environment(
        loader=FileSystemLoader([FOLDER / "templates", FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ("known", "val", "sig", "word", "ninety", "interval", "percent")
    found.globals |= {name: getattr(values, name) for name in names} | {"term": term}
    found.filters["sig"] = significant
    return found


def render(templates: Environment, page: Page, context: Mapping[str, Any]) -> str:
    """One page as HTML; `root` is the way from the page to the folder of the site."""
    root = "../" * page.file.count("/")
    template = templates.get_template(page.template)
    return template.render(page=page, pages=PAGES, root=root, **context)


def inline_json(path: Path) -> Markup:
    """The text of a JSON file for a `<script type="application/json">`: a page cannot fetch from disk."""
    read_json(path)  # refuses what is not JSON
    return Markup(path.read_text(encoding="utf-8").replace("<", "\\u003c"))
