"""What others publish beside ours: energies per query, Table 1, waters per query, then the claims ledger.

The ledger lays every published number beside ours, with a verdict.
"""

from pipeline.core.catalogue import read, write
from pipeline.core.errors import run
from pipeline.core.files import write_json
from pipeline.core.settings import load
from pipeline.published.model.compared import earlier_estimates, table_1
from pipeline.report.claims import Evidence, ledger_metrics, make_ledger, recipes
from pipeline.water.model.published import assumptions, beside, compared, energies
from pipeline.water.model.sites import read_factors

LEVERS = ("model", "serving", "hardware")
WATER = "blog.water"


def main() -> None:
    """Compare first: claims are judged by what that gives too."""
    compare_prior_estimates()
    compare_table_1()
    compare_water()
    judge()


def compare_prior_estimates() -> None:
    """Published energies per query beside the published median and ours."""
    short, long = load("published.base.output_tokens_short", "published.base.output_tokens_long")
    lengths = short.distribution.median(), long.distribution.median()

    table = earlier_estimates(read("prior_estimates"), read("energy_per_query"), *lengths)

    write("prior_estimates_compared", table)


def compare_table_1() -> None:
    """Table 1 of the published analysis from its sources' own rows, and at one boundary."""
    facts = read("comparators"), read("published/claims"), read("serving_measurements")

    write("table_1", table_1(*facts, read("energy_per_query"), read("results/token_lengths")))


def compare_water() -> None:
    """Published waters per query from their own inputs and beside ours; what the published range rests on."""
    headline, factors = load("water.headline"), read_factors()
    claims = read("published/claims")
    low, high = claims.loc[claims["key"] == WATER, ["low", "high"]].to_numpy().ravel()
    energy = energies(read("energy_per_query"), read("re_estimated"))

    table = compared(read("prior_water"), factors, read("water_sites"), read("water_split"), headline)

    write("prior_water_compared", table)
    write("water_claim_assumptions", assumptions(energy, factors, (low, high)))
    write("water_fleet_compared", beside(read("water_fleet"), read("comparisons"), headline))


def judge() -> None:
    """Load the claims and the results, judge, save."""
    levers = {name: load(f"published.base.lever_{name}").distribution for name in LEVERS}

    ledger = make_ledger(Evidence(read, levers), recipes())

    write("results/claims", ledger)
    write_json(ledger_metrics(ledger), "data/results/claims_metrics.json")


if __name__ == "__main__":
    run(main)
