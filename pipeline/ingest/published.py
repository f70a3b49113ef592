"""The published tables, checked against each other; the page that says what data/telemetry holds."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import everything, origin_of, transcription
from pipeline.core.errors import InputError
from pipeline.core.parse import BIBLIOGRAPHY, reference_keys
from pipeline.ingest import contract_sources as sources
from pipeline.ingest import contract_telemetry as telemetry
from pipeline.ingest.contract import FLEET_UNIT
from pipeline.ingest.upstream import DataSet

Tables = Mapping[str, pd.DataFrame]
# What a model is does not depend on who measured it.
MODEL_FACTS = ["total_params_b", "active_params_b", "architecture"]
# A row of the authors' table taken from the vendor's tables stands there too, with the same value.
SIZE_ROUNDING = 0.1
SOURCE_COLUMNS = ["source", "context_source", "node_source"]
CELL = ["document_version", "model", "gpu", "gpus", "precision", "input_tokens", "output_tokens"]


def load() -> dict[str, pd.DataFrame]:
    """Every hand-kept table of the catalogue by name, and the claims about fleets apart.

    Raises InputError at a table that no contract declares, and at the first value that is wrong or has no
    source.
    """
    names = [name for name, table in everything().items() if table.origin]
    paths = {origin_of(name): name for name in names}
    for folder in sorted({path.parent for path in paths}):
        for path in sorted(folder.glob("*.csv")):
            if path not in paths:
                expected = ", ".join(sorted(known.stem for known in paths))
                raise InputError(f"{path}: a table without a contract, expected one of {expected}")
    references = reference_keys(BIBLIOGRAPHY)
    tables = {}
    for name in names:
        tables[name] = transcription(name)
        for column in [one for one in SOURCE_COLUMNS if one in tables[name]]:
            unknown = tables[name][column].notna() & ~tables[name][column].isin(references)
            _refuse(unknown, tables, name, column, f"a key of {BIBLIOGRAPHY}")
    check_models(tables)
    check_restated(tables)
    check_sizes(tables)
    check_named_rows(tables)
    claims = tables["published/claims"]
    return tables | {"claims_gwh_per_day": claims[claims["unit"] == FLEET_UNIT]}


def check_models(tables: Tables) -> None:
    """Each model of the throughput tables has one size and one architecture in all rows."""
    throughput = tables["throughput"]
    first = throughput.groupby("model")[MODEL_FACTS].transform("first")
    for column in MODEL_FACTS:
        expected = "what the first row of the same model says"
        _refuse(throughput[column] != first[column], tables, "throughput", column, expected)


def check_sizes(tables: Tables) -> None:
    """The sizes of the model cards and those of the throughput tables differ by rounding alone."""
    models = tables["published/models"]
    printed = tables["throughput"].groupby("model")[["total_params_b", "active_params_b"]].first()
    for column in printed:
        ratio = models[column] / models["model"].map(printed[column])
        expected = "within a tenth of what throughput.csv says"
        _refuse((ratio - 1).abs() > SIZE_ROUNDING, tables, "published/models", str(column), expected)


def check_named_rows(tables: Tables) -> None:
    """What a table names of another one, a site's PUE or a machine's accelerator, is a row there."""
    for table, column, among, key in (
        ("sites", "pue_key", "pue", "key"),
        ("sites", "wue_key", "wue", "key"),
        ("sites", "grid_key", "electricity_water", "key"),
        ("sites", "carbon_key", "electricity_water", "key"),
        ("sites", "scaled_to", "wue", "key"),
        ("prior_water", "site", "sites", "key"),
        ("cloud_instances", "gpu", "hardware", "gpu"),
    ):
        named = tables[table][column]
        unknown = named.notna() & ~named.isin(tables[among][key])
        _refuse(unknown, tables, table, column, f"a {key} of {among}.csv")


def check_restated(tables: Tables) -> None:
    """The authors' rows from the vendor's tables repeat those tables' values exactly."""
    throughput = tables["throughput"]
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
    expected_words = "the value of the same cell in the vendor's table"
    _refuse(differs, tables, "throughput", "output_tokens_per_s", expected_words)


def _refuse(wrong: pd.Series, tables: Tables, name: str, column: str, expected: str) -> None:
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        value = tables[name][column].iloc[at]
        value = value.item() if hasattr(value, "item") else value
        raise InputError.at(origin_of(name), row=at + 2, column=column, value=value, expected=expected)


