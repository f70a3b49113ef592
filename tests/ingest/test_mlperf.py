import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import mlperf as module
from pipeline.ingest.mlperf import Run, node_power, read_power_log, read_run, run_flags, summarise, throughput

RESULT = {
    "ID": "5.1-0001",
    "Location": "here",
    "Category": "closed",
    "Suite": "datacenter",
    "Submitter": "somebody",
    "Platform": "box",
    "UsedModel": "llama3.1-405b",
    "Scenario": "Offline",
    "Accelerator": "",
    "a#": "",
    "Nodes": 2,
    "weight_data_types": "fp8",
    "Software": "engine 1",
    "Accuracy": "ROUGEL: 21.6  TOKENS_PER_SAMPLE: 654.6",
    "Performance_Result": 1000.0,
    "Performance_Units": "Tokens/s",
    "Power_Result": None,
}
Write = Callable[[str, Any], Path]


def test_language_models_of_the_datacentre_are_kept(write: Write, tmp_path: Path) -> None:
    others = [
        RESULT | {"Suite": "edge"},
        RESULT | {"UsedModel": "resnet50", "Performance_Units": "Samples/s"},
        RESULT | {"UsedModel": "llama3_1-70b-fp8_dyn", "Power_Result": 5000.0},
    ]
    write("summary_results.json", [RESULT, *others])
    table = throughput(tmp_path).set_index("model")
    assert set(table.index) == {"Llama 3.1 405B", "Llama 3.1 70B"}
    row = table.loc["Llama 3.1 405B"]
    assert row["output_tokens"] == 654.6
    assert pd.isna(row["gpus_per_node"])
    assert pd.isna(row["published_w"])
    assert table.loc["Llama 3.1 70B", "published_w"] == 5000.0


def test_a_model_that_is_not_known_is_refused(write: Write, tmp_path: Path) -> None:
    write("summary_results.json", [RESULT | {"UsedModel": "gpt-9"}])
    with pytest.raises(InputError, match="'gpt-9'"):
        throughput(tmp_path)


def test_a_result_that_stands_twice_is_refused(write: Write, tmp_path: Path) -> None:
    write("summary_results.json", [RESULT, RESULT])
    with pytest.raises(InputError, match="stand once"):
        throughput(tmp_path)


BEGIN = pd.Timestamp("2025-07-29 10:00:02.500")
END = pd.Timestamp("2025-07-29 10:00:12.500")
RUN = Run(BEGIN, END, requests=20, output_tokens=4000, output_tokens_per_s=400.0)
WATTS = [300.0, 303.0, 306.0, 900.0, 906.0, 912.0, 900.0, 906.0, 912.0, 900.0, 906.0, 912.0, 909.0, 300.0]


def line(time: str, feeds: list[float]) -> str:
    channels = [f"Ch{n},Watts,{w:.6f},Volts,240.0" for n, w in enumerate(feeds, start=1)]
    return ",".join([f"Time,07-29-2025 {time},Watts,{sum(feeds):.6f}", "Volts,240.0,Mark,x", *channels])


def log() -> list[str]:
    return [line(f"10:00:{second:02d}.000", [w / 3] * 3) for second, w in enumerate(WATTS)]


def flags_of(
    write: Write, lines: list[str], begin: pd.Timestamp = BEGIN, end: pd.Timestamp = END
) -> list[str]:
    return run_flags(read_power_log(write("spl.txt", "\n".join(lines) + "\n\n"), "box"), begin, end, feeds=3)


def test_a_sound_log_gives_the_known_energy(write: Write) -> None:
    series = read_power_log(write("spl.txt", "\n".join(log()) + "\n"), "box")
    found = summarise(series, RUN)
    mean = sum(WATTS[3:13]) / 10
    assert found["samples"] == 10
    assert found["mean_w"] == pytest.approx(mean)
    assert found["mean_mw"] == round(mean * 1000)
    assert found["floor_w"] == 300
    assert found["j_per_output_token"] == pytest.approx(mean * 10 / 4000)
    assert found["wh_per_request"] == pytest.approx(mean * 10 / 20 / 3600)
    assert found["valid"] == "yes"
    assert found["flags"] is None


def test_what_lies_outside_the_window_raises_no_flag(write: Write) -> None:
    lines = log()
    lines[0] = line("10:00:00.000", [-5.0, -5.0])
    assert flags_of(write, lines) == []


def test_gap_too_long(write: Write) -> None:
    lines = log()
    del lines[6:8]
    assert flags_of(write, lines) == ["gap_too_long"]


def test_one_missed_sample_is_no_gap(write: Write) -> None:
    lines = log()
    del lines[6]
    assert flags_of(write, lines) == []


