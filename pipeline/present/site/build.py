"""All files of the site by their place in it: pages as text, what is handed on as the file it is."""

from pathlib import Path

import pandas as pd

from pipeline.contracts.published import GRADES_IN_WORDS
from pipeline.errors import InputError
from pipeline.files import SIGNIFICANT_DIGITS, read_json
from pipeline.present.citation import CITATION, read_citation
from pipeline.present.provenance import SECTIONS, read_origin
from pipeline.present.site import brief, headline, ledger, pictures, reading, tables
from pipeline.present.site.pages import (
    ASSETS,
    FONTS,
    PAGES,
    WHAT_IF,
    WHAT_IF_DATA,
    WHAT_IF_SCRIPTS,
    WHAT_IF_STYLE,
    Page,
    environment,
    inline_json,
    render,
)
from pipeline.present.site.values import Values

NUMBERS = Path("build/paper/numbers.json")
TABLE_PAGE = "table.html.j2"
Files = dict[str, str | Path]


def build(root: Path = Path()) -> Files:
    """Everything, from the results under `root`; raises InputError for what is missing."""
    _must_exist([root / NUMBERS, root / WHAT_IF_DATA])
    values = Values(read_json(root / NUMBERS))
    origin = read_origin()
    groups = pictures.groups(root, origin)
    sections = tables.sections(root, origin)
    claims = ledger.read_ledger(root)
    study = reading.bibtex(root)
    context = {
        "version": read_citation(root / CITATION).version,
        "panels": [_panel(panel, values) for panel in headline.PANELS],
        "brief_query": [_panel(panel, values) for panel in (brief.ENERGY, brief.WATER_USED)],
        "brief_gain": _panel(brief.GAINS, values),
        "claims": ledger.claims(claims),
        "verdicts": ledger.verdicts(claims),
        "groups": groups,
        "pictures": {picture.name: picture for group in groups for picture in group.pictures},
        "sections": sections,
        "notebooks": reading.notebooks(root),
        "paper": reading.PAPER.name,
        "bibtex": study[0],
        "study_bibtex": study[1],
        "lever_sources": _lever_sources(root),
        "what_if_data": inline_json(root / WHAT_IF_DATA),
        "what_if_scripts": WHAT_IF_SCRIPTS,
        "grades": GRADES_IN_WORDS,
    }
    files: Files = _handed_on(root, groups, sections)
    files |= {f"assets/{name}": WHAT_IF / name for name in (*WHAT_IF_SCRIPTS, WHAT_IF_STYLE)}
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


def _panel(panel: headline.Panel, values: Values) -> dict[str, object]:
    rows = [(name, [headline.strip(row, panel, values) for row in rows]) for name, rows in panel.groups]
    return {"about": panel, "groups": rows, "ticks": headline.ticks(panel)}


def _lever_sources(root: Path) -> dict[str, str]:
    """What each lever of the what-if panel is taken from, as readers know it."""
    levers: dict[str, dict[str, str]] = read_json(root / WHAT_IF_DATA)["levers"]
    return {name: reading.cited(root, about["source"]) for name, about in levers.items()}


def _handed_on(
    root: Path, groups: list[pictures.Group], sections: list[tuple[str, list[tables.Table]]]
) -> Files:
    """Assets, fonts, figures with sidecars, tables, assumptions, notebooks, the paper, the citation."""
    files: Files = {f"assets/{path.name}": path for path in sorted(ASSETS.iterdir())}
    files |= {f"fonts/{path.name}": path for path in sorted(FONTS.iterdir()) if path.suffix != ".md"}
    for picture in (picture for group in groups for picture in group.pictures):
        for suffix in (*pictures.FORMATS, "json"):
            name = f"figures/{picture.name}.{suffix}"
            files[name] = root / name
        files |= {data.file: _table(root / data.path) for data in picture.data}
        files |= {file: root / SECTIONS / f"{section}.json" for section, file in picture.sections}
    for table in (table for _, found in sections for table in found):
        files[table.file] = root / table.path
        files |= {file: root / file.removeprefix("files/") for _, file in table.formats}
    for path in sorted((root / reading.NOTEBOOKS).iterdir()):
        files[f"notebooks/{path.name}"] = path
    files[reading.PAPER.name] = root / reading.PAPER
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
