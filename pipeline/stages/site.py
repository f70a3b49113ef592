"""Build the review site, which opens from disk without network."""

import shutil
from pathlib import Path

from pipeline.core.errors import run
from pipeline.core.files import write_text
from pipeline.present.site.build import Files, build

OUTPUT = Path("site")


def write(files: Files, folder: Path) -> None:
    """Write every file of the site; what an earlier one had and this one has not goes."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        elif isinstance(content, bytes):
            target.write_bytes(content)
        else:
            write_text(content, target)


def main() -> None:
    """Make every page, then write all files."""
    files = build()

    write(files, OUTPUT)


if __name__ == "__main__":
    run(main)
