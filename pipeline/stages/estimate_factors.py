"""The factor table for calculators, its schema, and what changed in it since the release before.

Inputs: as estimate_re_estimated, build/published/{sites,pue,wue,electricity_water}.parquet, CITATION.cff
(version) and data/releases (tables of earlier releases).
Outputs: data/results/factors.{csv,json,schema.json} and data/results/factor_changes.{csv,md}.
Settings: factors, assumptions.re_estimate, assumptions.water, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.factors import FACTORS
from pipeline.contracts.facts import HARDWARE
from pipeline.errors import run
from pipeline.estimate.factors import factor_rows
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import SITE_TABLES, site_factors
from pipeline.files import write_csv, write_json, write_text
from pipeline.present.citation import read_citation
from pipeline.present.factor_changes import COLUMNS, change_log, changes, release_before
from pipeline.present.factors_json import as_json, json_schema

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
RELEASES = Path("data/releases")
METHOD = "pipeline/estimate/factors.py"


def main() -> None:
    """Estimate, compare with the release before, save."""
    factors, settings, water, simulation = load(
        "factors", "assumptions.re_estimate", "assumptions.water", "simulation"
    )
    published = {name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in SITE_TABLES}
    hardware = read_table("data/published/hardware.csv", HARDWARE)
    version = read_citation().version
    rows = factor_rows(
        factors,
        settings,
        read_lengths(),
        read_servers(),
        Sites.of(water, site_factors(published)),
        simulation,
        read_serving(settings.serving),
        dict(zip(hardware["gpu"], hardware["generation"], strict=True)),
    )
    table = rows.assign(version=version, method=METHOD)[list(FACTORS.columns)]
    table = validate(table, FACTORS, RESULTS / "factors.csv")
    write_csv(table, RESULTS / "factors.csv")
    write_text(as_json(table), RESULTS / "factors.json")
    write_json(json_schema(), RESULTS / "factors.schema.json")

    before = release_before(version, RELEASES)
    above = factors.report_change_above
    found = changes(before[1], table, above) if before else pd.DataFrame(columns=COLUMNS)
    write_csv(found, RESULTS / "factor_changes.csv")
    log = change_log(version, before[0] if before else None, found, len(table), above)
    write_text(log, RESULTS / "factor_changes.md")


if __name__ == "__main__":
    run(main)
