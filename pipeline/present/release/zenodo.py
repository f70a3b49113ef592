"""What the archive that gives the DOI asks for (.zenodo.json), from CITATION.cff alone."""

from typing import Any

from pipeline.present.citation import Citation

DESCRIPTION = (
    "An open, executable re-analysis of the energy and water of one AI query: data, models, every figure and "
    "table as published and re-estimated, and a ledger that says claim by claim what comes out again."
)


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
