import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.read import read_table, validate
from pipeline.ingest.contract_telemetry import REQUEST_RATES, TOKEN_LENGTH_PARTS, TOKEN_LENGTHS
from pipeline.ingest.traces import (
    EDGES,
    azure_lengths,
    from_bins,
    from_counts,
    length_parts,
    read_requests,
    request_rates,
    servegen_lengths,
)


def test_percentiles_of_counts_are_lengths_that_occur() -> None:
    summary, _ = from_counts(np.array([100, 10, 1]), np.array([1, 89, 10]))
    assert summary["mean"] == pytest.approx((100 + 890 + 10) / 100)
    assert [summary[f"p{q}"] for q in (1, 10, 25, 99)] == [1, 1, 10, 10]


def test_bins_are_shared_out_evenly() -> None:
    summary, histogram = from_bins(np.array([0, 10]), np.array([10, 30]), np.array([1, 1]))
    assert summary["p25"] == pytest.approx(5)
    assert summary["p75"] == pytest.approx(20)
    assert summary["mean"] == pytest.approx((5 + 20) / 2)
    assert histogram["share"].tolist() == [0.5, 0.5]


def test_short_lengths_have_a_bin_each() -> None:
    assert EDGES[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


@given(st.lists(st.integers(1, 900_000), min_size=1, max_size=50))
def test_a_histogram_holds_every_request_in_its_bin(tokens: list[int]) -> None:
    summary, histogram = from_counts(np.array(tokens), np.ones(len(tokens)))
    assert histogram["share"].sum() == pytest.approx(1)
    assert summary["requests"] == len(tokens)
    for row in histogram.itertuples(index=False):
        inside = sum(row.from_tokens <= token < row.to_tokens for token in tokens)
        assert row.share == pytest.approx(inside / len(tokens))


HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
ROWS = """2023-11-16 18:15:46.6805900,10,40
2023-11-16 18:15:47.0000000,20,30
2023-11-16 18:15:48.0000000,30,20"""
NAME = "data/AzureLLMInferenceTrace_{}.csv"
Write = Callable[[str, Any], Path]


def test_requests_keep_time_and_tokens(write: Write, tmp_path: Path) -> None:
    write(NAME.format("conv"), HEADER + ROWS)
    requests = read_requests(tmp_path, "conv")
    assert requests["time"].iloc[0].microsecond == 680590
    assert requests["output_tokens"].tolist() == [40, 30, 20]
    assert requests["model"].isna().all()


def test_lengths_carry_the_rank_correlation(write: Write, tmp_path: Path) -> None:
    for service in ("conv", "code"):
        write(NAME.format(service), HEADER + ROWS)
    entries = azure_lengths(tmp_path)
    assert len(entries) == 4
    assert entries[0]["summary"]["spearman_input_output"] == pytest.approx(-1)
    assert entries[0]["summary"]["p50"] == 20


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("yesterday,10,40", r"row 5, column 'TIMESTAMP': 'yesterday'"),
        ("2023-11-16 18:15:49,0,40", r"row 5, column 'ContextTokens': 0"),
        ("2023-11-16 18:15:49,10,-1", r"row 5, column 'GeneratedTokens': -1"),
        ("2023-11-16 18:15:49,10,", r"row 5, column 'GeneratedTokens'"),
    ],
)
def test_a_bad_request_is_refused_with_its_row(write: Write, tmp_path: Path, row: str, message: str) -> None:
    write(NAME.format("conv"), f"{HEADER}{ROWS}\n{row}\n")
    with pytest.raises(InputError, match=message):
        read_requests(tmp_path, "conv")


def test_a_missing_trace_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make telemetry"):
        read_requests(tmp_path, "conv")


FOLDER = "data/reason/deepseek-r1"


def client(write: Write, number: int, rates: dict[int, float], windows: dict[str, Any]) -> None:
    steps = "\n".join(f"{start},{rate},0,,0,0" for start, rate in rates.items())
    write(f"{FOLDER}/chunk-{number}-trace.csv", steps)
    write(f"{FOLDER}/chunk-{number}-dataset.json", windows)


def test_clients_and_windows_weigh_by_their_requests(write: Write, tmp_path: Path) -> None:
    first = {"input_tokens": "{10: 1.0}", "output_tokens": "{100: 0.5, 200: 0.5}"}
    second = {"input_tokens": "{20: 1.0}", "output_tokens": "{100: 1.0}"}
    # 600 requests in the first window, 1,200 in the second; the other client 600 in the first.
    client(write, 0, {0: 0.5, 600: 0.5, 21600: 2.0}, {"0": first, "21600": second})
    client(write, 1, {0: 1.0, 21600: 0.0}, {"0": second, "21600": {}})
    entries = {entry["quantity"]: entry["summary"] for entry in servegen_lengths(tmp_path)}
    assert entries["input_tokens"]["requests"] == 2400
    assert entries["input_tokens"]["mean"] == pytest.approx((600 * 10 + 1800 * 20) / 2400)
    assert entries["output_tokens"]["mean"] == pytest.approx((300 * 200 + 2100 * 100) / 2400)
    assert entries["output_tokens"]["p90"] == 200


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"input_tokens": "{10: 0.9}", "output_tokens": "{100: 1.0}"},
        {"input_tokens": "{0: 1.0}", "output_tokens": "{100: 1.0}"},
        {"input_tokens": "{10.5: 1.0}", "output_tokens": "{100: 1.0}"},
        {"input_tokens": "{10: 1.0", "output_tokens": "{100: 1.0}"},
    ],
)
def test_requests_without_a_whole_distribution_are_refused(
    write: Write, tmp_path: Path, window: dict[str, str]
) -> None:
    client(write, 0, {0: 0.5}, {"0": window})
    with pytest.raises(InputError, match=r"chunk-0-dataset.json.*0\.input_tokens"):
        servegen_lengths(tmp_path)


