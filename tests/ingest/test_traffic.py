"""Made-up traces: the parts add up to the whole, the rates to the requests."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.contracts import read_table, validate
from pipeline.contracts.telemetry import TOKEN_LENGTHS
from pipeline.contracts.traffic import REQUEST_RATES, TOKEN_LENGTH_PARTS
from pipeline.ingest.traffic import length_parts, request_rates

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
