"""All files of the site by their place in it; paper, notebooks, card, what to do first."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from pybtex.database import parse_file

from pipeline.core.errors import InputError
from pipeline.core.files import SIGNIFICANT_DIGITS, read_json
from pipeline.core.parse import CITATION, read_citation
from pipeline.ingest.contract import GRADES_IN_WORDS
from pipeline.present.site import findings, pictures
from pipeline.present.site.pages import (
    ASSETS,
    GLOSSARY,
    JOINER,
    NO_BREAK,
    PAGES,
    WHAT_IF,
    WHAT_IF_DATA,
    WHAT_IF_FILES,
    WHAT_IF_USES,
    Page,
    Values,
    environment,
    inline_json,
    render,
)
from pipeline.report import FONTS
from pipeline.report.style import PAPER

WELL = "AB"  # the band of good evidence
SMALL, SHORTER = "Small models where they suffice", "Shorter answers"  # of pipeline/levers/model/contract.py


@dataclass(frozen=True)
class Action:
    """A measure for readers."""

    title: str
    grade: str
    text: str


def do_first(measures: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Action]:
    """The best on good evidence, then what may do as much for chat, and for reasoning; by regime."""
    chat, reasoning = ({one["name"]: one for one in measures[regime]} for regime in ("short", "long"))
    best = max((one for one in chat.values() if one["band"] == WELL), key=lambda one: one["p50"])
    return [
        Action(best["name"], best["grade"], f"A chat query then takes {left(best)} of the energy."),
        Action(
            SMALL,
            chat[SMALL]["grade"],
            f"Chat then takes {left(chat[SMALL])}, if as many queries can go to a small model as we assume. "
            "Nobody has measured that share in a service.",
        ),
        Action(
            "For reasoning, cap the length of answers",
            reasoning[SHORTER]["grade"],
            f"A reasoning query then takes {left(reasoning[SHORTER])} of the energy.",
        ),
    ]


def _ordered(measures: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """In bands of evidence, the best first; in a band the largest saving first, as in the figure."""
    return sorted(measures, key=lambda one: (one["band"], -one["p50"]))


def left(one: Mapping[str, Any]) -> str:
    """What a measure leaves, in per cent, on one line: `28 % (14–56 %)`."""
    middle, low, high = (100 / one[name] for name in ("p50", "p95", "p5"))
    text = f"{middle:.0f} % ({low:.0f}–{high:.0f} %)"
    return text.replace(" ", NO_BREAK).replace("–", f"{JOINER}–{JOINER}")


FIGURE = Path("figures/fig-hero.png")  # which has its finding and its origin in the picture
SIZE, MARGIN = (1200, 630), 24


def card(root: Path) -> bytes:
    """The PNG that other sites show; the same bytes for the same figure."""
    canvas = Image.new("RGB", SIZE, PAPER)
    with Image.open(root / FIGURE) as drawn:
        scale = min((room - 2 * MARGIN) / side for room, side in zip(SIZE, drawn.size, strict=True))
        picture = drawn.convert("RGB").resize((int(drawn.width * scale), int(drawn.height * scale)))
    canvas.paste(picture, ((SIZE[0] - picture.width) // 2, (SIZE[1] - picture.height) // 2))
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


PDF, NOTEBOOKS = Path("paper/paper.pdf"), Path("build/notebooks")
REFERENCES, STUDY = Path("paper/references.bib"), "oviedo2026"
TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Notebook:
    """One executed notebook: title and first paragraph; its page and its source in the site."""

    title: str
    summary: str
    page: str
    source: str


def notebooks(root: Path) -> list[Notebook]:
    """Every executed notebook, by name; raises InputError when none has run."""
    found = [_notebook(path) for path in sorted((root / NOTEBOOKS).glob("*.html"))]
    if not found:
        raise InputError(f"{NOTEBOOKS}/ is empty: run `make reproduce` first")
    return found


def _notebook(page: Path) -> Notebook:
    cells = json.loads(page.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    words = "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "markdown"))
    heading = TITLE.search(words)
    paragraphs = [part for part in words.split("\n\n") if part.strip() and not part.startswith("#")]
    return Notebook(
        title=heading[1] if heading else page.stem,
        summary=" ".join(paragraphs[0].split()).replace("`", "") if paragraphs else "",
        page=f"notebooks/{page.name}",
        source=f"notebooks/{page.stem}.ipynb",
    )


def cited(root: Path, key: str) -> str:
    """A source as readers know it, `Microsoft, aienergy_simulation: code of the analysis, 2026`."""
    entry = _entry(root, key)
    people = entry.persons["author"]
    first = " ".join(people[0].last_names).strip("{}")
    names = f"{first} et al." if len(people) > 1 else first
    title = entry.fields["title"].replace("{", "").replace("}", "").replace("\\_", "_")
    return f"{names}, {title}, {entry.fields['year']}"


def _entry(root: Path, key: str) -> Any:
    bibliography = parse_file(str(root / REFERENCES), bib_format="bibtex")
    if key not in bibliography.entries:
        raise InputError(f"{REFERENCES}: no entry {key!r}")
    return bibliography.entries[key]


def bibtex(root: Path) -> tuple[str, str]:
    """BibTeX of the project, from CITATION.cff, and of the study that it re-analyses."""
    citation = read_citation(root / CITATION)
    fields = {
        "author": " and ".join(f"{{{name}}}" for name in citation.authors),
        "title": f"{{{citation.title}}}",
        "version": citation.version,
        "license": citation.licence,
    }
    own = ",\n".join(f"  {name:7} = {{{value}}}" for name, value in fields.items())
    study: str = _entry(root, STUDY).to_string("bibtex")
    return f"@software{{perquery,\n{own}\n}}\n", study


NUMBERS = Path("build/paper/numbers.json")
TABLE_PAGE = "table.html.j2"
DESCRIPTION = (
    "How much energy and water one AI query takes, how sure that is, and what to do. Open and executable."
)
FIRST = [  # tables that most readers want
    "data/results/headline.csv",
    "data/results/factors/factors.csv",
    "data/results/lever_systems.csv",
    "data/results/fleet_scenarios.csv",
    "data/results/water_split.csv",
    "data/results/claims.csv",
]
LONG_FROM = 600  # tokens of an answer, between typical ones: from here on measures are those for reasoning
Files = dict[str, str | bytes | Path]


def build(root: Path = Path()) -> Files:
    """Everything, from the results under `root`; raises InputError for what is missing."""
    _must_exist([root / NUMBERS, root / WHAT_IF_DATA])
    values = Values(read_json(root / NUMBERS))
    groups = pictures.groups(root)
    sections = pictures.sections(root)
    by_path = {table.path: table for _, found in sections for table in found}
    claims = findings.read_ledger(root)
    study = bibtex(root)
    what_if: dict[str, Any] = read_json(root / WHAT_IF_DATA)
    measures = {regime: _ordered(found) for regime, found in what_if["measures"].items()}
    context = {
        "description": DESCRIPTION,
        "version": read_citation(root / CITATION).version,
        "panels": [_panel(panel, values) for panel in findings.PANELS],
        "do_first": do_first(what_if["measures"]),
        "measures": measures,
        "together": what_if["together"],
        "glossary": GLOSSARY,
        "claims": findings.claims(claims),
        "verdicts": findings.verdicts(claims),
        "groups": groups,
        "pictures": {picture.name: picture for group in groups for picture in group.pictures},
        "sections": sections,
        "first": [by_path[path] for path in FIRST],
        "notebooks": notebooks(root),
        "paper": PDF.name,
        "bibtex": study[0],
        "study_bibtex": study[1],
        "what_if_data": inline_json(root / WHAT_IF_DATA),
        "what_if_uses": inline_json(WHAT_IF_USES),
        "long_from": LONG_FROM,
        "grades": GRADES_IN_WORDS,
    }
    files: Files = _handed_on(root, groups, sections) | {"card.png": card(root)}
    files |= {f"assets/{name}": WHAT_IF / name for name in WHAT_IF_FILES}
    templates = environment(values)
    files |= {page.file: render(templates, page, context) for page in PAGES}
    for _, found in sections:
        for table in found:
            page = Page(table.page, table.title, TABLE_PAGE)
            files[table.page] = render(templates, page, context | {"table": table})
            if table.script:
                files[table.script] = table.all_rows(root)
    _must_exist([content for content in files.values() if isinstance(content, Path)])
    return files


def _must_exist(paths: list[Path]) -> None:
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no such file; run `make reproduce` first")


def _panel(panel: findings.Panel, values: Values) -> dict[str, object]:
    rows = [(name, [findings.strip(row, panel, values) for row in rows]) for name, rows in panel.groups]
    return {"about": panel, "groups": rows, "ticks": findings.ticks(panel)}


def _handed_on(
    root: Path, groups: list[pictures.Group], sections: list[tuple[str, list[pictures.Table]]]
) -> Files:
    """Assets, fonts, figures with sidecars, tables, assumptions, notebooks, the paper, the citation."""
    files: Files = {f"assets/{path.name}": path for path in sorted(ASSETS.iterdir())}
    files |= {f"fonts/{path.name}": path for path in sorted(FONTS.iterdir()) if path.suffix != ".md"}
    for picture in (picture for group in groups for picture in group.pictures):
        for suffix in (*pictures.FORMATS, "json"):
            name = f"figures/{picture.name}.{suffix}"
            files[name] = root / name
        files |= {data.file: _table(root / data.path) for data in picture.data}
    for table in (table for _, found in sections for table in found):
        files[table.file] = root / table.path
        files |= {file: root / file.removeprefix("files/") for _, file in table.formats}
    for path in sorted((root / NOTEBOOKS).iterdir()):
        files[f"notebooks/{path.name}"] = path
    files[PDF.name] = root / PDF
    files[CITATION.name] = root / CITATION
    return files


def _table(path: Path) -> str | Path:
    """A Parquet table as CSV: few readers of a page can open the other."""
    if path.suffix != ".parquet":
        return path
    text: str = pd.read_parquet(path).to_csv(
        index=False, float_format=f"%.{SIGNIFICANT_DIGITS}g", lineterminator="\n"
    )
    return text
