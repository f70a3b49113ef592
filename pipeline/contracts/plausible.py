"""What a published value can be in its unit: a slip of the unit is a factor of a thousand, and shows here."""

import pandas as pd
import pandera.pandas as pa

WATTS = {"W": 1.0, "kW": 1000.0}
# Of what exists or is announced, with room: from idle to the largest rated power.
POWER_W = {
    "gpu": (10, 20_000),  # one, or those of a node together
    "board": (50, 5_000),
    "superchip": (100, 10_000),
    "component": (10, 20_000),
    "gpu+host": (50, 50_000),
    "node": (200, 50_000),
    "rack": (5_000, 2_000_000),
    "cluster": (20_000, 1e9),
    "facility": (100, 10_000),  # of one accelerator, all-in
}
AMOUNTS = {
    "fraction": (0, 1),
    "ratio": (0, 1_000),
    "Wh/query": (1e-4, 1_000),
    "Wh/session": (0.01, 10_000),
    "Wh/1000 output tokens": (0.01, 20),
    "Wh/million tokens": (1, 20_000),
    "J/output token": (0.01, 1_000),
    "J/token": (0.01, 1_000),
    "GWh/day": (0.001, 1_000),
    "tokens/s/MW": (1_000, 1e8),
}

# The name of a check over whole rows is the column that its message points at.
ONE_UNIT = pa.Check(
    lambda table: table["unit"] == table.groupby("quantity")["unit"].transform(lambda unit: unit.mode()[0]),
    name="unit",
    error="the unit of the other rows of this quantity",
)


def _within(value: pd.Series, concerned: pd.Series, low: float, high: float) -> pd.Series:
    return ~concerned | value.isna() | value.between(low, high)


def _power(boundary: str, low: float, high: float) -> pa.Check:
    def check(table: pd.DataFrame) -> pd.Series:
        watts = table["value"] * table["unit"].map(WATTS)
        return _within(watts, watts.notna() & (table["boundary"] == boundary), low, high)

    return pa.Check(check, name="value", error=f"a power of {low:g} to {high:g} W (boundary {boundary})")


def _amount(unit: str, low: float, high: float) -> pa.Check:
    def check(table: pd.DataFrame) -> pd.Series:
        return _within(table["value"], table["unit"] == unit, low, high)

    return pa.Check(check, name="value", error=f"{low:g} to {high:g} {unit}")


PLAUSIBLE = [
    ONE_UNIT,
    *(_power(boundary, *limits) for boundary, limits in POWER_W.items()),
    *(_amount(unit, *limits) for unit, limits in AMOUNTS.items()),
]
