"""Validate params.yaml whole, and lay out each of its sections as a file that other stages depend on.

Inputs: params.yaml, paper/references.bib, in which every `source` stands.
Output: build/assumptions/<dotted key>.json for every section and every assumption.

A stage that reads a section depends on that section's file, so it runs again when the section changes and
only then. (Declared as DVC parameters the same sections, with their sources and reasons, would stand once a
stage in dvc.lock, which DVC rewrites after every stage: it took most of a run.)
"""

import json
import shutil
from pathlib import Path

from pipeline.assumptions.load import PARAMS, sections, sources
from pipeline.errors import InputError, run
from pipeline.files import write_text
from pipeline.ingest.bibliography import BIBLIOGRAPHY, reference_keys

SECTIONS = Path("build/assumptions")


def main() -> None:
    """Validate, then write; what an earlier params.yaml had and this one has not goes."""
    found = sections()
    references = reference_keys()
    for key, source in sources(found):
        if source not in references:
            raise InputError(f"{PARAMS}, {key}: {source!r}, expected a key of {BIBLIOGRAPHY}")
    shutil.rmtree(SECTIONS, ignore_errors=True)
    for key, value in found.items():
        text = json.dumps(value, indent=1, ensure_ascii=False)  # every digit: a change in the last one counts
        write_text(text + "\n", SECTIONS / f"{key}.json")


if __name__ == "__main__":
    run(main)
