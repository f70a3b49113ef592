"""Kinds of quirks around the formats that logs come in."""

import json

import pytest

from pipeline.logs.deployment import Deployment
from pipeline.logs.gather import gather
from tests.logs.reading import NAN, T0, read, refused, table


def prometheus(*series: tuple[dict[str, str], list[str]]) -> str:
    """The answer of a range query: labels and values of each series, every 15 s."""
    results = [
        {"metric": labels, "values": [[1767571200 + 15 * k, value] for k, value in enumerate(values)]}
        for labels, values in series
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": results}})


DCGM = {"__name__": "DCGM_FI_DEV_POWER_USAGE", "Hostname": "n", "gpu": "0"}
QUIRKS_OF_POWER = {
    "dmon": (
        "#Date Time gpu sm pwr\n#YYYYMMDD HH:MM:SS Idx % W\n 20260105  00:00:00  0  90  312\n"
        "#Date Time gpu sm pwr\n 20260105  00:00:01  1  90  -\n",
        [(0, 312, "0"), (1, NAN, "1")],
    ),
    "ended in the middle of a line": (
        "timestamp, index, power.draw [W]\n2026/01/05 00:00:00.000, 0, 312 W\n2026/01/05 00:00:01.0",
        [(0, 312, "0")],
    ),
    "words in brackets, and columns beside": (
        "timestamp, pci.bus_id, power.draw [W], temperature.gpu\n"
        "2026/01/05 00:00:00.000, 00000000:3B:00.0, [GPU requires reset], 40\n",
        [(0, NAN, "00000000:3B:00.0")],
    ),
    "amd-smi JSON": (
        '[{"timestamp": 1767571200, "gpu": 0, "power": {"socket_power": {"value": 312, "unit": "W"}}},'
        ' {"timestamp": 1767571201, "gpu": 0, "power": {"socket_power": "N/A"}}]',
        [(0, 312, "0"), (1, NAN, "0")],
    ),
    "a pod and then another": (
        prometheus((DCGM | {"pod": "a"}, ["300", "NaN"]), (DCGM | {"pod": "b"}, ["300"])),
        [(0, 300, "0"), (15, NAN, "0")],
    ),
    "metrics of several units, and of no power": (
        prometheus(
            (DCGM, ["300"]),
            (DCGM | {"__name__": "nvidia_gpu_power_usage_milliwatts", "gpu": "1"}, ["301000"]),
            (DCGM | {"__name__": "DCGM_FI_DEV_GPU_TEMP"}, ["50"]),
        ),
        [(0, 300, "0"), (0, 301, "1")],
    ),
    "answers one a line": (
        prometheus((DCGM, ["300"])) + "\n" + prometheus((DCGM | {"gpu": "1"}, ["301"])) + "\n",
        [(0, 300, "0"), (0, 301, "1")],
    ),
    "a spreadsheet's first line": (
        'sep=,\n"Time","GPU 0","GPU 1"\n1767571200000,312 W,0.3 kW\n',
        [(0, 312, "GPU 0"), (0, 300, "GPU 1")],
    ),
    "a row a sample": (
        '"Series";"Time";"Value"\n"GPU 0 power";"2026-01-05 00:00:00";"312 W"\n',
        [(0, 312, "GPU 0 power")],
    ),
    "columns of watts among others": (
        "_timestamp,gpu.0.powerWatts,gpu.0.temp,gpu.0.powerPercent\n1767571200,300,50,40\n",
        [(0, 300, "gpu.0.powerWatts")],
    ),
    "a report of metrics": (
        '{"MetricValues":[{"MetricId":"SystemInputPower","MetricValue":"5231","Timestamp":'
        '"2026-01-05T00:00:00Z"},{"MetricId":"TotalCPUPower","MetricValue":"300"}]}\n',
        [(0, 5231, "")],
    ),
    "decimal commas in kW": (
        "Zeitstempel;Outlet;Wirkleistung [kW]\n05.01.2026 00:00:00;1;2,6155\n",
        [(0, 2615.5, "1")],
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS_OF_POWER)
def test_quirks_of_power_are_read(tmp_path, quirk):
    text, rows = QUIRKS_OF_POWER[quirk]
    found = read(table(tmp_path, text, "log.txt"), tmp_path / "out", "power").to_dict("records")
    assert len(found) == len(rows)
    for (seconds, watts, device), row in zip(rows, found, strict=True):
        assert (row["time"] - T0).total_seconds() == seconds
        assert row["watts"] == pytest.approx(watts, nan_ok=True) and row.get("device", "") == device


USED = '"usage": {"prompt_tokens": 5, "completion_tokens": 6}'
QUIRKS_OF_REQUESTS = {
    "a batch": (
        '{"id": "a", "response": {"status_code": 200, "body": {"created": 1767571205, ' + USED + "}}}\n"
        '{"id": "b", "response": {"status_code": 500, "body": {"created": 1767571205}}}\n',
        [(5, None, 5, 6, "ok"), (5, None, NAN, NAN, "failed")],
    ),
    "cached tokens beside the others": (
        '{"created_at": 1767571205, "usage": {"input_tokens": 20, "cache_read_input_tokens": 1000,'
        ' "cache_creation_input_tokens": 7, "output_tokens": 6}}\n',
        [(5, None, 1027, 6, "ok")],
    ),
    "times of ends, lengths in ns": (
        '{"model": "m", "created_at": "2026-01-05T00:00:05Z", "total_duration": 4000000000,'
        ' "prompt_eval_count": 26, "eval_count": 298}\n',
        [(1, 4, 26, 298, "ok")],
    ),
    "lengths in ms": (
        "timestamp,model,prompt_tokens,completion_tokens,latency\n1767571201,m,10,100,2500\n",
        [(1, 2.5, 10, 100, "ok")],
    ),
    "names in camel case": (
        '{"startTime": 1767571201000, "endTime": 1767571203000, "promptTokens": 5, "completionTokens": 7}\n',
        [(1, 2, 5, 7, "ok")],
    ),
    "answered by a cache": (
        "request_id,startTime,endTime,model,prompt_tokens,completion_tokens,cache_hit,status\n"
        "a,2026-01-05 00:00:01+00:00,2026-01-05 00:00:02+00:00,m,5,6,True,success\n",
        [(1, 1, 5, 0, "failed")],
    ),
    "a column of errors": (
        "time,end,node,model,input_tokens,output_tokens,error\n"
        "2026-01-05T00:00:01Z,2026-01-05T00:00:02Z,n,m,5,0,timeout\n"
        "2026-01-05T00:00:01Z,2026-01-05T00:00:02Z,n,m,5,6,\n",
        [(1, 1, 5, 0, "failed"), (1, 1, 5, 6, "ok")],
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS_OF_REQUESTS)
def test_quirks_of_requests_are_read(tmp_path, quirk):
    text, rows = QUIRKS_OF_REQUESTS[quirk]
    found = read(table(tmp_path, text, "log.txt"), tmp_path / "out", "requests").to_dict("records")
    assert len(found) == len(rows)
    for (start, took, given, made, status), row in zip(rows, found, strict=True):
        assert (row["time"] - T0).total_seconds() == start
        assert took is None or (row["end"] - row["time"]).total_seconds() == took
        tokens = [row["input_tokens"], row["output_tokens"]]
        assert tokens == pytest.approx([given, made], nan_ok=True) and row["status"] == status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu,power (W)\n0,300\n", "power without a column of times"),
        ('"Time","A-series"\n2026-01-05 00:00:00,312 W\n', "whether accelerators or whole nodes"),
        (
            "start,model,prompt_tokens,completion_tokens\n2026-01-05T00:00:00Z,m,1.000,2.500\n",
            "'1.000', expected a whole number",
        ),
        (
            "timestamp,model,prompt_tokens,completion_tokens,latency\n1767571201,m,10,100,0.0000000001\n",
            "of no unit in which answers come at",
        ),
    ],
)
def test_what_may_mean_two_things_is_refused(tmp_path, text, expected):
    assert expected in refused(table(tmp_path, text, "log.csv"), tmp_path)


def test_usual_names_of_optional_columns_are_known_in_the_contract(tmp_path):
    header = "time,end,node,model,input_tokens,output_tokens,request_id,cached_tokens,http_status,user\n"
    row = "2026-01-05T00:00:00Z,2026-01-05T00:00:01Z,n,m,5,7,a,2,200,someone\n"
    gathered = gather([str(table(tmp_path, header + row, "r.csv"))], Deployment(), tmp_path)
    assert gathered.requests is not None and gathered.files[0].direct
    assert gathered.requests.renamed == {
        "request": "request_id", "status": "http_status", "cached_input_tokens": "cached_tokens",
    }  # fmt: skip
    assert gathered.notes == ["r.csv: columns passed over: user"]
