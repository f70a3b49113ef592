"""Run the review notebooks, two at a time (starting a kernel takes longest), and keep executed copies.

Inputs: notebooks/, and what they read of data, paper/tables, figures and build/examples.
Outputs: build/notebooks/NAME.{ipynb,html}. Settings: none; a notebook runs with its own parameters.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pipeline.errors import run
from pipeline.files import write_text
from pipeline.present.notebook import copies

SOURCES = Path("notebooks")
OUTPUT = Path("build/notebooks")
AT_ONCE = 2


def main() -> None:
    """Execute all, save both copies of each when none has failed."""
    sources = sorted(SOURCES.glob("*.ipynb"))
    with ProcessPoolExecutor(AT_ONCE) as pool:
        executed = list(pool.map(copies, sources))

    for source, (notebook, page) in zip(sources, executed, strict=True):
        write_text(notebook, OUTPUT / f"{source.stem}.ipynb")
        write_text(page, OUTPUT / f"{source.stem}.html")


if __name__ == "__main__":
    run(main)
