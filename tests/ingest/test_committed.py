"""The committed telemetry tables: within their contracts, equal to what was published, described."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contracts import read_table
from pipeline.ingest.bibliography import reference_keys
from pipeline.ingest.describe import TABLES, page
from pipeline.ingest.registry import read_registry

FOLDER = Path("data/telemetry")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_satisfies_its_contract(name: str) -> None:
    assert len(read_table(FOLDER / name, TABLES[name]))


def test_mean_wall_power_is_the_published_power_to_three_decimals() -> None:
    runs = read_table(FOLDER / "node_power.csv", TABLES["node_power.csv"])
    assert len(runs) == 4
    assert (runs["mean_mw"] == runs["published_mw"]).all()
    assert np.allclose(runs["mean_w"], runs["mean_mw"] / 1000, rtol=1e-5)


def test_published_throughput_has_the_powered_runs_too() -> None:
    runs = read_table(FOLDER / "node_power.csv", TABLES["node_power.csv"])
    results = read_table(FOLDER / "mlperf_throughput.csv", TABLES["mlperf_throughput.csv"])
    results["run"] = results[["platform", "upstream_model", "scenario"]].agg("/".join, axis="columns")
    powered = results[results["published_w"].notna()]
    both = runs.merge(powered, on="run", validate="one_to_one", suffixes=("_run", "_published"))
    assert len(both) == len(runs)
    assert np.allclose(both["output_tokens_per_s_run"], both["output_tokens_per_s_published"], rtol=1e-5)
    assert len(results) == 404


def test_no_measurement_gives_energy_that_its_power_does_not() -> None:
    table = read_table(FOLDER / "serving_measurements.csv", TABLES["serving_measurements.csv"])
    assert not table["flags"].str.contains("energy_disagrees_with_power", na=False).any()


def test_shares_of_a_histogram_add_up() -> None:
    table = read_table(FOLDER / "token_length_histograms.csv", TABLES["token_length_histograms.csv"])
    sums = table.groupby(["key", "quantity"])["share"].sum()
    assert np.allclose(sums, 1, atol=1e-4)


def test_every_data_set_cites_the_bibliography() -> None:
    references = reference_keys(Path("paper/references.bib"))
    assert {data.citation for data in read_registry().values()} <= references


def test_the_page_is_what_contracts_and_registry_say() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == page(read_registry())
