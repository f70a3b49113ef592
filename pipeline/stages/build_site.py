"""Build the review site, which opens from disk without network.

Inputs: build/paper/numbers.json, data/, figures/, paper/, build/notebooks, build/assumptions, the histograms that
figures draw, dvc.yaml (which stage made what), CITATION.cff.
Outputs: site/. Settings: none.
"""

import shutil
from pathlib import Path

from pipeline.errors import run
from pipeline.files import write_text
from pipeline.present.site.build import build

OUTPUT = Path("site")


def main() -> None:
    """Make every page, then write all files anew."""
    files = build()

    shutil.rmtree(OUTPUT, ignore_errors=True)
    for name, content in files.items():
        target = OUTPUT / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            write_text(content, target)


if __name__ == "__main__":
    run(main)
