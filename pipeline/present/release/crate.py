"""RO-Crate metadata of the release archive: what it holds, who made it, from what, under which licence."""

import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from pipeline.present.citation import Citation
from pipeline.present.release.zenodo import DESCRIPTION

LICENCES = {
    "code": "https://spdx.org/licenses/MIT",
    "data": "https://creativecommons.org/licenses/by/4.0/",
    "fonts": "https://spdx.org/licenses/Apache-2.0",
}
DATA = ("data", "figures", "notebooks", "paper", "README.md", "export", "site", "build/notebooks")
mimetypes.add_type("text/markdown", ".md")
mimetypes.add_type("application/x-ipynb+json", ".ipynb")


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
