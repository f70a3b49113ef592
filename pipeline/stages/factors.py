"""The factor table for calculators, its schema and README, and what changed since the release before."""

from pathlib import Path

import pandas as pd

from pipeline.core.catalogue import read, transcription, write
from pipeline.core.errors import run
from pipeline.core.files import write_csv, write_json, write_text
from pipeline.core.parse import read_citation
from pipeline.core.settings import load
from pipeline.energy.model.study import draw_samples, read_lengths, read_servers, read_serving
from pipeline.factors.model.contexts import context_rows
from pipeline.factors.model.contract import BY_CONTEXT, FACTORS, SCHEMA_VERSION
from pipeline.factors.model.release import NAME, as_json, compare, json_schema, readme
from pipeline.factors.model.services import factor_rows
from pipeline.factors.model.values import Naming
from pipeline.water.model.sites import SITE_TABLES, Sites, site_factors

RESULTS = Path("data/results/factors")
RELEASES = Path("data/releases")


def main() -> None:
    """Estimate, compare with the release before, save."""
    factors, energy, water, simulation = load("factors", "energy", "water", "simulation")
    sites = Sites.of(water, site_factors({name: read(name) for name in SITE_TABLES}))
    hardware, models = transcription("hardware"), transcription("published/models")
    naming = Naming.of(hardware, models, read("serving_measurements"))
    citation = read_citation()

    fitted = (read_lengths(), read_servers(), read_serving(energy.serving, simulation))
    rows = factor_rows(factors, energy, *fitted, sites, simulation, naming)
    samples = draw_samples(energy, simulation, factors.propagation)
    by_context = pd.DataFrame(context_rows(factors, energy, samples, *fitted[1:]))
    by_context = by_context.assign(version=citation.version)
    rows = rows.assign(version=citation.version, schema_version=SCHEMA_VERSION, method=NAME)
    table = rows[list(FACTORS.columns)]

    write("factors", table)
    write("by_context", by_context[list(BY_CONTEXT.columns)])
    found, log = compare(table, citation.version, RELEASES, factors.report_change_above)
    write_text(as_json(table), RESULTS / "factors.json")
    write_json(json_schema(), RESULTS / "factors.schema.json")
    write_csv(found, RESULTS / "factor_changes.csv")
    write_text(log, RESULTS / "factor_changes.md")
    write_text(readme(table, citation, factors), RESULTS / NAME)


if __name__ == "__main__":
    run(main)
