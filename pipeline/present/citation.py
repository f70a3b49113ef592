"""CITATION.cff, read once and checked: what every other record of the project is made from."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.errors import InputError

CITATION = Path("CITATION.cff")
REQUIRED = (
    "cff-version",
    "message",
    "title",
    "type",
    "version",
    "license",
    "authors",
    "keywords",
    "references",
)
VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Citation:
    """Title, version, licence of the code, names, key words, what the project re-analyses (title, DOI)."""

    title: str
    version: str
    licence: str
    authors: list[str]
    keywords: list[str]
    reanalyses: list[tuple[str, str]]


def read_citation(path: Path | str = CITATION) -> Citation:
    """Read and check; raises InputError naming the key that is missing or wrong."""
    try:
        data: dict[str, Any] = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    for key in REQUIRED:
        if not data.get(key):
            raise InputError(f"{path}, {key}: missing")
    if not VERSION.fullmatch(str(data["version"])):
        raise InputError(f"{path}, version: {data['version']!r}, expected three numbers, as 0.1.0")
    for number, reference in enumerate(data["references"]):
        for key in ("type", "title", "authors", "doi"):
            if not reference.get(key):
                raise InputError(f"{path}, references.{number}.{key}: missing")
    names = [
        person.get("name") or f"{person['family-names']}, {person['given-names']}"
        for person in data["authors"]
    ]
    return Citation(
        title=data["title"],
        version=str(data["version"]),
        licence=data["license"],
        authors=names,
        keywords=list(data["keywords"]),
        reanalyses=[(reference["title"], reference["doi"]) for reference in data["references"]],
    )