TABLES = {
    "sources.csv": sources.SOURCES,
    "serving/<source>.csv": sources.SERVING_FILE,
    "engines.csv": sources.ENGINES,
    "node_power.csv": telemetry.NODE_POWER,
    "mlperf_throughput.csv": telemetry.MLPERF_THROUGHPUT,
    "token_lengths.csv": telemetry.TOKEN_LENGTHS,
    "token_length_histograms.csv": telemetry.TOKEN_LENGTH_HISTOGRAMS,
    "token_length_parts.csv": telemetry.TOKEN_LENGTH_PARTS,
    "request_rates.csv": telemetry.REQUEST_RATES,
    "models.csv": telemetry.MODELS,
}
INTRODUCTION = """# Measured telemetry

Made from `sources.csv`, `registry.yaml` and the contracts in `pipeline/ingest` by the stage
`describe_telemetry`: change those, not this page.

`sources.csv` says of every source who ran it, what it measured under which load, and which fits and checks
its rows enter. The tables here are all that the analyses read: nothing has to be fetched. Some are the
source themselves, retyped in our columns; others are derived from upstream files, of which `registry.yaml`
names each by address, commit, SHA-256 and size. `make telemetry` fetches those into `build/telemetry/raw`
(never committed) and derives the tables again. With `TELEMETRY_MIRROR` naming a folder that has a
`SHA256SUMS`, files are taken from there instead of the network. `sources.csv`, `engines.csv`, `models.csv`
and `registry.yaml` are kept by hand.

Measurements of your own are one file `serving/<source>.csv` and one row of `sources.csv`: no code, no
upstream address, no file of any other source.

A blank means that the source does not say. Nothing is left out silently: rows that a reader sets aside, and
values that it repairs, are counted in its code, and a changed count stops it. Rows with a flag stay in; a
row that is used by no fit and no check says why in `set_aside`.
"""


def page(about: pd.DataFrame, registry: dict[str, DataSet]) -> str:
    """Markdown: an introduction, the tables with their columns, the sources with their defects.

    about: SOURCES.
    """
    tables = [_table(name, schema) for name, schema in TABLES.items()]
    reasons = [f"- `{code}`: {words}" for code, words in sources.SET_ASIDE.items()]
    described = [_source(row, registry) for row in about.itertuples()]
    return "\n".join(
        [INTRODUCTION, *tables, "# Why rows are set aside\n", *reasons, "\n# Sources\n", *described]
    )


def _table(name: str, schema: pa.DataFrameSchema) -> str:
    lines = [
        f"## {name}",
        "",
        f"{schema.description}",
        "",
        "| column | type | blank | holds |",
        "|---|---|---|---|",
    ]
    for column, contract in schema.columns.items():
        kind = {"float64": "number", "int64": "whole number"}.get(str(contract.dtype), "text")
        blank = "may be" if contract.nullable else ""
        lines.append(f"| `{column}` | {kind} | {blank} | {contract.description}{_values(contract)} |")
    return "\n".join([*lines, ""])


def _values(contract: pa.Column) -> str:
    for check in contract.checks or []:
        allowed = check.statistics.get("allowed_values") if check.statistics else None
        if allowed:
            return ": " + ", ".join(f"`{value}`" for value in sorted(allowed))
    return ""


def _source(row: Any, registry: dict[str, DataSet]) -> str:
    lines = [f"## {row.source}", "", f"{row.title}, run by {row.laboratory}.", ""]
    data = registry[row.upstream] if isinstance(row.upstream, str) else None
    if data:
        size = sum(file.bytes for file in data.files.values()) / 1e6
        lines += [
            f"- holds: {data.holds}",
            f"- from {data.package or data.address}, {len(data.files)} files, {size:.2f} MB",
        ]
    else:
        lines.append(f"- from {row.origin}" if isinstance(row.origin, str) else "- our own")
    lines.append(f"- licence: {row.licence}; cite `{row.citation}`; energy boundary: {row.boundary}")
    minds = [*(data.defects if data else []), *([row.note] if isinstance(row.note, str) else [])]
    return "\n".join([*lines, *[f"- mind: {mind}" for mind in minds], ""])
