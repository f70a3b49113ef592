"""What data/published/README.md says of its tables."""

import csv
import re
from pathlib import Path

FOLDER = Path("data/published")
ROW = re.compile(r"^\| `(?P<name>\w+\.csv)` \|.*\| (?P<rows>[\d,]+) \|$", re.MULTILINE)


def test_every_table_is_named_with_its_number_of_rows() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    told = {row["name"]: int(row["rows"].replace(",", "")) for row in ROW.finditer(text)}
    there = {}
    for path in FOLDER.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            there[path.name] = len(list(csv.reader(file))) - 1
    assert told == there
