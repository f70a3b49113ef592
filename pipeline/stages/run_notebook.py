"""Run a review notebook and keep executed copies: `python -m pipeline.stages.run_notebook NAME`.

Inputs: notebooks/NAME.ipynb, what it reads of data/results, paper/tables and figures.
Outputs: build/notebooks/NAME.{ipynb,html}. Settings: none; the notebook runs with its own parameters.
"""

import sys
from pathlib import Path

from pipeline.errors import InputError, run
from pipeline.files import write_text
from pipeline.present.notebook import as_html, as_text, execute

SOURCES = Path("notebooks")
OUTPUT = Path("build/notebooks")


def main() -> None:
    """Execute, save both copies."""
    if len(sys.argv) != 2:
        raise InputError(f"give the name of one notebook of {SOURCES}/")
    name = sys.argv[1]
    notebook = execute(SOURCES / f"{name}.ipynb", {})

    write_text(as_text(notebook), OUTPUT / f"{name}.ipynb")
    write_text(as_html(notebook), OUTPUT / f"{name}.html")


if __name__ == "__main__":
    run(main)
