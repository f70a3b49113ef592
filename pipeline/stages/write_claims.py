"""Lay every published number beside ours, with a verdict: the claims ledger.

Inputs: build/published/claims.parquet and, of data/results, energy_per_query, fleet, token_lengths,
routing_profiles, water_per_query, water_split, table_1, lever_systems, lever_combinations and lever_needed.
Outputs: data/results/{claims.csv,claims_metrics.json}. Settings: assumptions.as_published.base (the levers).
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_NEEDED, LEVER_SYSTEMS
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET, TOKEN_LENGTHS
from pipeline.contracts.routing import ROUTING_PROFILES
from pipeline.contracts.table_1 import TABLE_1
from pipeline.contracts.water_results import WATER_PER_QUERY, WATER_SPLIT
from pipeline.errors import run
from pipeline.files import write_csv, write_json
from pipeline.present.claims import ledger_metrics, make_ledger
from pipeline.present.claims.evidence import Evidence
from pipeline.present.claims.table import LEVERS, RECIPES

CLAIMS = Path("build/published/claims.parquet")
RESULTS = Path("data/results")
LEDGER = RESULTS / "claims.csv"
METRICS = RESULTS / "claims_metrics.json"


def main() -> None:
    """Load the claims and the results, judge, save."""
    base = load("assumptions.as_published.base")
    evidence = Evidence(
        energy=read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY),
        fleet=read_table(RESULTS / "fleet.csv", FLEET),
        tokens=read_table(RESULTS / "token_lengths.csv", TOKEN_LENGTHS),
        claims=pd.read_parquet(CLAIMS),
        routing=read_table(RESULTS / "routing_profiles.csv", ROUTING_PROFILES),
        water=read_table(RESULTS / "water_per_query.csv", WATER_PER_QUERY),
        water_split=read_table(RESULTS / "water_split.csv", WATER_SPLIT),
        table_1=read_table(RESULTS / "table_1.csv", TABLE_1),
        lever_systems=read_table(RESULTS / "lever_systems.csv", LEVER_SYSTEMS),
        lever_needed=read_table(RESULTS / "lever_needed.csv", LEVER_NEEDED),
        lever_combinations=read_table(RESULTS / "lever_combinations.csv", LEVER_COMBINATIONS),
        levers={name: getattr(base, f"lever_{name}").distribution for name in LEVERS},
    )

    ledger = make_ledger(evidence, RECIPES)

    write_csv(ledger, LEDGER)
    write_json(ledger_metrics(ledger), METRICS)


if __name__ == "__main__":
    run(main)
