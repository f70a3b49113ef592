"""The page that says what data/telemetry holds, made from the contracts and the registry."""

import pandera.pandas as pa

from pipeline.contracts import telemetry, traffic
from pipeline.ingest.registry import DataSet

TABLES = {
    "serving_measurements.csv": telemetry.SERVING_MEASUREMENTS,
    "node_power.csv": telemetry.NODE_POWER,
    "mlperf_throughput.csv": telemetry.MLPERF_THROUGHPUT,
    "token_lengths.csv": telemetry.TOKEN_LENGTHS,
    "token_length_histograms.csv": telemetry.TOKEN_LENGTH_HISTOGRAMS,
    "token_length_parts.csv": traffic.TOKEN_LENGTH_PARTS,
    "request_rates.csv": traffic.REQUEST_RATES,
    "models.csv": telemetry.MODELS,
}
INTRODUCTION = """# Measured telemetry

Made from `registry.yaml` and the contracts in `pipeline/contracts` by the stage
`describe_telemetry`: change those, not this page.

The tables here are derived from public measurements, and are all that the analyses read: nothing has to be
fetched. `registry.yaml` names every upstream file by address, commit, SHA-256 and size; `make telemetry`
fetches them into `build/telemetry/raw` (never committed) and derives the tables again. With
`TELEMETRY_MIRROR` naming a folder that has a `SHA256SUMS`, files are taken from there instead of the network.
`models.csv` and `registry.yaml` are kept by hand.

A blank means that the source does not say. Nothing is left out silently: rows that a reader sets aside, and
values that it repairs, are counted in its code, and a changed count stops it. Rows with a flag stay in.
"""


def page(registry: dict[str, DataSet]) -> str:
    """Markdown: an introduction, the tables with their columns, the data sets with their defects."""
    tables = [_table(name, schema) for name, schema in TABLES.items()]
    sets = [_data_set(name, data) for name, data in registry.items()]
    return "\n".join([INTRODUCTION, *tables, "# Upstream data sets\n", *sets]).rstrip() + "\n"


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


def _data_set(name: str, data: DataSet) -> str:
    size = sum(file.bytes for file in data.files.values()) / 1e6
    lines = [
        f"## {name}",
        "",
        f"{data.title}: {data.holds}.",
        "",
        f"- from {data.package or data.address}, {len(data.files)} files, {size:.2f} MB",
        f"- licence: {data.licence}; cite `{data.citation}`; energy boundary: {data.boundary}",
        *[f"- mind: {defect}" for defect in data.defects],
        "",
    ]
    return "\n".join(lines)
