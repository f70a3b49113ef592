"""Put the results of all analyses and streams into one table each.

Inputs: build/as_published/sobol, build/as_published/authors, build/re_estimated, and
data/results/re_estimated.csv for the metrics.
Outputs: data/results/{energy_per_query,fleet,token_lengths}.csv, metrics.json, and what figures read:
build/results/{energy_histograms,token_histograms}.parquet. Settings: none.
"""

from pathlib import Path

from pipeline.contracts import read_table
from pipeline.contracts.re_estimated import RE_ESTIMATED
from pipeline.errors import run
from pipeline.estimate.headlines import headlines
from pipeline.estimate.tables import Tables, concatenate
from pipeline.files import write_csv, write_json, write_parquet

PARTS = [Path(f"build/{part}") for part in ("as_published/sobol", "as_published/authors", "re_estimated")]
RESULTS = Path("data/results")
HISTOGRAMS = Path("build/results")


def main() -> None:
    """Load the parts, stack them, save."""
    parts = [Tables.read(folder) for folder in PARTS]
    split = read_table(RESULTS / "re_estimated.csv", RE_ESTIMATED)

    results = concatenate(parts)

    write_csv(results.energy, RESULTS / "energy_per_query.csv")
    write_csv(results.fleet, RESULTS / "fleet.csv")
    write_csv(results.tokens, RESULTS / "token_lengths.csv")
    write_parquet(results.energy_histograms, HISTOGRAMS / "energy_histograms.parquet")
    write_parquet(results.token_histograms, HISTOGRAMS / "token_histograms.parquet")
    write_json(headlines(results.energy, results.fleet, split), "metrics.json")


if __name__ == "__main__":
    run(main)
