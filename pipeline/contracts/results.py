"""Contracts of the tables that the analyses produce."""

import pandera.pandas as pa

ANALYSES = ["as_published", "re_estimated"]
REGIMES = ["short", "long"]
BOUNDARIES = ["gpu", "node", "facility"]


def _wh() -> pa.Column:
    return pa.Column("float64", pa.Check.ge(0))


ENERGY_PER_QUERY = pa.DataFrameSchema(
    {
        "analysis": pa.Column("str", pa.Check.isin(ANALYSES)),
        "variant": pa.Column("str"),
        "regime": pa.Column("str", pa.Check.isin(REGIMES)),
        "subject": pa.Column("str"),
        "boundary": pa.Column("str", pa.Check.isin(BOUNDARIES)),
        "mean_wh": _wh(),
        "p5_wh": _wh(),
        "p25_wh": _wh(),
        "p50_wh": _wh(),
        "p75_wh": _wh(),
        "p95_wh": _wh(),
        "mc_error_p50_wh": _wh(),
        "n_draws": pa.Column("int64", pa.Check.gt(0)),
    },
    unique=["analysis", "variant", "regime", "subject", "boundary"],
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
        "value_gwh_per_day": _wh(),
        "p5_gwh_per_day": _wh(),
        "p95_gwh_per_day": _wh(),
        "interval": pa.Column("str"),
        "mc_error_gwh_per_day": pa.Column("float64", pa.Check.ge(0), nullable=True),
        "n_draws": pa.Column("int64", pa.Check.gt(0)),
    },
    unique=["analysis", "variant", "scenario", "component"],
    strict=True,
    ordered=True,
)
