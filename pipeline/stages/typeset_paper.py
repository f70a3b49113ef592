"""Typeset the paper from its text, the results, the figures and the bibliography.

Inputs: CITATION.cff, paper/*.typ, paper/sections/*.typ, paper/references.bib, build/paper/numbers.json,
paper/tables/, figures/*.svg and their sidecars.
Outputs: paper/paper.pdf. Settings: none.
"""

from pathlib import Path

from pipeline.errors import run
from pipeline.present.paper import typeset

SOURCE = Path("paper/paper.typ")
OUTPUT = Path("paper/paper.pdf")


def main() -> None:
    """Compile."""
    typeset(SOURCE, OUTPUT)


if __name__ == "__main__":
    run(main)
