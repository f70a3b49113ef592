"""The re-estimate of energy per query, what its spread comes from, and its bridge to the published one.

Then the results of all analyses and streams in one table each, and the headline metrics.
"""

from pathlib import Path

import pandas as pd

from pipeline.core.catalogue import read, transcription, write
from pipeline.core.errors import run
from pipeline.core.files import write_json, write_metrics
from pipeline.core.settings import load
from pipeline.energy.model.bridge import bridge
from pipeline.energy.model.estimate import estimate, headlines, metrics
from pipeline.energy.model.headline import grades_of, headline, like_for_like, outside_anchors, parts
from pipeline.energy.model.sensitivity import shares, tornado
from pipeline.energy.model.study import read_serving, read_study
from pipeline.ingest.names import Names
from pipeline.published.model.draws import Tables, concatenate
from pipeline.published.model.energy import from_table
from pipeline.published.model.settings import known
from pipeline.serving.model.deployments import Deployments

PUBLISHED, AUTHORS = Path("build/as_published/sobol"), Path("build/as_published/authors")


def main() -> None:
    """Draw samples and queries once; summarise, vary and exchange them, save."""
    settings, published, simulation = load("energy", "published", "simulation")
    model = read_serving(settings.serving, simulation)
    base, study = published.base, read_study(settings, simulation, model)
    fits = from_table(read("throughput_fit"))

    tables, split = estimate(study, known(base.queries_per_day), known(base.long_share))
    by_group, by_input = shares(study), tornado(study)
    steps = bridge(study, published, fits, pd.read_parquet(PUBLISHED / "energy.parquet"))

    write("re_estimated", split)
    write("outside_anchors", outside_anchors(read("anchors"), study, model))
    write("variance_shares", by_group)
    write("tornado", by_input)
    write("bridge", steps)
    write("energy_parts", parts(study))
    results = concatenate([Tables.read(PUBLISHED), Tables.read(AUTHORS), tables])
    write_together(results, split)
    write_headline(split, results.energy, settings.deployments)


def write_together(results: Tables, split: pd.DataFrame) -> None:
    """Every analysis and stream in one table each; `split` has the re-estimate's summaries apart."""
    write("energy_per_query", results.energy)
    write("fleet", results.fleet)
    write("results/token_lengths", results.tokens)
    write("energy_histograms", results.energy_histograms)
    write("token_histograms", results.token_histograms)
    found = headlines(results.energy, results.fleet, split)
    write_json(found, "metrics.json")
    write_metrics("query", **metrics(found))


def write_headline(split: pd.DataFrame, energy: pd.DataFrame, deployments: Deployments) -> None:
    """The headline numbers with what they are of, and published ones beside ours at the same lengths."""
    grades = grades_of(deployments, read("serving_measurements"), Names.of(transcription("published/models")))
    table = headline(split, energy, deployments, grades)
    write("headline", table)
    write("like_for_like", like_for_like(table))


if __name__ == "__main__":
    run(main)
