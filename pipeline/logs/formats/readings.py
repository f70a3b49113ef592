"""Power from what servers say of themselves, ipmitool and Redfish; and CodeCarbon, with energy of runs."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.deployment import Deployment
from pipeline.logs.encoding import open_text
from pipeline.logs.formats.declare import Format, Head, Raw
from pipeline.logs.formats.names import first_object
from pipeline.logs.formats.rows import columns_of, objects, table_blocks
from pipeline.logs.times import read_times, style_of

IPMI_WATTS = re.compile(r"\s*Instantaneous power reading:\s+(\d+) Watts\s*")
IPMI_TIME = re.compile(r"\s*IPMI timestamp:\s+(.*?)(?:\s+Sampling period:.*)?\s*")
IPMI_SHORT = re.compile(r"(\d{2})/(\d{2})/(\d{2}) (.*)")
IPMI_OLD = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})")


def ipmi_rows(head: Head, _: Format, __: Deployment) -> Iterator[Raw]:
    """Readings of `dcmi power reading`, one after another."""
    rows, watts, at_row = [], None, 0
    with open_text(head.path) as text:
        for row, line in enumerate(text, start=1):
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
            (
                reading[key]
                for key in ("time", "timestamp", "Timestamp", "Date", "DateTime")
                if key in reading
            ),
            None,
        )
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
                {
                    "time": time,
                    "watts": control.get("PowerConsumedWatts"),
                    "row": row,
                    "node": reading.get("node"),
                    "device": control.get("MemberId") if len(controls) > 1 else None,
                }
            )
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
                head.path,
                row=int(str(table.index[row])),
                column=chosen["time"],
                value=found["time"].iloc[row],
                expected="a time",
            )
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
