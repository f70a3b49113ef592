"""The published tables, read against their contracts and checked against each other and the bibliography."""

from pathlib import Path

import pandas as pd

from pipeline.contracts.facts import FACTS
from pipeline.contracts.published import TABLES
from pipeline.contracts.read import read_table
from pipeline.contracts.routing import PUBLISHED_TABLES
from pipeline.contracts.table_1 import TABLE_1_TABLES
from pipeline.contracts.water import WATER_TABLES
from pipeline.errors import InputError
from pipeline.ingest.bibliography import reference_keys

# What a model is does not depend on who measured it.
MODEL_FACTS = ["total_params_b", "active_params_b", "architecture"]
# A row of the authors' table taken from the vendor's tables stands there too, with the same value.
SIZE_ROUNDING = 0.1
CELL = ["document_version", "model", "gpu", "gpus", "precision", "input_tokens", "output_tokens"]


def load(folder: Path, bibliography: Path) -> dict[str, pd.DataFrame]:
    """Every published table by name; raises InputError at the first value that is wrong or has no source."""
    references = reference_keys(bibliography)
    contracts = {**TABLES, **FACTS, **PUBLISHED_TABLES, **WATER_TABLES, **TABLE_1_TABLES}
    for path in sorted(folder.glob("*.csv")):
        if path.stem not in contracts:
            raise InputError(f"{path}: a table without a contract, expected one of {', '.join(contracts)}")
    tables = {}
    for name, schema in contracts.items():
        path = folder / f"{name}.csv"
        tables[name] = read_table(path, schema)
        check_sources(tables[name], references, path=path, bibliography=bibliography)
    check_models(tables["throughput"], folder / "throughput.csv")
    check_restated(tables["throughput"], folder / "throughput.csv")
    check_sizes(tables["models"], tables["throughput"], folder / "models.csv")
    check_sites(tables, folder)
    return tables


def check_sources(table: pd.DataFrame, references: frozenset[str], *, path: Path, bibliography: Path) -> None:
    """Every source of the table is a key of the bibliography."""
    _refuse(~table["source"].isin(references), table, path, "source", f"a key of {bibliography}")


def check_models(throughput: pd.DataFrame, path: Path) -> None:
    """Each model has one size and one architecture in all rows."""
    first = throughput.groupby("model")[MODEL_FACTS].transform("first")
    for column in MODEL_FACTS:
        expected = "what the first row of the same model says"
        _refuse(throughput[column] != first[column], throughput, path, column, expected)


def check_sizes(models: pd.DataFrame, throughput: pd.DataFrame, path: Path) -> None:
    """The sizes of the model cards and those of the throughput tables differ by rounding alone."""
    printed = throughput.groupby("model")[["total_params_b", "active_params_b"]].first()
    for column in printed:
        ratio = models[column] / models["model"].map(printed[column])
        expected = "within a tenth of what throughput.csv says"
        _refuse((ratio - 1).abs() > SIZE_ROUNDING, models, path, str(column), expected)


def check_sites(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Every PUE, WUE and grid of a site, and every site of a published water, is a row of its table."""
    for table, column, among in (
        ("sites", "pue_key", "pue"),
        ("sites", "wue_key", "wue"),
        ("sites", "grid_key", "electricity_water"),
        ("prior_water", "site", "sites"),
    ):
        named = tables[table][column]
        unknown = named.notna() & ~named.isin(tables[among]["key"])
        _refuse(unknown, tables[table], folder / f"{table}.csv", column, f"a key of {among}.csv")


def check_restated(throughput: pd.DataFrame, path: Path) -> None:
    """The authors' rows from the vendor's tables repeat those tables' values exactly."""
    overview = throughput[
        (throughput["set"] == "tensorrt_llm_overview") & (throughput["parallelism"] == "TP8")
    ]
    printed = overview.set_index(CELL)["output_tokens_per_s"]
    restated = (throughput["set"] == "published_analysis") & throughput["document_version"].isin(
        overview["document_version"]
    )
    expected = pd.Series(
        printed.reindex(pd.MultiIndex.from_frame(throughput[CELL])).to_numpy(), throughput.index
    )
    differs = restated & (expected != throughput["output_tokens_per_s"])
    _refuse(
        differs, throughput, path, "output_tokens_per_s", "the value of the same cell in the vendor's table"
    )


def _refuse(wrong: pd.Series, table: pd.DataFrame, path: Path, column: str, expected: str) -> None:
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        value = table[column].iloc[at]
        value = value.item() if hasattr(value, "item") else value
        raise InputError.at(path, row=at + 2, column=column, value=value, expected=expected)
