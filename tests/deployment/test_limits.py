"""What cannot run is told with why, whatever else is right; what runs elsewhere is not called impossible."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.deployment.model.contract import CANNOT_RUN, OK, quantile_columns
from pipeline.deployment.model.predict import Predictor
from tests.deployment.tables import one, table

NUMBERS = [name for columns in quantile_columns().values() for name in columns]
HEADER = "model,gpu,precision,concurrency,input_tokens,output_tokens"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("DeepSeek-V3,8xH100,fp8,64,500,300", "624.9 GiB of weights do not fit in 0.92 of 8 x 79.65 GiB"),
        ("Llama 3.1 405B,1xH200,fp4,8,500,300", "GiB of weights do not fit"),
        ("Llama 3.1 405B,8xH100,bf16,8,500,300", "do not fit in 0.92 of 8 x 79.65 GiB"),
        ("Llama 3.1 8B,1xL4,bf16,1,100000,10", "GiB for the cache of one request do not fit"),
        ("Llama 3.1 70B,5xH200,fp8,8,500,300", "64 heads, 8 of keys and values, do not divide by 5"),
        ("Llama 3.1 405B,7xH200,fp8,8,500,300", "do not divide by 7"),
        ("Llama 3.1 70B,72xGB200,fp8,8,500,300", "do not divide by 72"),
        ("DeepSeek-V3,7xB200,fp8,8,500,300", "do not divide by 7"),
        (
            "Llama 2 70B,8xH100,bf16,8,100000,300",
            "100300 tokens of prompt and answer exceed the context of 4096",
        ),
        ("Llama 3.1 405B,8xH200,fp8,8,100000,100000", "exceed the context of 131072"),
    ],
)
def test_impossible_rows_say_why_and_have_no_number(tool: Predictor, line: str, why: str) -> None:
    found = tool.predict(table(line, header=HEADER)).iloc[0]
    assert (found["status"], found["basis"]) == (CANNOT_RUN, CANNOT_RUN)
    assert why in found["message"]
    assert found[[*NUMBERS, "requests_running"]].isna().all()


@pytest.mark.parametrize(
    "line",
    [
        "DeepSeek-V3,8xH200,fp8,64,500,300",
        "DeepSeek-V3,72xGB200,fp4,512,1000,1000",  # experts are spread, attention is copied
        "Kimi K2.5,6xB300,int4,8,500,300",  # 384 experts over six
        "Llama 3.1 70B,8xH100,bf16,8,500,300",
        "Llama 3.1 70B,16xH100,bf16,8,500,300",  # each KV head twice
        "Phi-4,5xH100,bf16,8,500,300",  # 40 heads, 10 of keys and values
        "gpt-oss-20b,1xRTX 4090,mxfp4,1,500,300",
    ],
)
def test_possible_rows_are_predicted(tool: Predictor, line: str) -> None:
    found = tool.predict(table(line, header=HEADER)).iloc[0]
    assert found["status"] == OK, found["message"]


def test_more_context_than_published_can_be_served(tool: Predictor) -> None:
    rows = one(model="Qwen3 32B", total_params_b=None, active_params_b=None, input_tokens=100_000)
    assert tool.predict(rows)["status"].item() == CANNOT_RUN
    assert tool.predict(rows.assign(max_context_tokens=131_072))["status"].item() == OK


def test_what_does_not_fit_beside_waits(tool: Predictor) -> None:
    rows = pd.concat([one(concurrency=c, input_tokens=30_000) for c in (4, 10_000)], ignore_index=True)
    found = tool.predict(rows)
    assert found["requests_running"].iloc[0] == pytest.approx(4)
    assert 10 < found["requests_running"].iloc[1] < 100


def test_every_measured_configuration_can_run(tool: Predictor) -> None:
    """A rule that refuses what somebody measured is wrong."""
    cells = ["model", "total_params_b", "active_params_b", "gpu", "gpus", "precision", "engine"]
    tables = [pd.read_csv(path, dtype="str") for path in sorted(Path("data/telemetry/serving").glob("*.csv"))]
    measured = pd.concat([one_table.reindex(columns=cells) for one_table in tables]).drop_duplicates()
    rows = measured.assign(concurrency="1", input_tokens="100", output_tokens="100").reset_index(drop=True)
    found = tool.predict(rows)
    impossible = found[found["status"] == CANNOT_RUN]
    # In bf16, as its table has it, its weights are 212 GB.
    known = (impossible["model"] == "GLM-4.5 Air") & (impossible["gpu"] == "H100") & (impossible["gpus"] == 2)
    assert impossible.loc[~known, ["model", "gpu", "gpus", "message"]].to_dict("records") == []
    assert (found["status"] == OK).mean() > 0.5


def test_heads_do_not_bind_engines_that_split_by_layer(tool: Predictor) -> None:
    rows = one(gpus="3", engine="llama.cpp")
    assert tool.predict(rows)["status"].item() == OK
    assert tool.predict(rows.assign(engine="vLLM"))["status"].item() == CANNOT_RUN
