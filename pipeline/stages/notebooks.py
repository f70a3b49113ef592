"""Run the review notebooks, two at a time (starting a kernel takes longest), and keep executed copies."""

from functools import partial
from pathlib import Path

from pipeline.core.errors import run
from pipeline.core.files import write_text
from pipeline.core.processes import side_by_side
from pipeline.core.settings import load
from pipeline.present.notebook import copies

SOURCES = Path("notebooks")
OUTPUT = Path("build/notebooks")


def main() -> None:
    """Execute all, save both copies of each when none has failed."""
    sources = sorted(SOURCES.glob("[0-9]*.py"))
    settings = load("notebooks").model_dump()
    executed = side_by_side(partial(copies, settings=settings), sources)

    for source, (notebook, page) in zip(sources, executed, strict=True):
        write_text(notebook, OUTPUT / f"{source.stem}.ipynb")
        write_text(page, OUTPUT / f"{source.stem}.html")


if __name__ == "__main__":
    run(main)
