"""Power from Prometheus, its range queries and text format; from what servers say of themselves, ipmitool
and Redfish; and CodeCarbon, with energy of runs."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.cells import read_times, style_of
from pipeline.logs.deployment import Deployment
from pipeline.logs.formats.declare import Format, Head, Raw, at, first_object
from pipeline.logs.formats.files import numbered_lines
from pipeline.logs.formats.rows import columns_of, objects, table_blocks

# metric -> what it counts, its unit, what it measures
METRICS = [
    (re.compile(r"DCGM_FI_DEV_POWER_USAGE(_INSTANT)?"), "watts", "w", "gpu"),
    (re.compile(r"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"), "energy", "mj", "gpu"),
    (re.compile(r"nvidia_(smi|gpu).*power_(draw|usage).*milliwatts"), "watts", "mw", "gpu"),
    (re.compile(r"nvidia_(smi|gpu).*power_draw.*"), "watts", "w", "gpu"),
    (re.compile(r"(amd|amd_smi|rocm)_.*power.*|gpu_(average_package_power|package_power|power_usage)"),
    "watts", "w", "gpu"), (re.compile(r"gpu_energy_consumed"), "energy", "uj", "gpu"),
    (re.compile(r"habanalabs_power_mW"), "watts", "mw", "gpu"),
    (re.compile(r"kepler_node_platform_joules_total"), "energy", "j", "node_wall"),
    (re.compile(r"kepler_node_platform_watts"), "watts", "w", "node_wall"),
    (re.compile(r"ipmi_(dcmi_)?power_consumption_watts|redfish_.*power.*watts|.*pdu.*watts"), "watts",
    "w", "node_wall"),
]  # fmt: skip
PART = re.compile(r"kepler_(node_(cpu|package|core|dram|uncore|other)|container|pod|process|vm).*")
HOSTS = ("Hostname", "hostname", "node", "node_name", "exported_instance", "instance", "host")
CARDS = ("gpu", "device", "UUID", "uuid", "gpu_id", "index", "card")


def _series(path: object, labels: dict[str, Any], metric: str) -> dict[str, Any] | None:
    """Node, meter and kind of one series of Prometheus; none of one that is no power."""
    if PART.fullmatch(metric):
        raise InputError(
            f"{path}: metric {metric!r} counts a part of a node without its accelerators, expected power of "
            "accelerators (DCGM_FI_DEV_POWER_USAGE) or of whole nodes (kepler_node_platform_watts)"
        )
    for pattern, column, unit, scope in METRICS:
        if pattern.fullmatch(metric):
            host = next((str(labels[name]) for name in HOSTS if name in labels), None)
            card = next((str(labels[name]) for name in CARDS if name in labels), None)
            return {
                "node": host.split(":")[0] if host else None,
                "device": card if scope == "gpu" else labels.get("outlet"),
                "gpu": labels.get("modelName"), "scope": scope, "column": column, "unit": unit,
            }  # fmt: skip
    return None


def prometheus_rows(head: Head, _: Format, __: Deployment) -> Iterator[Raw]:
    """Samples of all series of range queries, one answer or one a line."""
    answers = [row for _, row in objects(head)] if not head.whole else [head.json]
    results = [one for answer in answers for one in at(answer, "data.result") or []]
    if not results or not all(isinstance(one, dict) for one in results):
        raise InputError(f"{head.path}: no series in data.result, expected the answer of a range query")
    rows: list[dict[str, Any]] = []
    others = set()
    for result in results:
        labels = result.get("metric") or {}
        metric = str(
            labels.get("__name__", "DCGM_FI_DEV_POWER_USAGE" if "DCGM_FI_DRIVER_VERSION" in labels else "")
        )
        if not metric:
            raise InputError(
                f"{head.path}: a series without __name__, expected the metric itself, not a formula of it"
            )
        facts = _series(head.path, labels, metric)
        if facts is None:
            others.add(metric)
            continue
        values = result.get("values") or ([result["value"]] if "value" in result else [])
        rows += [
            facts | {"time": time, "value": value, "row": k} for k, (time, value) in enumerate(values, 1)
        ]
    yield _power_before_energy(head, rows, others)


def _power_before_energy(head: Head, rows: list[dict[str, Any]], others: set[str]) -> Raw:
    """One table: power where a node's meters of a scope have some, else counters; a sample that stands for
    each slice or pod of a card, once."""
    if not rows:
        known = (
            "DCGM_FI_DEV_POWER_USAGE, DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION, kepler_node_platform_watts, ..."
        )
        names = ", ".join(sorted(others)[:3])
        raise InputError(f"{head.path}: unknown metric {names!r}, expected one of power: {known}")
    table = pd.DataFrame(rows)
    notes: tuple[str, ...] = (f"metrics passed over: {', '.join(sorted(others)[:10])}",) if others else ()
    if set(table["column"]) == {"watts", "energy"}:
        table = table[table["column"] == "watts"]
        notes += ("energy counters beside power were left out",)
    column = str(table["column"].iloc[0])
    once = table.drop_duplicates(["node", "device", "scope", "time", "value"])
    if len(once) < len(table):
        notes += ("power that stands once for each slice or pod of a card is counted once",)
    # the unit stands behind each number: metrics of one file may differ in it
    cells = once["value"].where(~once["value"].isin(["NaN", "+Inf", "-Inf"])) + " " + once["unit"]
    return Raw(
        once.assign(**{column: cells}).drop(columns=["value", "unit", "column"]),
        {column: str(once["unit"].iloc[0])},
        notes=notes,
    )


EXPOSITION = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (\d+))?")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def is_exposition(head: Head) -> bool:
    """Whether lines are of Prometheus' text format."""
    lines = [line for line in head.lines if line.strip() and not line.startswith("#")]
    return bool(lines) and all(EXPOSITION.fullmatch(line.strip()) for line in lines[:5]) and "{" in lines[0]


