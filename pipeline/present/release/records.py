"""What describes a release and holds it: records for archives, RO-Crate, packages, manifest, zip.

zenodo     .zenodo.json, from CITATION.cff alone; codemeta: codemeta.json, likewise
crate      RO-Crate metadata: what the release holds, who made it, from what, under which licence
sbom       every package of requirements.lock with version, licence and hashes, as CycloneDX
manifest   path, bytes and SHA-256 of what is handed on; write_zip has the same bytes each time
"""

import hashlib
import html
import mimetypes
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pandas as pd
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from pipeline.core.errors import InputError
from pipeline.core.files import write_atomically, write_text
from pipeline.core.parse import Citation
from pipeline.report.formats import latex as escape

DESCRIPTION = (
    "An open, executable re-analysis of the energy and water of one AI query: data, models, every figure and "
    "table as published and re-estimated, and a ledger that says claim by claim what comes out again."
)
OPEN = "To be filled in on submission"
OLDEST = (1980, 1, 1, 0, 0, 0)  # of a zip entry
PLAIN_FILE = 0o100644 << 16
LICENCES = {
    "code": "https://spdx.org/licenses/MIT",
    "data": "https://creativecommons.org/licenses/by/4.0/",
    "fonts": "https://spdx.org/licenses/Apache-2.0",
}
DATA = ("data", "cache", "figures", "notebooks", "paper", "README.md", "export", "site", "build/notebooks")
mimetypes.add_type("text/markdown", ".md")
mimetypes.add_type("application/x-ipynb+json", ".ipynb")
LOCK = Path("requirements.lock")
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
CLASSIFIER = "License :: OSI Approved :: "
UNKNOWN = "not stated"
LONGEST = 100  # characters: a package that puts its whole licence into the field names it in the classifiers


def zenodo(citation: Citation) -> dict[str, Any]:
    """The content of .zenodo.json."""
    return {
        "title": citation.title,
        "description": DESCRIPTION,
        "upload_type": "software",
        "version": citation.version,
        "license": citation.licence,
        "access_right": "open",
        "creators": [{"name": name} for name in citation.authors],
        "keywords": citation.keywords,
        "related_identifiers": [
            {"identifier": doi, "relation": "isDerivedFrom", "scheme": "doi"}
            for _, doi in citation.reanalyses
        ],
        "notes": "Code: MIT. Data, figures, tables and text: CC BY 4.0.",
    }


def codemeta(citation: Citation) -> dict[str, Any]:
    """The content of codemeta.json, CodeMeta 3.0."""
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": "perquery",
        "description": DESCRIPTION,
        "version": citation.version,
        "license": LICENCES["code"],
        "programmingLanguage": "Python",
        "runtimePlatform": "Python 3.11",
        "keywords": citation.keywords,
        "author": [{"@type": "Organization", "name": name} for name in citation.authors],
        "referencePublication": [
            {"@type": "ScholarlyArticle", "name": title, "@id": f"https://doi.org/{doi}"}
            for title, doi in citation.reanalyses
        ],
    }


def waits_for_owner(citation: Citation, paper: Path = Path("paper")) -> list[str]:
    """What nobody but an owner can fill in before a release: file, place, what is expected."""
    texts = sorted([*paper.glob("*.md"), *paper.glob("sections/*.typ")])
    open_ones = [f"{path}: {path.read_text('utf-8').count(OPEN)} parts" for path in texts
                 if OPEN in path.read_text("utf-8")]  # fmt: skip
    return [*citation.waits_for, *open_ones]


def manifest(folder: Path) -> list[dict[str, Any]]:
    """Path, bytes and SHA-256 of every file under `folder`, in the order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]


def write_zip(files: Mapping[str, Path], target: Path) -> None:
    """Write files under their names in the archive, without times, owners or modes of the machine."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, OLDEST)
                entry.external_attr, entry.create_system = PLAIN_FILE, 3
                archive.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=6)

    write_atomically(target, write)


