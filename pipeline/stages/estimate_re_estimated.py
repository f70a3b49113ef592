"""Re-estimate energy per query and fleet energy, with ignorance and variability apart.

Inputs: data/results/{length_fits,length_parameters,length_traffic,node_power_fits}.csv and
data/results/serving_model/.
Outputs: build/re_estimated/ (energy, fleet, tokens, energy_histograms, token_histograms) and
data/results/re_estimated.csv. Settings: assumptions.re_estimate, simulation, and the day's queries of
assumptions.as_published.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.assumptions.published import known
from pipeline.contracts.re_estimated import RE_ESTIMATED
from pipeline.contracts.read import validate
from pipeline.errors import run
from pipeline.estimate.re_estimated import estimate
from pipeline.estimate.study_inputs import read_study
from pipeline.files import write_csv

TABLES = Path("build/re_estimated")
SPLIT = Path("data/results/re_estimated.csv")


def main() -> None:
    """Draw worlds and queries, summarise, save."""
    settings, simulation, queries_per_day, long_share = load(
        "assumptions.re_estimate",
        "simulation",
        "assumptions.as_published.base.queries_per_day",
        "assumptions.as_published.base.long_share",
    )
    study = read_study(settings, simulation)

    tables, split = estimate(study, known(queries_per_day), known(long_share))

    tables.save(TABLES)
    write_csv(validate(split, RE_ESTIMATED, SPLIT), SPLIT)


if __name__ == "__main__":
    run(main)