def exposition_rows(head: Head, _: Format, __: Deployment) -> Iterator[Raw]:
    """Samples of the text format; refused without times."""
    rows: list[dict[str, Any]] = []
    others = set()
    for row, line in numbered_lines(head.path):
        found = EXPOSITION.fullmatch(line.strip())
        if found is None or not re.search(r"power|watts|joules|energy", found[1], re.I):
            continue
        if found[4] is None:
            raise InputError(
                f"{head.path}, row {row}: {found[1]!r} without a time: this is one moment, expected a "
                f"range (/api/v1/query_range of Prometheus) or samples with their times"
            )
        facts = _series(head.path, dict(LABEL.findall(found[2] or "")), found[1])
        if facts is None:
            others.add(found[1])
            continue
        rows.append(facts | {"time": found[4], "value": found[3], "row": row})
    yield _power_before_energy(head, rows, others)


IPMI_WATTS = re.compile(r"\s*Instantaneous power reading:\s+(\d+) Watts\s*")
IPMI_TIME = re.compile(r"\s*IPMI timestamp:\s+(.*?)(?:\s+Sampling period:.*)?\s*")
IPMI_SHORT = re.compile(r"(\d{2})/(\d{2})/(\d{2}) (.*)")
IPMI_OLD = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})")


def ipmi_rows(head: Head, _: Format, __: Deployment) -> Iterator[Raw]:
    """Readings of `dcmi power reading`, one after another."""
    rows, watts, at_row = [], None, 0
    for row, line in numbered_lines(head.path):
        if found := IPMI_WATTS.fullmatch(line):
            watts, at_row = found[1], row
        elif (found := IPMI_TIME.fullmatch(line)) and watts is not None:
            time = found[1]
            if old := IPMI_OLD.fullmatch(time):
                time = f"[{int(old[2]):02d}/{old[1]}/{old[4]}:{old[3]} +0000]"
            if short := IPMI_SHORT.fullmatch(time):
                time = f"20{short[3]}-{short[1]}-{short[2]} {short[4]}"
            rows.append({"time": time, "watts": watts, "row": at_row})
            watts = None
    if not rows:
        raise InputError(
            f"{head.path}: no reading with its IPMI timestamp, expected the output of dcmi power reading"
        )
    yield Raw(pd.DataFrame(rows), notes=("ipmitool writes months first",))


