"""`make figure NAME=fig-l1-scale`: draw one figure into figures/, with the colours and widths of params.yaml.

The same bytes as the stage `figures` writes.
"""

import sys

from pipeline.core.errors import InputError, run
from pipeline.core.settings import from_params
from pipeline.present.figures import ALL, FOLDER, draw, find


def main() -> None:
    """Draw the figures that are named, and say where they are."""
    names = sys.argv[1:]
    if not names:
        known = "\n".join(f"  {entry.name:40} {entry.title}" for entry in ALL)
        raise InputError(f"no figure named; NAME is one of\n{known}")
    for entry in [find(name) for name in names]:
        draw(entry.name, settings=from_params)
        print(f"== {FOLDER / entry.name}.pdf, .svg, .png and .json")


if __name__ == "__main__":
    run(main)
