"""What is read in full: the paper, the notebooks as they ran, and how to cite."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pybtex.database import parse_file

from pipeline.errors import InputError
from pipeline.present.citation import CITATION, read_citation

PAPER, NOTEBOOKS = Path("paper/paper.pdf"), Path("build/notebooks")
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
