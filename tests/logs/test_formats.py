"""Every format of the samples: read to its right values, or refused with a reason."""

import json
from pathlib import Path

import pytest

from pipeline.logs.formats import FORMATS, describe, format_of
from pipeline.logs.formats.files import read_head
from tests.logs.reading import NAN, T0, read, refused, table

SAMPLES = Path(__file__).parent / "samples"
START = {
    "starts": {
        "burstgpt.csv": "2026-01-05T00:00:00Z",
        "mooncake_trace.jsonl": "2026-01-05T00:00:00Z",
        "sglang_bench.jsonl": "2026-01-05T00:00:00Z",
    }
}

# file -> (seconds after T0, watts, meter) of its first rows, and its scope
POWER = {
    "nvidia_smi_power.csv": (
        [(0.123, 312.45, "0"), (0.126, NAN, "1"), (1.124, 318.02, "0"), (1.127, 305.77, "1")],
        "gpu",
    ),
    "nvidia_smi_noindex_power.csv": ([(0.123, 312.45, ""), (0.126, 305.10, ""), (2.123, 318.02, "")], "gpu"),
    "nvidia_smi_nounits_noheader.csv": ([(0.123, 312.45, "0"), (0.126, 305.10, "1")], "gpu"),
    "dcgm_range_query.json": (
        [(0, 312.45, "0"), (15, 318.02, "0"), (0, 305.10, "1"), (15, 305.77, "1")],
        "gpu",
    ),
    "dcgm_energy_counter.csv": ([(0, 312.45, "0")], "gpu"),
    "grafana_export.csv": (
        [(0, 312, "GPU 0"), (15, 318, "GPU 0"), (0, 305, "GPU 1"), (15, 306, "GPU 1")],
        "gpu",
    ),
    "zeus_power.csv": ([(0.123, 312.45, "0"), (0.223, 305.10, "1")], "gpu"),
    "ipmi_dcmi.txt": ([(1, 5231, "")], "node_wall"),
    "pdu_raritan.csv": ([(0, 2615.5, "Outlet 1"), (60, 2601.0, "Outlet 1")], "node_wall"),
    "ptdaemon_spl.txt": ([(0.737, 5231.866, ""), (1.738, 5240.786, "")], "node_wall"),
}
# file -> (seconds after T0, seconds it took, input, output, status) of its rows
REQUESTS = {
    "vllm_bench.json": [
        (287.5, 0.16, 1024, 128, "ok"),
        (287.51, 0.17, 1024, 128, "ok"),
        (290.79, 0.23, 1024, 128, "ok"),
    ],
    "openai_access_log.jsonl": [(5, None, 550, 128, "ok"), (9, None, 20, 300, "ok")],
    "litellm_spend.csv": [(1.123, 4.333, 550, 128, "ok"), (2.123, 0.007, 550, 0, "failed")],
    "sglang_bench.jsonl": [(0, 12.5, 1024, 128, "ok"), (0, 12.5, 1024, 128, "ok")],
    "guidellm.json": [(1, 4, 256, 128, "ok"), (59, 1.1, 256, 12, "failed")],
    "aiperf_profile_export.jsonl": [(1, 4, 550, 128, "ok")],
    "azure_llm_2024.csv": [(0.00993, None, 2162, 5, "ok"), (0.017335, None, 2399, 6, "ok")],
    "burstgpt.csv": [(5, None, 472, 18, "ok"), (45, None, 417, 0, "ok")],
    "mooncake_trace.jsonl": [(27.482, None, 6955, 52, "ok"), (30.535, None, 6472, 26, "ok")],
    "excel_requests.csv": [(6, 28, 1818, 272, "ok")],
}
REFUSED = {
    "burstgpt.csv": "count from the start of the trace, expected `starts: {burstgpt.csv: TIME}`",
    "mooncake_trace.jsonl": "count from the start of the trace",
    "sglang_bench.jsonl": "says how long it ran, not when",
    "genai_perf_profile_export.json": "no counts of tokens, and texts are not read",
    "redfish_power.json": "a reading without a time",
    "kepler_metrics.prom": "without a time: this is one moment",
}


def test_every_sample_has_its_right_value_or_refusal():
    tested = {*POWER, *REQUESTS, *REFUSED, "codecarbon_emissions.csv"}
    assert {path.name for path in SAMPLES.iterdir()} == tested


