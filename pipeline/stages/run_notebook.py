"""Run the review notebook and keep executed copies: build/notebooks/<name>.ipynb and .html.

Inputs: notebooks/published_analysis.ipynb, what it reads of data/results, paper/tables and figures.
Outputs: build/notebooks/published_analysis.{ipynb,html}. Settings: none.
"""

from pathlib import Path

from pipeline.errors import run
from pipeline.files import write_text
from pipeline.present.notebook import as_html, as_text, execute

SOURCE = Path("notebooks/published_analysis.ipynb")
TITLE = "The published analysis and its claims"
OUTPUT = Path("build/notebooks")


def main() -> None:
    """Execute with the default parameters, save both copies."""
    notebook = execute(SOURCE, {})

    write_text(as_text(notebook), OUTPUT / SOURCE.name)
    write_text(as_html(notebook, TITLE), OUTPUT / f"{SOURCE.stem}.html")


if __name__ == "__main__":
    run(main)
