"""The factor table for calculators, its schema and README, and what changed since the release before.

Inputs: as estimate_re_estimated, build/published/{sites,pue,wue,electricity_water}.parquet, CITATION.cff
(version), data/releases (tables of earlier releases), data/telemetry/serving_measurements.csv (which
configurations were measured), data/published/{models,hardware}.csv.
Outputs: data/results/factors/: factors.{csv,json,schema.json}, factor_changes.{csv,md}, README.md.
Settings: factors, assumptions.re_estimate, assumptions.water, scenario.fleet, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.factors import FACTORS, SCHEMA_VERSION
from pipeline.contracts.facts import HARDWARE, MODELS
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.errors import run
from pipeline.estimate.factors.evidence import Evidence, measured_cells
from pipeline.estimate.factors.pricing import Naming
from pipeline.estimate.factors.table import factor_rows
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import SITE_TABLES, site_factors
from pipeline.files import write_csv, write_json, write_text
from pipeline.fit.serving.names import Names
from pipeline.present.citation import read_citation
from pipeline.present.factor_changes import compare
from pipeline.present.factors_json import as_json, json_schema
from pipeline.present.factors_readme import NAME, readme

BUILT, PUBLISHED = Path("build/published"), Path("data/published")
RESULTS = Path("data/results/factors")
RELEASES = Path("data/releases")
MEASUREMENTS = Path("data/telemetry/serving_measurements.csv")


def main() -> None:
    """Estimate, compare with the release before, save."""
    factors, settings, water, fleet, simulation = load(
        "factors", "assumptions.re_estimate", "assumptions.water", "scenario.fleet", "simulation"
    )
    built = {name: pd.read_parquet(BUILT / f"{name}.parquet") for name in SITE_TABLES}
    hardware = read_table(PUBLISHED / "hardware.csv", HARDWARE)
    names = Names(read_table(PUBLISHED / "models.csv", MODELS))
    evidence = Evidence(measured_cells(read_table(MEASUREMENTS, SERVING_MEASUREMENTS), names), names)
    citation = read_citation()
    rows = factor_rows(
        factors,
        settings,
        {"any middle-sized model": fleet.middle, "any small model": fleet.small},
        read_lengths(),
        read_servers(),
        Sites.of(water, site_factors(built)),
        simulation,
        read_serving(settings.serving),
        Naming(dict(zip(hardware["gpu"], hardware["generation"], strict=True)), evidence),
    )
    rows = rows.assign(version=citation.version, schema_version=SCHEMA_VERSION, method=NAME)
    table = validate(rows[list(FACTORS.columns)], FACTORS, RESULTS / "factors.csv")
    found, log = compare(table, citation.version, RELEASES, factors.report_change_above)

    write_csv(table, RESULTS / "factors.csv")
    write_text(as_json(table), RESULTS / "factors.json")
    write_json(json_schema(), RESULTS / "factors.schema.json")
    write_csv(found, RESULTS / "factor_changes.csv")
    write_text(log, RESULTS / "factor_changes.md")
    write_text(readme(table, citation, factors), RESULTS / NAME)


if __name__ == "__main__":
    run(main)
