"""The ledger is a test: a verdict changes only together with expected_verdicts.csv, in the same commit."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.columns import schema, text, word
from pipeline.core.read import read_table
from pipeline.ingest.contract import CLAIMS
from pipeline.published.claims import MODELS
from pipeline.report.claims import recipes
from pipeline.report.contract import LEDGER, SUPPORTS, VERDICTS

EXPECTED = Path(__file__).with_name("expected_verdicts.csv")
PUBLISHED = Path("data/published/claims.csv")
COMMITTED = Path("data/results/claims.csv")
RANK = {verdict: rank for words in (VERDICTS, SUPPORTS) for rank, verdict in enumerate(words)}


def changes(found, expected):
    """One line for every claim whose verdict is not the expected one."""
    both = found.merge(
        expected, on="key", how="outer", suffixes=("_found", "_expected"), validate="one_to_one"
    )
    changed = both[both["verdict_found"] != both["verdict_expected"]]
    lines = []
    for row in changed.itertuples():
        ranks = RANK.get(row.verdict_found, 99), RANK.get(row.verdict_expected, 99)
        which = "worse" if ranks[0] > ranks[1] else "better"
        lines.append(f"{row.key}: {row.verdict_found}, expected {row.verdict_expected} ({which})")
    return lines


def expected():
    columns = {"key": text("of the claim"), "verdict": word("as expected", [*VERDICTS, *SUPPORTS])}
    return read_table(EXPECTED, schema(columns, "Verdicts as expected.", ["key"]))


@pytest.fixture(scope="module")
def ledger():
    return read_table(COMMITTED, LEDGER)


def test_verdicts_are_the_expected_ones(ledger):
    found = ledger.assign(verdict=ledger["verdict"].fillna(ledger["support"]))
    assert changes(found[["key", "verdict"]], expected()) == []


def test_a_worse_verdict_a_lost_claim_and_a_new_one_are_all_told():
    found = expected()
    found.loc[0, "verdict"] = "differs"
    found = pd.concat([found.drop(index=1), pd.DataFrame([{"key": "new", "verdict": "exact"}])])
    lines = changes(found, expected())
    assert [line.partition(":")[0] for line in lines] == ["new", "v2.blend.long", "v2.blend.short"]
    assert lines[-1].endswith("differs, expected within Monte Carlo error (worse)")


def test_every_claim_has_a_recipe():
    assert set(recipes()) == set(read_table(PUBLISHED, CLAIMS)["key"])


def test_released_code_is_compared_on_its_own_stream_and_exact(ledger):
    released = ledger[ledger["kind"] == "released_code"]
    assert set(released["compared_with"]) == {"authors' stream"}
    assert set(released["verdict"]) == {"exact"}


def test_a_claim_is_judged_once_and_by_evidence_only_where_no_derivation_is_published(ledger):
    held = ledger["judged_by"] == "re-estimate"
    assert (held == (ledger["compared_with"] == "re-estimate")).all()
    assert set(ledger.loc[held, "version"]) == {"blog"}


def test_support_follows_from_the_printed_rule(ledger):
    """From the columns of the ledger alone, for ranges: all medians inside, some overlap, or none."""
    held = ledger[(ledger["judged_by"] == "re-estimate") & ledger["published_low"].notna()]
    low, high = (
        held[f"published_{end}"] + sign * held[f"tolerance_{end}"] for end, sign in (("low", -1), ("high", 1))
    )
    inside = (held["ours_low"] >= low) & (held["ours_high"] <= high)
    overlapping = (held["ours_ci90_low"] <= high) & (held["ours_ci90_high"] >= low)
    words = inside.map({True: "supported", False: "partly supported"}).where(overlapping, "not supported")
    assert list(held["support"]) == list(words)


def test_means_in_the_notes_come_out_too():
    """The notes of the published table carry the mean of each model: the same stream gives it."""
    claims = read_table(PUBLISHED, CLAIMS)
    energy = pd.read_csv("data/results/energy_per_query.csv")
    authors = energy[energy["variant"] == "v2_authors_stream"].set_index(["regime", "subject"])["mean_wh"]
    noted = claims[claims["note"].fillna("").str.match(r"mean \d")]
    assert {recipes()[key].subject for key in noted["key"]} >= set(MODELS.values())
    for row in noted.itertuples():
        recipe = recipes()[row.key]
        printed = row.note.split()[1]
        decimals = len(printed.partition(".")[2])
        assert f"{authors[recipe.regime, recipe.subject]:.{decimals}f}" == printed, row.key


def test_parts_of_the_mixed_fleet_in_the_notes_come_out_too():
    claims = read_table(PUBLISHED, CLAIMS).set_index("key")["note"]
    fleet = pd.read_csv("data/results/fleet.csv")
    authors = fleet[fleet["variant"] == "v2_authors_stream"].set_index(["scenario", "component"])
    for scenario in ("mixed", "mixed_improved"):
        parts = [word for word in claims[f"v2.fleet.{scenario}.code"].split() if word[0].isdigit()]
        found = authors.loc[[(scenario, "short"), (scenario, "long")], "value_gwh_per_day"]
        assert [f"{value:.3f}" for value in found] == parts
