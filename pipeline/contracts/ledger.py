"""Contracts of the claims ledger and of the verdicts that the tests expect."""

import pandera.pandas as pa

from pipeline.contracts.columns import number, text, word

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

LEDGER = pa.DataFrameSchema(
    {
        "key": text("names the claim"),
        "version": text("v1, v2 of the paper, or the article of the company"),
        "where": text("place within it"),
        "quantity": text("what is claimed"),
        "unit": text("of all values"),
        "interval": text("what low and high are", nullable=True),
        "kind": text("printed in the text, or by the released code"),
        "published_value": number("as published", None, nullable=True),
        "published_low": number("as published, lower end", None, nullable=True),
        "published_high": number("as published, upper end", None, nullable=True),
        "ours_value": number("as computed here", None, nullable=True),
        "ours_low": number("as computed here, lower end", None, nullable=True),
        "ours_high": number("as computed here, upper end", None, nullable=True),
        "tolerance_value": number("how far apart still agrees", None, nullable=True),
        "tolerance_low": number("how far apart still agrees, lower end", None, nullable=True),
        "tolerance_high": number("how far apart still agrees, upper end", None, nullable=True),
        "tolerance_reason": text("why this tolerance", nullable=True),
        "compared_with": word("what it is compared with", COMPARED_WITH),
        "verdict": word("what became of it", VERDICTS),
        "reason": text("why it differs, or which choice of ours decides", nullable=True),
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
