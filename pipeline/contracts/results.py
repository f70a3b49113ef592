"""Contracts of the tables that the analyses produce."""

from typing import Literal

import pandera.pandas as pa

ANALYSES = ["as_published", "re_estimated"]
Regime = Literal["short", "long"]
REGIMES: tuple[Regime, ...] = ("short", "long")
BOUNDARIES = ["gpu", "node", "facility"]
STATISTICS = ["mean", "p5", "p25", "p50", "p75", "p95"]


def _not_negative() -> pa.Column:
    return pa.Column("float64", pa.Check.ge(0))


def _summary(unit: str) -> dict[str, pa.Column]:
    """Mean and percentiles, the Monte Carlo standard error of each, and how many draws they rest on."""
    values = {f"{name}_{unit}": _not_negative() for name in STATISTICS}
    errors = {f"mc_error_{name}_{unit}": _not_negative() for name in STATISTICS}
    return {**values, **errors, "n_draws": pa.Column("int64", pa.Check.gt(0))}


ENERGY_PER_QUERY = pa.DataFrameSchema(
    {
        "analysis": pa.Column("str", pa.Check.isin(ANALYSES)),
        "variant": pa.Column("str"),
        "regime": pa.Column("str", pa.Check.isin(REGIMES)),
        "subject": pa.Column("str"),
        "boundary": pa.Column("str", pa.Check.isin(BOUNDARIES)),
        **_summary("wh"),
    },
    unique=["analysis", "variant", "regime", "subject", "boundary"],
    strict=True,
    ordered=True,
)

TOKEN_LENGTHS = pa.DataFrameSchema(
    {
        "analysis": pa.Column("str", pa.Check.isin(ANALYSES)),
        "variant": pa.Column("str"),
        "regime": pa.Column("str", pa.Check.isin(REGIMES)),
        "subject": pa.Column("str"),
        **_summary("tokens"),
    },
    unique=["analysis", "variant", "regime", "subject"],
    strict=True,
    ordered=True,
)

FLEET = pa.DataFrameSchema(
    {
        "analysis": pa.Column("str", pa.Check.isin(ANALYSES)),
        "variant": pa.Column("str"),
        "scenario": pa.Column("str"),
        "component": pa.Column("str", pa.Check.isin(["total", "short", "long"])),
        "boundary": pa.Column("str", pa.Check.isin(BOUNDARIES)),
        "value_gwh_per_day": _not_negative(),
        "p5_gwh_per_day": _not_negative(),
        "p95_gwh_per_day": _not_negative(),
        "interval": pa.Column("str"),
        "mc_error_gwh_per_day": _not_negative(),
        "n_draws": pa.Column("int64", pa.Check.gt(0)),
    },
    unique=["analysis", "variant", "scenario", "component"],
    strict=True,
    ordered=True,
)
