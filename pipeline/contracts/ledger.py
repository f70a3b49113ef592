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


def _number(description: str) -> pa.Column:
    return pa.Column("float64", nullable=True, description=description)


def _text(description: str, nullable: bool = False) -> pa.Column:
    return pa.Column("str", nullable=nullable, description=description)


def _word(description: str, words: list[str]) -> pa.Column:
    return pa.Column("str", pa.Check.isin(words), description=description)


LEDGER = pa.DataFrameSchema(
    {
        "key": _text("names the claim"),
        "version": _text("v1, v2 of the paper, or the article of the company"),
        "where": _text("place within it"),
        "quantity": _text("what is claimed"),
        "unit": _text("of all values"),
        "interval": _text("what low and high are", nullable=True),
        "kind": _text("printed in the text, or by the released code"),
        "published_value": _number("as published"),
        "published_low": _number("as published, lower end"),
        "published_high": _number("as published, upper end"),
        "ours_value": _number("as computed here"),
        "ours_low": _number("as computed here, lower end"),
        "ours_high": _number("as computed here, upper end"),
        "tolerance_value": _number("how far apart still agrees"),
        "tolerance_low": _number("how far apart still agrees, lower end"),
        "tolerance_high": _number("how far apart still agrees, upper end"),
        "tolerance_reason": _text("why this tolerance", nullable=True),
        "compared_with": _word("what it is compared with", COMPARED_WITH),
        "verdict": _word("what became of it", VERDICTS),
        "reason": _text("why it differs, or which choice of ours decides", nullable=True),
    },
    unique=["key"],
    strict=True,
    ordered=True,
    description="Every published number beside ours, with a verdict.",
)

EXPECTED_VERDICTS = pa.DataFrameSchema(
    {"key": pa.Column("str", unique=True), "verdict": pa.Column("str", pa.Check.isin(VERDICTS))},
    strict=True,
    ordered=True,
)
