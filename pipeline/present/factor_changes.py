"""What changed in the factor table since the release before: the pipeline writes its own change log."""

import csv
from pathlib import Path

import pandas as pd

from pipeline.contracts import read_table
from pipeline.contracts.factors import FACTORS, KEYS, SCHEMA_VERSION, VALUES

MEDIANS = [f"p50_{unit}" for unit in VALUES]
COLUMNS = [*KEYS, "quantity", "change", "before", "now", "ratio"]


def compare(now: pd.DataFrame, version: str, folder: Path | str, above: float) -> tuple[pd.DataFrame, str]:
    """Changes since the newest older release in `folder`, and the change log; a change: of more than `above`.

    A release with other columns is not compared: its factors mean something else.
    """
    nothing = pd.DataFrame(columns=COLUMNS)
    before = release_before(version, folder)
    if before is None:
        return nothing, change_log(version, None, nothing, len(now), above)
    previous, path = before
    if _header(path) != list(FACTORS.columns):
        return nothing, other_columns(version, previous, len(now))
    found = changes(read_table(path, FACTORS), now, above)
    return found, change_log(version, previous, found, len(now), above)


def release_before(version: str, folder: Path | str) -> tuple[str, Path] | None:
    """Version and file of the newest release in `folder` older than `version`; None: there is none."""
    found = {path.stem.removeprefix("factors-"): path for path in sorted(Path(folder).glob("factors-*.csv"))}
    older = [name for name in found if _order(name) < _order(version)]
    if not older:
        return None
    newest = max(older, key=_order)
    return newest, found[newest]


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def changes(before: pd.DataFrame, now: pd.DataFrame, above: float) -> pd.DataFrame:
    """COLUMNS: factors that are new, gone, or whose median moved by more than the share `above`."""
    old, new = (
        table.melt(KEYS, MEDIANS, "quantity").set_index([*KEYS, "quantity"])["value"].dropna()
        for table in (before, now)
    )
    both = pd.DataFrame({"before": old, "now": new})
    both["ratio"] = both["now"] / both["before"]
    moved = (both["ratio"] - 1).abs() > above
    both["change"] = "moved"
    both.loc[both["before"].isna(), "change"] = "new"
    both.loc[both["now"].isna(), "change"] = "gone"
    return both[moved | (both["change"] != "moved")].reset_index()[COLUMNS]


def other_columns(version: str, previous: str, rows: int) -> str:
    """The change log where the release before has other columns."""
    return (
        f"# Factors {version}\n\nThe table has other columns than that of {previous} (schema version "
        f"{SCHEMA_VERSION} now): its {rows:,} factors cannot be compared one by one.\n"
    )


def change_log(version: str, previous: str | None, found: pd.DataFrame, rows: int, above: float) -> str:
    """The change log as Markdown: how many factors changed, and by how much in each class."""
    head = f"# Factors {version}\n\n"
    if previous is None:
        return f"{head}The first release: {rows:,} factors, nothing to compare them with.\n"
    counted = found["change"].value_counts()
    kinds = {"moved": f"moved by more than {above:.0%}", "new": "are new", "gone": "are gone"}
    lines = [f"Against {previous}, of {rows:,} factors:\n"]
    lines += [f"- {counted.get(kind, 0):,} {words}" for kind, words in kinds.items()]
    moved = found[found["change"] == "moved"]
    if len(moved):
        table = moved.groupby(["quantity", "model_class", "boundary"])["ratio"].agg(
            ["size", "min", "median", "max"]
        )
        shown = table.reset_index().rename(columns={"size": "factors"})
        lines += ["\nThose that moved, now over before:\n", shown.to_markdown(index=False, floatfmt=".3g")]
    return head + "\n".join(lines) + "\n"