def crate(citation: Citation, date: str, files: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """The JSON-LD of ro-crate-metadata.json; date: of the release, YYYY-MM-DD; files: path and bytes."""
    found = ROCrate()
    root = found.root_dataset
    root["name"] = citation.title
    root["description"] = DESCRIPTION
    root["datePublished"] = date
    root["version"] = citation.version
    root["keywords"] = citation.keywords
    root["license"] = [{"@id": address} for address in LICENCES.values()]
    people = [
        found.add(ContextEntity(found, f"#author-{i}", properties={"@type": "Organization", "name": name}))
        for i, name in enumerate(citation.authors, start=1)
    ]
    root["author"] = people
    studies = [
        found.add(
            ContextEntity(
                found, f"https://doi.org/{doi}", properties={"@type": "ScholarlyArticle", "name": title}
            )
        )
        for title, doi in citation.reanalyses
    ]
    root["isBasedOn"] = studies
    for path, size in files:
        kind = mimetypes.guess_type(path)[0] or "text/plain"
        licence = LICENCES[licensed_as(path)]
        found.add_file(
            dest_path=path,
            properties={"encodingFormat": kind, "contentSize": str(size), "license": {"@id": licence}},
        )
    metadata: dict[str, Any] = found.metadata.generate()
    return metadata


def licensed_as(path: Path | str) -> str:
    """Which of LICENCES a file of the archive is under."""
    if Path(path).parent.name == "fonts":
        return "fonts"
    return "data" if str(path).startswith(DATA) else "code"


def packages(lock: Path = LOCK) -> list[dict[str, Any]]:
    """Name, version, licence and SHA-256 of every package, in the order of the lock; raises InputError."""
    text = lock.read_text(encoding="utf-8")
    found = list(PINNED.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    listed = []
    for match, end in zip(found, ends, strict=True):
        hashes = HASH.findall(text[match.end() : end])
        if not hashes:
            raise InputError(f"{lock}: {match[1]} has no hash, expected those of its files")
        listed.append(
            {"name": match[1], "version": match[2], "licence": licence(match[1]), "sha256": sorted(hashes)}
        )
    return listed


def licence(name: str) -> str:
    """What an installed package says of its licence: SPDX, else its classifiers, else the field."""
    try:
        about: Any = metadata(name)
    except PackageNotFoundError:  # of another platform
        return UNKNOWN
    classified = [line.removeprefix(CLASSIFIER) for line in about.get_all("Classifier") or []]
    approved = [line for line in classified if "::" not in line and "License" in line]
    field = (about.get("License") or "").strip()
    stated = field if len(field) <= LONGEST and "\n" not in field else ""
    return about.get("License-Expression") or " or ".join(approved) or stated or UNKNOWN


def licences(listed: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a package: name, version, licence."""
    return pd.DataFrame(listed)[["name", "version", "licence"]]


def sbom(citation: Citation, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The bill of materials, CycloneDX 1.5."""
    components = [
        {
            "type": "library",
            "name": item["name"],
            "version": item["version"],
            "purl": f"pkg:pypi/{item['name']}@{item['version']}",
            "licenses": [{"license": {"name": item["licence"]}}],
            "hashes": [{"alg": "SHA-256", "content": content} for content in item["sha256"]],
        }
        for item in listed
    ]
    project = {"type": "application", "name": "perquery", "version": citation.version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": project | {"licenses": [{"license": {"id": citation.licence}}]}},
        "components": components,
    }


PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[a4paper,margin=12mm]{geometry}
\usepackage{booktabs,longtable,graphicx,pdflscape}
\setlength{\tabcolsep}{2.5pt}
\begin{document}
"""


def captions(sidecars: Sequence[Mapping[str, Any]]) -> str:
    """Number, title, caption and alt text of every figure, as Markdown."""
    parts = ["# Captions\n"]
    for about in sidecars:
        head = f"Figure {about['number']}. {about['title']}" if about["number"] else about["title"]
        parts.append(f"## {head}\n\n{_details(about)}\n\n*Alt text.* {about['alt']}\n")
    return "\n".join(parts)


def latex(sidecars: Sequence[Mapping[str, Any]], figures: Path, tables: Path, target: Path) -> None:
    """Write a folder that compiles as it is: main.tex, figures as PDF, tables as they are included."""
    target.mkdir(parents=True, exist_ok=True)
    names = [path.stem for path in sorted(tables.glob("*.tex"))]
    for about in sidecars:
        shutil.copyfile(figures / f"{about['file']}.pdf", target / f"{about['file']}.pdf")
    for name in names:
        shutil.copyfile(tables / f"{name}.tex", target / f"table-{name}.tex")
    write_text("\n".join(_latex_figure(about) for about in sidecars), target / "figures.tex")
    inputs = "\n".join(rf"{{\scriptsize\input{{table-{name}}}}}\clearpage" for name in names)
    body = (
        rf"\input{{figures}}\clearpage{chr(10)}\begin{{landscape}}{chr(10)}{inputs}{chr(10)}\end{{landscape}}"
    )
    write_text(f"{PREAMBLE}{body}\n\\end{{document}}\n", target / "main.tex")


def _latex_figure(about: Mapping[str, Any]) -> str:
    caption = escape(about["caption"])
    return (
        f"\\begin{{figure}}[p]\n\\centering\n\\includegraphics[width={about['width_mm']:g}mm]{{{about['file']}.pdf}}\n"
        f"\\caption{{{caption}}}\n\\label{{fig:{about['file']}}}\n\\end{{figure}}\n"
    )


def word(sidecars: Sequence[Mapping[str, Any]], tables: Mapping[str, pd.DataFrame], target: Path) -> None:
    """Write a page that word processors open: all figures (PNG of ../figures, at print size) and tables."""
    parts = []
    for about in sidecars:
        label = f"<b>Figure {html.escape(about['number'])}.</b> " if about["number"] else ""
        words = f"<b>{html.escape(about['title'])}.</b> {html.escape(_details(about))}"
        parts.append(
            f'<p><img src="../figures/{about["file"]}.png" alt="{html.escape(about["alt"])}" '
            f'style="width:{about["width_mm"]:g}mm"></p>\n<p>{label}{words}</p>'
        )
    for name, table in tables.items():
        shown = table.to_html(index=False, na_rep="", border=1, float_format="{:.4g}".format)
        parts.append(f"<h2>Table: {html.escape(name)}</h2>\n{shown}")
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Figures, tables</title></head>'
    )
    write_text(
        f"{head}<body>\n" + "\n".join(parts) + "\n</body></html>\n", target / "figures-and-tables.html"
    )


def _details(about: Mapping[str, Any]) -> str:
    """The caption behind the finding, which is the title."""
    return str(about["caption"]).removeprefix(f"{about['title']}. ")