def test_no_client_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make telemetry"):
        servegen_lengths(tmp_path)


START = np.datetime64("2023-11-16T18:00:00")


@pytest.fixture
def azure(tmp_path: Path) -> Path:
    folder = tmp_path / "azure" / "data"
    folder.mkdir(parents=True)
    for service in ("conv", "code"):
        rows = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
        for second in range(0, 3600, 20):
            time = str(START + np.timedelta64(second, "s")).replace("T", " ") + ".0000000"
            rows.append(f"{time},{100 if second < 1800 else 200},{50}")
        (folder / f"AzureLLMInferenceTrace_{service}.csv").write_text("\n".join(rows) + "\n")
    return folder.parent


@pytest.fixture
def servegen(tmp_path: Path) -> Path:
    folder = tmp_path / "servegen" / "data" / "reason" / "deepseek-r1"
    folder.mkdir(parents=True)
    for client in range(5):
        steps = [f"{start},{client + 1},1,Gamma,1,1" for start in range(0, 86400, 600)]
        (folder / f"chunk-{client}-trace.csv").write_text("\n".join(steps) + "\n")
        lengths = {"input_tokens": "{10: 1.0}", "output_tokens": f"{{{100 * (client + 1)}: 1.0}}"}
        windows = {str(start): lengths for start in range(0, 86400, 21600)}
        (folder / f"chunk-{client}-dataset.json").write_text(json.dumps(windows))
    return folder.parents[2]


def test_parts_hold_every_request_once(azure: Path, servegen: Path) -> None:
    table = validate(length_parts(azure, servegen), TOKEN_LENGTH_PARTS, "made up")
    totals = table.groupby(["traffic", "quantity"])["requests"].sum()
    assert totals["conversation", "input_tokens"] == 180
    assert totals["reasoning", "output_tokens"] == pytest.approx(15 * 86400)


def test_a_half_hour_and_a_group_of_clients_stay_apart(azure: Path, servegen: Path) -> None:
    table = length_parts(azure, servegen)
    prompts = table[(table["traffic"] == "code") & (table["quantity"] == "input_tokens")]
    assert prompts.groupby("part")["requests"].sum().tolist() == [90, 90]
    assert (prompts["from_tokens"] <= [100, 200]).all() and (prompts["to_tokens"] > [100, 200]).all()
    # every fourth client: the first and the fifth share a group
    groups = table[(table["traffic"] == "reasoning") & (table["quantity"] == "output_tokens")]
    assert groups.groupby("part").size().tolist() == [2, 1, 1, 1]


def test_rates_add_up_to_the_requests(azure: Path, servegen: Path) -> None:
    table = validate(request_rates(azure, servegen), REQUEST_RATES, "made up").set_index("service")
    minutes = table.loc["azure_llm_2023/conv"]
    assert len(minutes) == 59  # the sixtieth may be broken
    assert minutes["requests"].tolist() == [3.0] * 59
    assert minutes["output_tokens"].tolist() == [150.0] * 59
    day = table.loc["servegen/deepseek-r1"]
    assert (len(day), day["requests"].sum()) == (144, 15 * 86400)


def test_the_committed_parts_have_the_quantiles_of_the_whole_trace() -> None:
    parts = read_table("data/telemetry/token_length_parts.csv", TOKEN_LENGTH_PARTS)
    whole = read_table("data/telemetry/token_lengths.csv", TOKEN_LENGTHS).set_index(["key", "quantity"])
    for traffic, key in (("conversation", "azure_llm_2023/conv"), ("reasoning", "servegen/deepseek-r1")):
        for quantity in ("input_tokens", "output_tokens"):
            rows = parts[(parts["traffic"] == traffic) & (parts["quantity"] == quantity)]
            assert rows["requests"].sum() == pytest.approx(whole["requests"][key, quantity], rel=1e-4)
            below = rows[rows["to_tokens"] <= whole["p50"][key, quantity]]["requests"].sum()
            up_to = rows[rows["from_tokens"] <= whole["p50"][key, quantity]]["requests"].sum()
            assert below / rows["requests"].sum() <= 0.5 <= up_to / rows["requests"].sum()
