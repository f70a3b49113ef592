"""Formats of power: each a declaration of how it is known and which of its fields are ours."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.core.errors import InputError
from pipeline.logs.cells import WATTS, header_name, header_unit
from pipeline.logs.deployment import Deployment
from pipeline.logs.formats.declare import (
    CARD,
    ENERGY_NAMES,
    NODE,
    POWER_FIELDS,
    TIME,
    WATT_NAMES,
    Format,
    Head,
    Raw,
    at,
    first_object,
    has,
    keys,
    lines_like,
)
from pipeline.logs.formats.readings import (
    IPMI_WATTS,
    codecarbon_rows,
    exposition_rows,
    ipmi_rows,
    is_exposition,
    is_redfish,
    prometheus_rows,
    redfish_rows,
)
from pipeline.logs.formats.rows import (
    document_rows,
    line_rows,
    objects,
    record_rows,
    table_blocks,
    table_rows,
)

BARE = re.compile(
    r"(?P<time>\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}(\.\d+)?),\s*((?P<device>\d{1,3}|GPU-[0-9a-f-]+),\s*)?"
    r"((?P<gpu>(NVIDIA|Tesla|Quadro|GeForce)[^,]*),\s*)?"
    r"(?P<watts>\d+(\.\d+)?( W)?|\[?N/A\]?)"
)
PTDAEMON = re.compile(r"Time,(?P<time>[^,]+),Watts,(?P<watts>[^,]+),.*")


OF_POWER = re.compile(r"watt|power|\bk?w\b|\[k?w\]|\(k?w\)|leistung", re.I)
SERIES = ("series", "metric", "name", "field", "sensor", "entity_id")
NO_POWER = re.compile(r"limit|cap\b|max|min\b|percent|%|factor|utili[sz]ation", re.I)
OF_GPU = re.compile(r"gpu|cuda|accelerator|card|dcgm", re.I)
OF_NODE = re.compile(
    r"pdu|outlet|inlet|psu|wall|plug|socket|node|server|host|chassis|rack|system|total", re.I
)


def _series_of(head: Head) -> list[str]:
    """Columns of a wide table that are series of power: by their header, or all by the unit of a cell."""
    others = [name for name in head.header[1:] if header_name(name) not in (*NODE, *CARD)]
    told = [name for name in others if OF_POWER.search(name) and not NO_POWER.search(name)]
    cells = [cell.strip(' "') for cell in head.lines[1].split(head.separator)] if len(head.lines) > 1 else []
    united = [re.fullmatch(r"[\d.,]+ ?(k|m)?W", cell) is not None for cell in cells[1:]]
    return told or (others if united and any(united) else [])


def _wide(head: Head) -> bool:
    """A time, then a column a series of power."""
    if len(head.names) < 2 or head.names[0].lstrip("_") not in TIME:
        return False
    fields = {name for names in POWER_FIELDS.values() for name in names} - {*CARD, *NODE}
    return not set(head.names[1:]) & fields and bool(_series_of(head))


def _wide_rows(head: Head, _: Format, given: Deployment) -> Iterator[Raw]:
    series = _series_of(head)
    if len(set(series)) < len(series):
        raise InputError(f"{head.path}, row 1: two series of one name, expected a name for each meter")
    scopes = {
        name: "gpu" if OF_GPU.search(name) else "node_wall" if OF_NODE.search(name) else None
        for name in series
    }
    node = [name for name in head.header if header_name(name) in NODE][:1]
    for table in table_blocks(head, [head.header[0], *node, *series]):
        long = table.assign(row=table.index).melt(
            ["row", head.header[0], *node], var_name="device", value_name="watts"
        )
        long = long.rename(columns=dict.fromkeys(node, "node") | {head.header[0]: "time"})
        for unit, part in long.groupby(long["device"].map(header_unit), sort=True):
            found = part.assign(scope=part["device"].map(scopes))
            yield Raw(found.reset_index(drop=True), {"watts": unit if unit in WATTS else ""})


def _long(head: Head) -> bool:
    """A row a sample, under `value`, of what a column names, and a word of power in the header or a cell."""
    names = set(head.names)
    if not names & set(TIME) or "value" not in names or not names & set(SERIES):
        return False
    return any(OF_POWER.search(line) or re.search(r"\d ?k?W\b", line) for line in head.lines[:3])


def _long_rows(head: Head, of: Format, given: Deployment) -> Iterator[Raw]:
    for raw in table_rows(head, of, given):
        names = raw.table["device"].astype("str")
        gpu, node = (names.map(lambda name, of=kind: bool(of.search(name))) for kind in (OF_GPU, OF_NODE))
        scope = gpu.map({True: "gpu", False: None}).where(gpu | ~node, "node_wall")
        yield replace(raw, table=raw.table.assign(scope=scope))


def _dmon(head: Head) -> bool:
    return head.lines[0].startswith("#") and {"Date", "Time", "gpu", "pwr"} <= {*head.lines[0][1:].split()}


def _dmon_rows(head: Head, of: Format, given: Deployment) -> Iterator[Raw]:
    groups = {
        "Date": r"(?P<time>\d{8}",
        "Time": r"\d{2}:\d{2}:\d{2})",
        "gpu": r"(?P<device>\d+)",
        "pwr": r"(?P<watts>\S+)",
    }
    names = head.lines[0].lstrip("# ").split()
    if double := [name for name in groups if names.count(name) > 1]:
        raise InputError(f"{head.path}, row 1: column {double[0]!r} stands twice, expected once")
    pattern = re.compile(r"\s+".join(groups.get(name, r"\S+") for name in names))
    yield from line_rows(pattern, remarks="#")(head, of, given)


def _amd_json(head: Head) -> bool:
    return at(first_object(head), "power.socket_power") is not None


def _amd_rows(head: Head, _: Any, __: Deployment) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    rows = []
    for row, reading in objects(head):
        if at(reading, "timestamp") is None:
            raise InputError(f"{head.path}, row {row}: a reading without a time, expected --watch")
        watts = at(reading, "power.socket_power.value") or at(reading, "power.socket_power")
        unit = at(reading, "power.socket_power.unit") or "W"
        rows.append(
            {
                "row": row,
                "time": reading["timestamp"],
                "device": reading.get("gpu"),
                "watts": watts if isinstance(watts, str) else f"{watts} {unit}",
            }
        )
    return rows, ()


POWER_FORMATS = (
    Format("nvidia-smi --query-gpu, CSV", "power", "nvidia-smi manual, driver 550",
        "timestamp, index, power.draw [W]\n2026/01/05 00:00:00.123, 0, 312.45 W\n",
        has(("timestamp",), ("power_draw", "power_draw_average", "power_draw_instant")), table_rows,
        POWER_FIELDS, "gpu", notes=("local time of the machine",)),
    Format("nvidia-smi CSV without header", "power",
        "nvidia-smi manual, driver 550, --format=csv,noheader", "2026/01/05 00:00:00.123, 0, 312.45\n",
        lines_like(BARE), line_rows(BARE), scope="gpu",
        notes=("columns taken as time, index, watts", "local time of the machine")),
    Format("nvidia-smi dmon", "power", "nvidia-smi manual, driver 550, dmon -s p -o DT",
        "#Date       Time        gpu    pwr  gtemp  mtemp\n#YYYYMMDD   HH:MM:SS    Idx      W      C      C\n"
        " 20260105   00:00:01      0    312     55     61\n", _dmon, _dmon_rows, scope="gpu",
        notes=("local time of the machine",)),
    Format("amd-smi JSON", "power", "amd-smi 25, metric --power --json --watch 1",
        '[{"timestamp": 1767571200, "gpu": 0, "power": {"socket_power": {"value": 312, "unit": "W"}}}]\n',
        _amd_json, document_rows(_amd_rows), scope="gpu"),
    Format("Prometheus range query, JSON", "power",
        "Prometheus HTTP API v1; DCGM exporter 3.3; Kepler 0.10",
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"DCGM_FI_DEV_POWER_USAGE",'
        '"gpu":"0","Hostname":"node-1"},"values":[[1767571200,"312.45"]]}]}}\n',
        keys("data.result", "status"), prometheus_rows),
    Format("Prometheus exposition", "power", "Prometheus text format 0.0.4",
        'DCGM_FI_DEV_POWER_USAGE{gpu="0",Hostname="node-1"} 312.45 1767571200000\n', is_exposition,
        exposition_rows),
    Format("CodeCarbon emissions.csv", "power", "CodeCarbon 3.0, output files",
        "timestamp,run_id,duration,energy_consumed\n2026-01-05T00:00:15,aaaa,15.2,0.0059\n",
        has(TIME, ("duration",), ("energy_consumed",)), codecarbon_rows, {"time": ("timestamp",),
        "run": ("run_id",), "duration": ("duration",), "kwh": ("energy_consumed",)}, "node_wall",
        of_runs=True, notes=("processors, memory and accelerators together are taken as the node",)),
    Format("Grafana, one column a series", "power", "Grafana 11, panel data as CSV",
        '"Time","GPU 0"\n"2026-01-05 00:00:00","312 W"\n', _wide, _wide_rows,
        notes=("each column is a meter",)),
    Format("Grafana or Influx, one row a sample", "power",
        "Grafana 11, series to rows; InfluxDB 2, CSV",
        '"Series";"Time";"Value"\n"GPU 0 power";"2026-01-05 00:00:00";"312 W"\n', _long, _long_rows,
        {"time": TIME, "device": SERIES, "node": NODE, "watts": ("value",)}),
    Format("ipmitool dcmi power reading", "power", "ipmitool 1.8.19",
        "    Instantaneous power reading:   5231 Watts\n    IPMI timestamp:   01/05/26 00:00:01 UTC\n",
        lambda head: any(IPMI_WATTS.fullmatch(line) for line in head.lines), ipmi_rows,
        scope="node_wall"),
    Format("PTDaemon spl.txt", "power", "SPEC PTDaemon 1.11, as MLPerf writes it",
        "Time,01-05-2026 00:00:00.737,Watts,5231.866000,Volts,-1.0,Amps,-1.0,PF,-1.0,Mark,2026-01-05\n",
        lines_like(PTDAEMON), line_rows(PTDAEMON), scope="node_wall",
        notes=("PTDaemon writes months first",)),
    Format("Redfish power", "power", "DMTF Redfish, Power 1.7 and EnvironmentMetrics 1.3",
        '{"time":"2026-01-05T00:00:00Z","PowerControl":[{"MemberId":"0","PowerConsumedWatts":5231}]}\n',
        is_redfish, document_rows(redfish_rows), scope="node_wall"),
    Format("amd-smi or rocm-smi CSV", "power", "amd-smi 25, rocm-smi 7",
        "timestamp,gpu,socket_power\n1767571200,0,312\n", has(TIME, ("socket_power",
        "average_socket_power", "current_socket_power", "power_usage", "average_graphics_package_power",
        "current_socket_graphics_package_power")), table_rows, POWER_FIELDS, "gpu"),
    Format("PDU or wall meter, CSV", "power", "Raritan PX, CSV of outlet sensors",
        '"Timestamp";"Outlet";"Active Power (W)"\n"05.01.2026 00:00:00";"Outlet 1";"2.615,5"\n',
        has(TIME, ("outlet", "outlet_name", "active_power", "active_power_w", "active_energy", "inlet",
        "wall_power")), table_rows, POWER_FIELDS, "node_wall",
        notes=("without a list in `nodes`, an outlet is a meter of the node",)),
    Format("time, meter, watts (Zeus, pynvml, own scripts)", "power", "Zeus 0.11, power monitor",
        "timestamp,gpu_index,power_w\n1767571200.123,0,312.45\n", has(TIME, WATT_NAMES), table_rows,
        POWER_FIELDS),
    Format("time, meter, energy counter", "power", "our own contract, `energy_<unit>`",
        "time,node,energy_kwh,scope\n2026-01-05T00:00:00Z,node-1,5231.401,node_wall\n",
        has(TIME, ENERGY_NAMES), table_rows, POWER_FIELDS),
    Format("time, meter, watts in JSON lines", "power", "our own contract in other words",
        '{"timestamp": 1767571200.5, "gpu": 0, "watts": 312.4}\n',
        lambda head: (isinstance(first_object(head),
        dict) and bool({*WATT_NAMES} & {header_name(key) for key in first_object(head)})), record_rows,
        POWER_FIELDS),
)  # fmt: skip
