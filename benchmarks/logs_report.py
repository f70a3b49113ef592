"""The write-up of the logs benchmark: every number in it comes from benchmarks/results/logs.json."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.files import write_text

DAY_QUERIES, DAY_NODES, SECONDS_PER_DAY = 1e9, 1e4, 86_400
NEARLY = 0.99  # of them: requests are drawn at random
MANY_CORES = 32
NAMES = {
    "pipeline": "`python -m pipeline.logs` (Ibis on DuckDB)",
    "sql": "DuckDB SQL by hand",
    "pandas": "pandas",
    "polars": "Polars, lazy and streaming",
}

SPARK = """
On a Spark cluster the same expressions run where the data lies. The tests run them on a real master,
two workers and a Connect server: that shows the same answer, not speed:
rows/s and core must be measured on a cluster before its hours can be stated."""


def put_section(mark: str, written_by: str, section: str, readme: Path) -> None:
    """Put a section between its marks in `readme`, or append it."""
    begin, end = f"<!-- {mark}: written by {written_by} -->", f"<!-- /{mark} -->"
    marked = f"{begin}\n{section}{end}\n"
    text = readme.read_text(encoding="utf-8")
    if begin in text:
        head, rest = text.split(begin, 1)
        text = head + marked + rest.split(end, 1)[1].lstrip("\n")
    else:
        text = f"{text.rstrip()}\n\n{marked}"
    write_text(text, readme)


def section_text(results: dict[str, Any]) -> str:
    """Markdown: the comparison, the growth, and what a large day needs."""
    runs = pd.DataFrame(results["runs"])
    cores = results["machine"]["cores"]
    limits = runs.groupby("nodes")["limit_mb"].agg(["min", "max"])
    small = runs.loc[runs["job"] == "pandas", "nodes"].iloc[0]
    compared_mb, growth_mb = limits.loc[small]
    compared = runs[(runs["nodes"] == small) & (runs["limit_mb"] == compared_mb)]
    medians = compared.groupby("job")[["seconds", "peak_mb", "cpu_seconds"]].median()
    ours = medians.loc["pipeline"]
    growth = runs[(runs["job"] == "pipeline") & (runs["limit_mb"] >= growth_mb)]
    growth = growth.sort_values(["nodes", "limit_mb"]).set_index("nodes")
    largest = growth.iloc[-1]
    lines = [
        "## Energy from logs",
        "",
        f"`python -m benchmarks.logs`, {cores} cores, Parquet, synthetic logs of one day: a",
        "request and a power sample a second and node, 10 % idle minutes. Each run is a process",
        "of its own, the start of Python included. The machine was shared with other work.",
        "",
        f"{compared['requests'].iloc[0]:,.0f} requests and {compared['samples'].iloc[0]:,.0f} power samples,",
        f"medians of {(compared['job'] == 'pandas').sum()} runs, DuckDB limited to {compared_mb} MB:",
        "",
        "| job | seconds | against ours | processor s | peak memory, MB | against ours | mean, Wh |",
        "|---|---|---|---|---|---|---|",
    ]
    for job, row in medians.iterrows():
        mean = compared.loc[compared["job"] == job, "mean_wh"].iloc[0]
        times = f"{row['seconds']:.1f} | {row['seconds'] / ours['seconds']:.2f} | {row['cpu_seconds']:.1f}"
        memory = f"{row['peak_mb']:.0f} | {row['peak_mb'] / ours['peak_mb']:.2f}"
        lines.append(f"| {NAMES[str(job)]} | {times} | {memory} | {mean:.6g} |")
    lines += [
        "",
        "All screen for repeated rows, set rows aside, spread requests over windows and take",
        "quantiles. Only ours also detects units, zones and intervals, keeps the account, and gives the",
        "same bytes on every run.",
        "",
        "Growth with the rows (ours, one run each):",
        "",
        "| nodes | requests | samples | limit, MB | seconds | processor s | peak, MB | rows/s and core |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for nodes, row in growth.iterrows():
        rows = row["requests"] + row["samples"]
        lines.append(
            f"| {nodes} | {row['requests']:,.0f} | {row['samples']:,.0f} | {row['limit_mb']} | "
            f"{row['seconds']:.1f} | {row['cpu_seconds']:.1f} | "
            f"{row['peak_mb']:.0f} | {rows / row['seconds'] / cores:,.0f} |"
        )
    return "\n".join([*lines, "", *_large_day(largest, cores)]) + "\n"


def _large_day(largest: pd.Series, cores: int) -> list[str]:
    """What 10^9 queries on 10^4 nodes with a power sample a second need, at the measured rate per core."""
    rows = DAY_QUERIES + DAY_NODES * SECONDS_PER_DAY
    rate = (largest["requests"] + largest["samples"]) / largest["seconds"] / cores
    core_hours = rows / rate / 3600
    memory_gb = largest["limit_mb"] * DAY_NODES / largest.name / 1000
    if largest["requests"] >= NEARLY * DAY_QUERIES:
        return [
            f"{largest['requests']:,.0f} requests and {largest['samples']:,.0f} power samples were run",
            f"to the end in {largest['seconds'] / 60:.0f} min on {cores} cores, with",
            f"{largest['peak_mb'] / 1000:.1f} GB of memory at most: measured, not extrapolated.",
            "",
            *SPARK.splitlines(),
        ]
    text = f"""\
A day of {DAY_QUERIES:.0e} queries on {DAY_NODES:.0e} nodes with a power sample a second is {rows:.2e} rows.
At the {rate:,.0f} rows/s and core of the largest run that is {core_hours:.2f} core-hours:
{core_hours / cores * 60:.0f} min on a machine like this one ({cores} cores),
{core_hours / MANY_CORES * 60:.1f} min
on one with {MANY_CORES} cores if it scales. The tables of windows grow with the nodes; most of what exceeds
the memory limit goes to disk, and a run that cannot go on says so. In proportion to the largest run,
{memory_gb:.1f} GB as `memory_limit_mb` are enough. This is extrapolated, not measured."""
    return [*text.splitlines(), *SPARK.splitlines()]
