"""What data/published/README.md says of its tables."""

import re
from pathlib import Path

FOLDER = Path("data/published")


def test_every_table_is_named() -> None:
    named = re.findall(
        r"^\| `(\w+\.csv)` \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(named) == sorted(path.name for path in FOLDER.glob("*.csv"))
