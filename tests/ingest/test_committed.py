"""The committed telemetry tables: within their contracts, equal to what was published, described."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read
from pipeline.core.parse import reference_keys
from pipeline.core.read import read_table
from pipeline.ingest.published import TABLES, page
from pipeline.ingest.sources import check_sources
from pipeline.ingest.upstream import read_registry
from pipeline.validation.model.contract import SETS

FOLDER = Path("data/telemetry")


@pytest.mark.parametrize("name", [name for name in TABLES if "<" not in name])
def test_a_table_satisfies_its_contract(name: str) -> None:
    assert len(read_table(FOLDER / name, TABLES[name]))


def test_mean_wall_power_is_the_published_power_to_three_decimals() -> None:
    runs = read_table(FOLDER / "node_power.csv", TABLES["node_power.csv"])
    assert len(runs)
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


def test_no_measurement_gives_energy_that_its_power_does_not(serving_measurements: pd.DataFrame) -> None:
    assert not serving_measurements["flags"].str.contains("energy_disagrees_with_power", na=False).any()


def test_shares_of_a_histogram_add_up() -> None:
    table = read_table(FOLDER / "token_length_histograms.csv", TABLES["token_length_histograms.csv"])
    sums = table.groupby(["key", "quantity"])["share"].sum()
    assert np.allclose(sums, 1, atol=1e-4)


def test_every_upstream_data_set_is_a_source() -> None:
    sources = read("sources")
    check_sources(sources, read_registry(), reference_keys())
    assert set(sources["upstream"].dropna()) == set(read_registry())


def test_the_page_is_what_contracts_and_registry_say() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == page(read("sources"), read_registry())


def test_no_module_outside_ingest_names_a_source() -> None:
    """What a source is good for stands in sources.csv: rows are chosen by role, load or task."""
    sources = read("sources")
    # A set of the validation has the name of its source; an engine may have that of a source which ran it.
    names = {*sources["source"], *sources["title"]} - {*SETS, *sources["engine"].dropna()}
    for path in sorted(Path("pipeline").rglob("*.py")):
        if path.parent.name == "ingest" or path.match("stages/telemetry.py"):
            continue
        words = {one.value for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Constant)}
        assert not names & {word for word in words if isinstance(word, str)}, path
