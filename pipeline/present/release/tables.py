"""Tables for other programs: the three formats of the paper, and one workbook with a sheet a table."""

import datetime
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import xlsxwriter

from pipeline.files import write_atomically

NEVER = datetime.datetime(1980, 1, 1)
LONGEST_SHEET_NAME = 31  # of a workbook
WIDEST = 60  # characters


def copy_tables(folder: Path, target: Path) -> list[Path]:
    """Copy CSV, LaTeX and Markdown of every table into `target`; returns the CSV files, sorted."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in (".csv", ".tex", ".md"):
            shutil.copyfile(path, target / path.name)
    return sorted(target.glob("*.csv"))


def workbook(tables: Mapping[str, pd.DataFrame], target: Path) -> None:
    """Write one sheet a table, header bold and frozen, numbers as numbers; the same bytes each time."""

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(str(path), {"strings_to_urls": False}) as book:
            book.set_properties({"created": NEVER})
            bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
            for name, table in tables.items():
                sheet = book.add_worksheet(name[:LONGEST_SHEET_NAME])
                sheet.freeze_panes(1, 0)
                sheet.write_row(0, 0, [str(column) for column in table.columns], bold)
                blank = table.astype(object).where(table.notna(), None)
                for row, values in enumerate(blank.itertuples(index=False), start=1):
                    sheet.write_row(row, 0, values)
                for column, name_of in enumerate(table.columns):
                    longest = max(
                        (len(str(value)) for value in blank[name_of] if value is not None), default=0
                    )
                    sheet.set_column(column, column, min(WIDEST, max(10, longest + 1)))

    write_atomically(target, write)
