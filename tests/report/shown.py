"""What a topic shows in the paper, from the committed results with some tables replaced."""

from types import ModuleType
from typing import Any

import pandas as pd

from pipeline.core.settings import from_params
from pipeline.report.declared import declared
from pipeline.report.formats import Number, Table, collect, shown


def tables(module: ModuleType, **other: Any) -> dict[str, pd.DataFrame]:
    """Every table of a module by its name, as text under its headings."""
    found = {}
    for entry in declared(module):
        if isinstance(entry, Table):
            given = entry.given(from_params)
            found[entry.name] = shown(
                entry, entry.made(given | {k: v for k, v in other.items() if k in given})
            )
    return found


def numbers(module: ModuleType) -> dict[str, Number]:
    """Every number of a module by its key."""
    return collect((module,), from_params)