@pytest.mark.parametrize("keep", [slice(3, None), slice(None, 13)])
def test_window_not_covered(write: Write, keep: slice) -> None:
    assert flags_of(write, log()[keep]) == ["window_not_covered"]


def test_wrong_feed_count(write: Write) -> None:
    lines = log()
    lines[5] = line("10:00:05.000", [456.0, 456.0])
    assert flags_of(write, lines) == ["wrong_feed_count"]


def test_feeds_that_do_not_add_up(write: Write) -> None:
    lines = log()
    lines[5] = lines[5].replace("Ch3,Watts,304", "Ch3,Watts,3")
    assert flags_of(write, lines) == ["wrong_feed_count"]


def test_negative_sample(write: Write) -> None:
    lines = log()
    lines[5] = line("10:00:05.000", [-1.0, -1.0, -1.0])
    assert flags_of(write, lines) == ["negative_sample"]


def test_stuck_samples(write: Write) -> None:
    lines = log()
    lines[4:10] = [line(f"10:00:{second:02d}.000", [300.0] * 3) for second in range(4, 10)]
    assert flags_of(write, lines) == ["stuck_samples"]


def test_clock_backwards(write: Write) -> None:
    lines = log()
    lines[6], lines[7] = lines[7], lines[6]
    assert flags_of(write, lines) == ["clock_backwards"]


def test_several_reasons_are_all_named(write: Write) -> None:
    lines = log()
    lines[5] = line("10:00:05.000", [-1.0, -1.0])
    del lines[8:10]
    assert flags_of(write, lines) == ["gap_too_long", "wrong_feed_count", "negative_sample"]


@pytest.mark.parametrize(
    "broken", ["Time,07-29-2025 10:00:05.000,Wat", "Time,07-29-2025 10:00:05.000,Watts,x,"]
)
def test_half_a_line_is_refused_with_its_row(write: Write, broken: str) -> None:
    with pytest.raises(InputError, match="row 15"):
        read_power_log(write("spl.txt", "\n".join([*log(), broken])), "box")


def test_an_empty_log_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="no samples"):
        read_power_log(write("spl.txt", "\n"), "box")


def test_a_window_without_samples_is_refused(write: Write) -> None:
    series = read_power_log(write("spl.txt", "\n".join(log())), "box")
    late = Run(END + pd.Timedelta("1h"), END + pd.Timedelta("2h"), 1, 1, 1.0)
    with pytest.raises(InputError, match="no power sample between"):
        summarise(series, late)


def detail(scenario: str, **change: Any) -> str:
    offline = scenario == "Offline"
    entries = {
        "effective_scenario": scenario,
        "generated_query_count": 1 if offline else 20,
        "generated_samples_per_query": 20 if offline else 1,
        "power_begin": "07-29-2025 10:00:02.500",
        "power_end": "07-29-2025 10:00:12.500",
        "result_tokens_per_second" if offline else "result_completed_tokens_per_second": 400.0,
        "result_samples_per_second" if offline else "result_completed_samples_per_sec": 2.0,
    } | change
    return "\n".join(f":::MLLOG {json.dumps({'key': key, 'value': value})}" for key, value in entries.items())


@pytest.mark.parametrize("scenario", ["Offline", "Server"])
def test_a_detail_log_gives_the_run(write: Write, scenario: str) -> None:
    assert read_run(write("detail.txt", detail(scenario))) == RUN


def test_a_detail_log_without_window_is_refused(write: Write) -> None:
    text = detail("Offline").replace("power_end", "power_stop")
    with pytest.raises(InputError, match="'power_end' is missing"):
        read_run(write("detail.txt", text))


def test_half_a_detail_log_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="row 7: not a whole log entry"):
        read_run(write("detail.txt", detail("Offline")[:-5]))


def test_a_bad_run_is_kept_and_marked(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUN_FOLDER", Path("results/box"))
    bad = log()
    del bad[6:8]
    published = []
    for scenario, lines in {"Offline": log(), "Server": bad}.items():
        location = f"results/box/llama3.1-8b/{scenario}"
        write(f"{location}/performance/run_1/spl.txt", "\n".join(lines))
        write(f"{location}/performance/run_1/mlperf_log_detail.txt", detail(scenario))
        published.append(
            {
                "ID": "1",
                "Location": location,
                "Platform": "box",
                "UsedModel": "llama3.1-8b",
                "Scenario": scenario,
                "Accelerator": "GPU",
                "a#": 8,
                "Nodes": 1,
                "weight_data_types": "fp8",
                "Power_Result": 900.0,
                "Performance_Units": "Tokens/s",
            }
        )
    write("summary_results.json", published)
    table = node_power(tmp_path).set_index("scenario")
    assert table["valid"].to_dict() == {"Offline": "yes", "Server": "no"}
    assert table.loc["Server", "flags"] == "gap_too_long"
    assert table.loc["Server", "samples"] == 8
