"""The worked examples of CONTRIBUTING.md, for the tests that carry them out in a temporary clone."""

import os
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(".github/CONTRIBUTING.md")
MOST_LINES = 30


def example(heading: str) -> list[str]:
    """The blocks of code of a section, in order; together they are under 30 lines of change."""
    text = GUIDE.read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"{GUIDE}: no section {heading!r}"
    blocks = re.findall(r"^```\w+\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)
    assert sum(block.count("\n") for block in blocks) < MOST_LINES
    return list(blocks)


def clone(folder: Path) -> Path:
    """What is committed, in a folder of its own."""
    run(Path.cwd(), "git", "clone", "--quiet", ".", str(folder))
    return folder


def insert(path: Path, after: str, block: str) -> None:
    """Put a block after a text that stands once in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(after) == 1, f"{path}: {after!r} stands {text.count(after)} times"
    path.write_text(text.replace(after, after + block), encoding="utf-8")


def stage(folder: Path, *names: str) -> None:
    """Run stages there, one after the other."""
    for name in names:
        run(folder, sys.executable, "-m", f"pipeline.stages.{name}")


def run(folder: Path, *command: str) -> str:
    """A command in a folder; its output."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    env["MPLCONFIGDIR"] = str(folder / ".mpl")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