@pytest.mark.parametrize("name", POWER)
def test_power_is_read_to_its_right_values(tmp_path, name):
    rows, scope = POWER[name]
    found = read(SAMPLES / name, tmp_path / "out", "power")
    assert set(found["scope"]) == {scope}
    for (seconds, watts, device), row in zip(rows, found.to_dict("records"), strict=False):
        assert (row["time"] - T0).total_seconds() == pytest.approx(seconds, abs=1e-6)
        assert row["watts"] == pytest.approx(watts, nan_ok=True)
        assert row.get("device", "") == device


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_read_to_their_right_values(tmp_path, name):
    found = read(SAMPLES / name, tmp_path / "out", "requests", **START)
    assert len(found) == len(REQUESTS[name])
    for (start, took, given, made, status), row in zip(REQUESTS[name], found.to_dict("records"), strict=True):
        assert (row["time"] - T0).total_seconds() == pytest.approx(start, abs=1e-6)
        if took is not None:
            assert (row["end"] - row["time"]).total_seconds() == pytest.approx(took, abs=1e-6)
        assert (row["input_tokens"], row["output_tokens"], row["status"]) == (given, made, status)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_a_reason(tmp_path, name):
    assert REFUSED[name] in refused(SAMPLES / name, tmp_path)


def test_columns_beside_the_tokens_are_kept(tmp_path):
    openai = read(SAMPLES / "openai_access_log.jsonl", tmp_path / "a", "requests")
    assert openai["cached_input_tokens"].tolist()[0] == 512 and openai["reasoning_tokens"].tolist()[0] == 90
    assert openai["model"].tolist() == ["meta-llama/Llama-3.3-70B-Instruct"] * 2
    litellm = read(SAMPLES / "litellm_spend.csv", tmp_path / "b", "requests")
    assert litellm["node"].tolist() == ["node-1"] * 2 and litellm["request"].tolist() == ["a", "b"]
    smi = read(SAMPLES / "nvidia_smi_power.csv", tmp_path / "c", "power", node="n7")
    assert set(smi["node"]) == {"n7"} and set(smi["gpu"]) == {"NVIDIA H100 80GB HBM3"}


def test_a_run_of_codecarbon_keeps_its_energy(tmp_path):
    found = read(SAMPLES / "codecarbon_emissions.csv", tmp_path / "out", "power")
    seconds = found["time"].diff().dt.total_seconds().median()
    assert found["watts"].sum() * seconds / 3.6e6 == pytest.approx(0.0059, rel=1e-6)
    assert (found["time"].min() - T0).total_seconds() == pytest.approx(15 - 15.2)


def test_examples_of_the_list_are_of_their_own_format(tmp_path):
    for k, one in enumerate(FORMATS):
        path = tmp_path / f"{k}.txt"
        path.write_text(one.example)
        assert format_of(read_head(path)).name == one.name
        assert one.name in describe() and one.source in describe()


@pytest.mark.parametrize(
    ("header", "cells", "watts"),
    [
        ("timestamp,gpu,power_mw", "312450", 312.45),
        ("time,device,watts,scope", "0.31245,gpu", None),
        ("Time;GPU;Power [kW]", '"0,31245"', 312.45),
        ("timestamp\tgpu_id\tpower (W)", "312.45", 312.45),
        ("timestamp,gpu,average_socket_power", "312.45 W", 312.45),
        ("ts,gpu_index,power", "0.31245 kW", 312.45),
    ],
)
def test_units_and_separators_are_read(tmp_path, header, cells, watts):
    sign = next(sign for sign in ";\t," if sign in header)
    rows = "".join(f"{1767571200 + k}{sign}0{sign}{cells}\n" for k in range(3))
    path = table(tmp_path, header + "\n" + rows)
    if watts is None:  # watts by name: what is read stands, the account judges it
        watts = 0.31245
    assert read(path, tmp_path / "out", "power", node="n")["watts"].tolist() == pytest.approx([watts] * 3)


