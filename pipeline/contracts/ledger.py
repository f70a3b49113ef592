"""Contracts of the claims ledger and of the verdicts that the tests expect."""

import pandera.pandas as pa

VERDICTS = ["exact", "within Monte Carlo error", "differs", "cannot be computed", "not yet"]
COMPARED_WITH = [
    "authors' stream",
    "our stream",
    "our water model",
    "assumptions",
    "re-estimate",
    "the source's rows",
    "nothing",
]


def _number() -> pa.Column:
    return pa.Column("float64", nullable=True)


def _text() -> pa.Column:
    return pa.Column("str")


LEDGER = pa.DataFrameSchema(
    {
        "key": _text(),
        "version": _text(),
        "where": _text(),
        "quantity": _text(),
        "unit": _text(),
        "interval": pa.Column("str", nullable=True),
        "kind": _text(),
        "published_value": _number(),
        "published_low": _number(),
        "published_high": _number(),
        "ours_value": _number(),
        "ours_low": _number(),
        "ours_high": _number(),
        "tolerance_value": _number(),
        "tolerance_low": _number(),
        "tolerance_high": _number(),
        "tolerance_reason": pa.Column("str", nullable=True),
        "compared_with": pa.Column("str", pa.Check.isin(COMPARED_WITH)),
        "verdict": pa.Column("str", pa.Check.isin(VERDICTS)),
        "reason": pa.Column("str", nullable=True),
    },
    unique=["key"],
    strict=True,
    ordered=True,
)

EXPECTED_VERDICTS = pa.DataFrameSchema(
    {"key": pa.Column("str", unique=True), "verdict": pa.Column("str", pa.Check.isin(VERDICTS))},
    strict=True,
    ordered=True,
)
