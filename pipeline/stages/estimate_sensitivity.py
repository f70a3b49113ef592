"""Which sources of spread matter: Sobol indices by group, and one input at a time.

Inputs: those of estimate_re_estimated. Outputs: data/results/{variance_shares,tornado}.csv.
Settings: assumptions.re_estimate, simulation.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.contracts.re_estimated import TORNADO, VARIANCE_SHARES
from pipeline.contracts.read import validate
from pipeline.errors import run
from pipeline.estimate.study_inputs import read_study
from pipeline.estimate.tornado import tornado
from pipeline.estimate.variance_shares import shares
from pipeline.files import write_csv

RESULTS = Path("data/results")


def main() -> None:
    """Draw worlds and queries, vary them by group and one by one, save."""
    settings, simulation = load("assumptions.re_estimate", "simulation")
    study = read_study(settings, simulation)

    by_group, by_input = shares(study), tornado(study)

    write_csv(validate(by_group, VARIANCE_SHARES, "variance_shares"), RESULTS / "variance_shares.csv")
    write_csv(validate(by_input, TORNADO, "tornado"), RESULTS / "tornado.csv")


if __name__ == "__main__":
    run(main)
