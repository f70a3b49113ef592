"""Repairs of upstream tables that say how many rows they touch, and stop when that number changes."""

import pandas as pd

from pipeline.errors import InputError


def corrected(table: pd.DataFrame, mask: pd.Series, expected_count: int, reason: str) -> pd.DataFrame:
    """`table` after checking that `mask` marks exactly `expected_count` rows; the caller repairs those.

    Raises InputError when upstream changed and the repair no longer fits.
    """
    found = int(mask.sum())
    if found != expected_count:
        raise InputError(f"correction {reason!r} touches {found} rows, expected {expected_count}")
    return table


def without(table: pd.DataFrame, mask: pd.Series, expected_count: int, reason: str) -> pd.DataFrame:
    """`table` without the rows that `mask` marks: a counted correction that sets rows aside."""
    return corrected(table, mask, expected_count, reason)[~mask].reset_index(drop=True)
