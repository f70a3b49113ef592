"""Contract of the claims ledger.

A claim is judged in one of two ways. By *reproduction*, where what was published says how a number came
about: its `verdict`. By *re-estimate*, where no derivation was published and only evidence can be held
against it: its `support`. pipeline.report.claims.ledger has the rules.
"""

from functools import partial

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import number, row_check, schema, text, word

VERDICTS = ["exact", "within Monte Carlo error", "differs", "cannot be computed"]
SUPPORTS = ["supported", "partly supported", "not supported"]
REPRODUCTION, RE_ESTIMATE = "reproduction", "re-estimate"
JUDGED_BY = [REPRODUCTION, RE_ESTIMATE]
COMPARED_WITH = ["authors' stream", "our stream", "assumptions", RE_ESTIMATE, "the source's rows", "nothing"]


def _explained(table: pd.DataFrame) -> pd.Series:
    poor = table["verdict"].isin(["differs", "cannot be computed"]) | table["support"].notna()
    return ~poor | table["reason"].notna()


def _with_tolerance(table: pd.DataFrame) -> pd.Series:
    ends = ["value", "low", "high"]
    given = [table[f"published_{end}"].notna() == table[f"tolerance_{end}"].notna() for end in ends]
    told = pd.concat(given, axis=1).all(axis=1) & table["tolerance_reason"].notna()
    return (table["compared_with"] == "nothing") | told


def _one_judgement() -> list[pa.Check]:
    """A verdict for every reproduction and for nothing else, a support for every re-estimate."""

    def judged(table: pd.DataFrame, by: str, column: str) -> pd.Series:
        return (table["judged_by"] == by) == table[column].notna()

    pairs = {REPRODUCTION: "verdict", RE_ESTIMATE: "support"}
    return [
        row_check(column, f"a {column} for a {by} alone", partial(judged, by=by, column=column))
        for by, column in pairs.items()
    ]


LEDGER = schema(
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
        "ours_low": number("as computed here, lower end; re-estimate: least median", None, nullable=True),
        "ours_high": number("as computed here, upper end; re-estimate: largest median", None, nullable=True),
        "ours_ci90_low": number("re-estimate: least 5th epistemic percentile", None, nullable=True),
        "ours_ci90_high": number("re-estimate: largest 95th percentile", None, nullable=True),
        "tolerance_value": number("how far apart still agrees", None, nullable=True),
        "tolerance_low": number("how far apart still agrees, lower end", None, nullable=True),
        "tolerance_high": number("how far apart still agrees, upper end", None, nullable=True),
        "tolerance_reason": text("why this tolerance", nullable=True),
        "compared_with": word("what it is compared with", COMPARED_WITH),
        "judged_by": word("computed again as published, or held against the re-estimate", JUDGED_BY),
        "verdict": word("what became of it, of a reproduction", VERDICTS, nullable=True),
        "support": word("how far evidence bears it out, of a re-estimate", SUPPORTS, nullable=True),
        "reason": text("why it differs, or which choice of ours decides", nullable=True),
    },
    "Every published number beside ours, with a verdict, or with how far evidence supports it.",
    ["key"],
    [
        *_one_judgement(),
        row_check("reason", "a sentence where a claim is not borne out in full", _explained),
        row_check("tolerance_reason", "a tolerance for each printed number", _with_tolerance),
    ],
)

TABLES = {"results/claims": Table(LEDGER, "claims")}
