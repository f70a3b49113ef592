"""Columns that the contracts of hand-kept tables are built from."""

import pandera.pandas as pa

# seen-primary: read in the source itself; seen-secondary: read in somebody's account of it
CONFIDENCES = ["seen-primary", "seen-secondary", "computed-from-primary-data"]
POSITIVE = pa.Check.gt(0)
NOT_NEGATIVE = pa.Check.ge(0)
SHARE = pa.Check.in_range(0, 1)
KEY = pa.Check.str_matches(r"^[a-z0-9][A-Za-z0-9._-]*$", error="letters, digits, dot, hyphen or underscore")


def key() -> pa.Column:
    """The unique name of a row."""
    return pa.Column("str", KEY, unique=True, description="names the row")


def text(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    """Free text."""
    return pa.Column("str", list(checks), nullable=nullable, description=description)


def word(description: str, words: list[str], nullable: bool = False) -> pa.Column:
    """One of a closed list of words."""
    return text(description, pa.Check.isin(words), nullable=nullable)


def number(description: str, check: pa.Check | None = POSITIVE, nullable: bool = False) -> pa.Column:
    """A number, more than zero unless said otherwise."""
    return pa.Column("float64", check, nullable=nullable, description=description)


def count(description: str, check: pa.Check) -> pa.Column:
    """A whole number."""
    return pa.Column("int64", check, description=description)


def schema(columns: dict[str, pa.Column], checks: list[pa.Check], description: str) -> pa.DataFrameSchema:
    """A table with exactly these columns in this order; checks see whole rows."""
    return pa.DataFrameSchema(columns, checks=checks, strict=True, ordered=True, description=description)
