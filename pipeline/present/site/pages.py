"""The pages of the site in the order of the navigation, and how one becomes HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.files import read_json
from pipeline.present.site.values import Values

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
FONTS = FOLDER.parent / "fonts"
WHAT_IF = FOLDER / "whatif"  # whatif.html.j2: the inside of the page
WHAT_IF_STYLE = "whatif.css"
WHAT_IF_MODEL = ("whatif_draws.js", "whatif_model.js")  # in this folder, as the next; run in this order
WHAT_IF_SCRIPTS = (
    *WHAT_IF_MODEL,
    *(f"whatif_{part}.js" for part in ("shown", "words", "slider", "levers")),
    "whatif.js",
)
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
    names = ("val", "word", "ninety", "interval", "percent")
    found.globals |= {name: getattr(values, name) for name in names}
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