@pytest.mark.parametrize(("unit", "joules"), [("j", 1), ("mj", 1e-3), ("wh", 3600), ("kwh", 3.6e6)])
def test_counters_become_power_and_resets_are_left_out(tmp_path, unit, joules):
    counts = [1000, 1003, 1006, 2, 5]
    rows = "".join(f"2026-01-05T00:{m:02d}:00Z,n,{count},node_wall\n" for m, count in enumerate(counts))
    found = read(table(tmp_path, f"time,node,energy_{unit},scope\n" + rows), tmp_path / "out", "power")
    expected = 3 * joules / 60
    assert found["watts"].tolist() == pytest.approx([expected, expected, NAN, expected], nan_ok=True)


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("2026-01-05 00:00:07,123", 7.123),
        ("2026-01-05T01:00:07+01:00", 7),
        ("2026-01-05T00:00:07z", 7),
        ("2026/01/05 00:00:07.5", 7.5),
        ("05.01.2026 00:00:07", 7),
        ("13/01/2026 00:00:07", 8 * 86400 + 7),
        ("01/13/2026 12:00:07 AM", 8 * 86400 + 7),
        ("05/Jan/2026:00:00:07 +0000", 7),
        ("1767571207", 7),
        ("1767571207.25", 7.25),
        ("1767571207250", 7.25),
        ("1767571207250000", 7.25),
        ("1767571207250000999", 7.25),
        ("2026-01-05 01:00:07 Europe/Berlin", 7),
        ("2026-01-04 19:00:07 EST", 7),
        ("2026-01-05 00:00:07 UTC", 7),
    ],
)
def test_times_are_read_by_one_grammar(tmp_path, stamp, seconds):
    found = read(
        table(tmp_path, f'timestamp,gpu,watts\n"{stamp}",0,300\n'), tmp_path / "out", "power", node="n"
    )
    assert (found["time"][0] - T0).total_seconds() == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (["2026-01-05 00:00:00 CST"], "row 2, column 'time': '2026-01-05 00:00:00 CST', expected a time"),
        (
            ["2026-01-05 00:00:00 EST", "2026-01-05 00:00:01"],
            "row 3, column 'time': '2026-01-05 00:00:01', expected a zone",
        ),
        (["26-01-05 00:00:00"], "expected a time"),
        (["2026-02-30 00:00:00"], "expected a time"),
        (["01/05/2026 00:00:00"], "may be day-first or month-first"),
        (["1767571200", "1767571200000"], "epochs of one unit"),
        (["inf"], "expected a time"),
        (["1e999"], "expected a time"),
        (["13/13/2026 00:00:00"], "one order"),
        (["2026-01-05 25:00:00"], "expected a time"),
    ],
)
def test_times_that_are_open_or_wrong_are_refused(tmp_path, stamps, expected):
    rows = "".join(f'"{stamp}",0,300\n' for stamp in stamps)
    assert expected in refused(table(tmp_path, "timestamp,gpu,watts\n" + rows), tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"id":"a","created":1767571205,"model":"m","usage":{"prompt_tokens":1,"prompt_tokens":2}}',
            "stands twice",
        ),
        ("[" * 100_000, "nested too deeply"),
        ("{}", "no known format"),
        (
            '{"created":1767571205,"usage":{"prompt_tokens":"many","completion_tokens":1}}',
            "'many', expected a whole number",
        ),
        ('{"created":1e999,"usage":{"prompt_tokens":1,"completion_tokens":1}}', "expected a time"),
        ('{"a": 1', "expected JSON"),
        ("hello,world\n1,2\n", "no known format"),
        ("#Date Time gpu pwr pwr\n20260105 00:00:00 0 312 312\n", "column 'pwr' stands twice"),
        ("<html><body>Sign in</body></html>\n", "no known format"),
    ],
)
def test_oddities_get_one_line(tmp_path, text, expected):
    message = refused(table(tmp_path, text, "log.jsonl"), tmp_path)
    assert expected in message


def test_prompts_and_half_surrogates_do_not_leave(tmp_path):
    line = {
        "id": "a\ud800\x1b[31m",
        "created": 1767571205,
        "model": "=cmd()",
        "prompt": "SECRET",
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    path = table(tmp_path, json.dumps(line) + "\n", "log.jsonl")
    found = read(path, tmp_path / "out", "requests")
    assert "SECRET" not in found.to_csv() and "\x1b" not in found["request"][0]


def test_a_workbook_and_a_graph_of_parts_are_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as packed:
        packed.writestr("x", "y")
    assert "save the sheet as CSV" in refused(tmp_path / "a.xlsx", tmp_path)
    kepler = {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [
                {
                    "metric": {"__name__": "kepler_node_cpu_watts", "node_name": "n"},
                    "values": [[1767571200, "1"]],
                }
            ],
        },
    }
    assert "a part of a node" in refused(table(tmp_path, json.dumps(kepler), "k.json"), tmp_path)


def test_power_repeated_for_slices_of_a_card_counts_once(tmp_path):
    series = [
        {
            "metric": {
                "__name__": "DCGM_FI_DEV_POWER_USAGE",
                "gpu": "0",
                "Hostname": "n",
                "GPU_I_ID": str(k),
            },
            "values": [[1767571200 + 15 * t, "300"] for t in range(3)],
        }
        for k in range(3)
    ]
    document = {"status": "success", "data": {"resultType": "matrix", "result": series}}
    found = read(table(tmp_path, json.dumps(document), "d.json"), tmp_path / "out", "power")
    assert len(found) == 3 and set(found["device"]) == {"0"}