WHOLE_NODE = re.compile(
    r"(System|Total|Server|Chassis)(Input)?(Power|Watts)(Consum(ption|ed))?(Watts)?", re.I
)


def is_redfish(head: Head) -> bool:
    """Whether objects are of Redfish's Power, EnvironmentMetrics or MetricReport."""
    found = first_object(head)
    return isinstance(found, dict) and bool({"PowerControl", "PowerWatts", "MetricValues"} & set(found))


def redfish_rows(head: Head, _: Any, __: Deployment) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Readings with a time."""
    rows = []
    for row, reading in objects(head):
        if "MetricValues" in reading:
            rows += [
                {
                    "row": row,
                    "time": one.get("Timestamp"),
                    "watts": one.get("MetricValue"),
                    "node": reading.get("node"),
                }
                for one in reading["MetricValues"]
                if WHOLE_NODE.fullmatch(str(one.get("MetricId")))
            ]
            continue
        time = next(
            (reading[key] for key in ("time", "timestamp", "Timestamp", "Date",
            "DateTime") if key in reading), None,
        )  # fmt: skip
        if time is None:
            raise InputError(
                f"{head.path}, row {row}: a reading without a time, expected JSON lines with a key `time` "
                "beside PowerControl"
            )
        controls = reading.get("PowerControl") or [
            {"PowerConsumedWatts": (reading.get("PowerWatts") or {}).get("Reading")}
        ]
        for control in controls:
            rows.append(
                {"time": time, "watts": control.get("PowerConsumedWatts"), "row": row,
                "node": reading.get("node"),
                "device": control.get("MemberId") if len(controls) > 1 else None},
            )  # fmt: skip
    return rows, ()


def codecarbon_rows(head: Head, of: Format, given: Deployment) -> Iterator[Raw]:
    """The energy of a run as samples of its mean power, about one a second; a run written again counts on."""
    chosen = columns_of(head, of)
    for table in table_blocks(head, list(chosen.values())):
        found = table.rename(columns={theirs: ours for ours, theirs in chosen.items()})
        run = found["run"] if "run" in found else pd.Series("", found.index)
        times = read_times(
            found["time"], style_of(found["time"], given.dates, str(head.path)), given.time_zone
        )
        if times.bad.any():
            row = int(times.bad.to_numpy().argmax())
            raise InputError.at(
                head.path, row=int(str(table.index[row])), column=chosen["time"],
                value=found["time"].iloc[row], expected="a time",
            )  # fmt: skip
        seconds, kwh = (pd.to_numeric(found[name], errors="coerce") for name in ("duration", "kwh"))
        table = pd.DataFrame({"run": run, "us": times.us, "seconds": seconds, "kwh": kwh}).dropna()
        table = table.sort_values(["run", "seconds"])
        # a run that is written as it goes stands several times, with what it took until then
        more = table.groupby("run")[["seconds", "kwh"]].diff().fillna(table[["seconds", "kwh"]])
        rows: list[dict[str, Any]] = []
        for row, end_us, length, energy in zip(
            more.index, table["us"], more["seconds"], more["kwh"], strict=True
        ):
            count = max(1, round(length))
            rows += [
                {
                    "row": row,
                    "watts": energy * 3.6e6 / length if length > 0 else None,
                    "time_us": round(end_us - length * 1e6 * (count - k) / count),
                    "zoned": bool(times.zoned[row]),
                }
                for k in range(count)
            ]
        yield Raw(
            pd.DataFrame(rows),
            notes=("energy of a run, spread evenly over it; CodeCarbon may have modelled a part",),
        )
