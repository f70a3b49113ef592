"""Every way a row can be wrong gives one message with all its faults; what people write is understood."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.user_table import DECIMAL
from pipeline.deployment.model.contract import INPUTS, OK, WRONG, quantile_columns
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import Checked, check_rows
from tests.deployment.tables import GOOD, HEADER, one, table

NUMBERS = [name for columns in quantile_columns().values() for name in columns]


def check(tool: Predictor, **cells: object) -> Checked:
    return check_rows(one(**cells), tool.known)


def message(tool: Predictor, **cells: object) -> str:
    return check(tool, **cells).faults.message(0)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            {"gpu": "H1000"},
            "column 'gpu': 'H1000', expected an accelerator or machine of data/published (nearest: H100",
        ),
        ({"gpu": None}, "column 'gpu': '', expected an accelerator or machine"),
        ({"gpu": "p5.48xlarg"}, "(nearest: p5.48xlarge"),
        ({"gpus": "2.5"}, "column 'gpus': '2.5', expected a whole number"),
        ({"gpus": "0"}, "column 'gpus': '0', expected at least 1 and at most 1,024"),
        ({"gpus": None}, "column 'gpus': '', expected a number, or a count in `gpu` (8xH100)"),
        (
            {"gpu": "8xH100", "gpus": "16"},
            "column 'gpus': 16, expected at most 8, which is what '8xH100' has",
        ),
        ({"gpu": "g6f.large", "gpus": "2"}, "expected 1 or a blank, as 'g6f.large' is part of one"),
        ({"precision": "int9"}, "column 'precision': 'int9', expected a precision such as bf16"),
        ({"precision": "bf61"}, "(nearest: bf16"),
        ({"cache_precision": "int4"}, "column 'cache_precision': 'int4', expected bf16 or fp8"),
        ({"concurrency": None}, "column 'concurrency': '', expected a number, not a blank"),
        ({"concurrency": "nan"}, "column 'concurrency': '', expected a number, not a blank"),
        ({"concurrency": "inf"}, "column 'concurrency': 'inf', expected a number"),
        ({"concurrency": "many"}, "column 'concurrency': 'many', expected a number"),
        ({"concurrency": True}, "column 'concurrency': True, expected a number"),
        ({"concurrency": "0"}, "column 'concurrency': '0', expected more than 0"),
        ({"input_tokens": "-5"}, "column 'input_tokens': '-5', expected at least 1"),
        (
            {"input_tokens": "1e300"},
            "column 'input_tokens': '1e300', expected at least 1 and at most 100,000,000",
        ),
        (
            {"output_tokens": "1.000"},
            "column 'output_tokens': '1.000', expected a number without a separator of th",
        ),
        (
            {"output_tokens": "1,000"},
            "column 'output_tokens': '1,000', expected a number without a separator of th",
        ),
        ({"output_tokens": "12.345"}, "expected a number without a separator of thousands"),
        ({"output_tokens": "128.000"}, "expected a number without a separator of thousands"),
        ({"output_tokens": "12.345.678"}, "expected a number without a separator of thousands"),
        ({"output_tokens": "1 000"}, "expected a number without a separator of thousands"),
        ({"output_tokens": "0.5"}, "column 'output_tokens': 0.5, expected 0 or at least 1"),
        ({"cached_input_tokens": "512"}, "column 'cached_input_tokens': 512, expected at most input_tokens"),
        ({"output_cv": "1e308"}, "column 'output_cv': '1e308', expected at least 0 and at most 10"),
        ({"pue": "0.9"}, "column 'pue': '0.9', expected at least 1 and at most 5"),
        ({"pue": "1,2"}, "column 'pue': '1,2', expected a number with a decimal point"),
        ({"pue": "12%"}, "column 'pue': '12%', expected a number"),
        ({"wue_l_per_kwh": "-1"}, "column 'wue_l_per_kwh': '-1', expected at least 0"),
        (
            {"carbon_g_per_kwh": "30000"},
            "column 'carbon_g_per_kwh': '30000', expected at least 0 and at most 3,000",
        ),
        ({"site_scenario": "moon"}, "column 'site_scenario': 'moon', expected one of microsoft_today"),
        ({"engine": "vlm"}, "column 'engine': 'vlm', expected an engine (nearest: vLLM) or a blank"),
        (
            {"engine_date": "31.8.2025"},
            "column 'engine_date': '31.8.2025', expected a date such as 2025-08-31",
        ),
        (
            {"total_params_b": "8", "active_params_b": "8"},
            "column 'total_params_b': '8', expected about what models",
        ),
        (
            {"model": "Llama 3.1 75B"} | dict.fromkeys(["total_params_b", "active_params_b"]),
            "(nearest: Llama 3.1 70B",
        ),
        (
            {"model": "llama3.3"} | dict.fromkeys(["total_params_b", "active_params_b"]),
            "(nearest: Llama 3.3 Nemotron Super 49B, Llama 3.1 70B",
        ),
        ({"precision": 8}, "column 'precision': '8', expected a precision such as bf16"),
        (
            {"model": "x", "total_params_b": "30", "active_params_b": "40"},
            "column 'active_params_b': 40, expected at most",
        ),
        (
            {"model": None, "active_params_b": None},
            "column 'active_params_b': '', expected a number, where no model",
        ),
        (
            {"model": "x", "precision": None},
            "column 'precision': '', expected a precision, where the model does not",
        ),
        (
            {"gpu": "Mine", "memory_gib": "80"},
            "or a name with memory_gib, bandwidth_tb_s and peak_bf16_tflops",
        ),
        (
            {"gpu": "RTX PRO 4500"},
            "column 'peak_bf16_tflops': '', expected a number, since none was read for RTX PRO 4500",
        ),
        ({"rated_w": "0"}, "column 'rated_w': '0', expected more than 0"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_said_with_what_was_expected(tool: Predictor, cells: dict, said: str) -> None:
    assert said in message(tool, **cells)


def test_a_row_says_all_of_its_faults_once_and_has_no_numbers_while_others_have(tool: Predictor) -> None:
    wrong = GOOD.replace("H100", "H1000").replace(",4,", ",0,").replace(",32,", ",many,")
    found = tool.predict(table(GOOD, wrong, GOOD))
    assert found["status"].tolist() == [OK, WRONG, OK]
    said = found["message"].iloc[1]
    assert [said.count(f"column '{name}'") for name in ("gpu", "gpus", "concurrency")] == [1, 1, 1]
    assert found.loc[1, NUMBERS].isna().all() and found.loc[[0, 2], "output_tokens_per_s_p50"].notna().all()
    assert found["message"].isna().tolist() == [True, False, True]
    assert found.loc[1, ["gpu", "gpus", "concurrency"]].tolist() == ["H1000", "0", "many"]  # as written
    pd.testing.assert_series_equal(found.loc[0], found.loc[2], check_names=False)


def test_long_values_are_cut(tool: Predictor) -> None:
    assert len(message(tool, gpu="H" * 10_000, concurrency="x" * 10_000)) < 500


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            HEADER.replace("input_tokens", "input_token"),
            "unknown column 'input_token', expected 'input_tokens'",
        ),
        (HEADER.replace("gpus", "GPUS"), "unknown column 'GPUS', expected 'gpus'"),
        (
            HEADER.replace("input_tokens", "input tokens"),
            "unknown column 'input tokens', expected 'input_tokens'",
        ),
        (HEADER.replace("gpu,", "chip,"), "column 'gpu' is missing"),
        (HEADER.replace("concurrency", "flight"), "column 'concurrency' is missing"),
        (HEADER.replace("input_tokens", "gpu_w_p50"), "column 'gpu_w_p50' is added by the prediction"),
        (HEADER.replace("input_tokens", "status"), "column 'status' is added by the prediction"),
        (HEADER.replace("gpus", "gpu"), "column 'gpu' stands twice"),
    ],
)
def test_wrong_columns_are_refused(tool: Predictor, header: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        tool.predict(table(GOOD, header=header))


def test_no_rows_are_refused(tool: Predictor) -> None:
    with pytest.raises(InputError, match="expected at least one"):
        tool.predict(table(GOOD).iloc[:0])


def test_decimal_commas_are_read_where_they_separate_nothing_and_thousands_nowhere(tool: Predictor) -> None:
    rows = one(concurrency="0,5", pue="1,125", output_tokens="303,5", input_tokens="5,1e2")
    rows.attrs[DECIMAL] = ","
    checked = check_rows(rows, tool.known)
    assert not checked.faults.rows.any()
    found = checked.rows.loc[0, ["concurrency", "pue", "output_tokens", "input_tokens"]]
    assert found.tolist() == [0.5, 1.125, 303.5, 510]
    for name, value in (("output_tokens", "1,000"), ("concurrency", "1.000"), ("pue", "1.125")):
        rows = one(**{name: value})
        rows.attrs[DECIMAL] = ","
        message = check_rows(rows, tool.known).faults.message(0)
        assert f"column '{name}': '{value}', expected a number without a separator" in message


def test_numbers_of_spreadsheets_and_texts_are_the_same(tool: Predictor) -> None:
    as_text = check(tool, gpus="4", concurrency="32", input_tokens="511")
    as_number = check(tool, gpus=4, concurrency=32.0, input_tokens=np.int64(511), output_tokens=303)
    pd.testing.assert_frame_equal(as_text.rows, as_number.rows, check_dtype=False)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"engine": "vLLM 99.1"}, "engine_date the present, as no release of 99.1 is known"),
        ({"engine": "vLLM 99.1", "engine_date": "2026"}, ""),
        ({"gpu": "8xH100", "gpus": "4"}, "4 of the 8 accelerators of 8xH100"),
        ({"gpu": "8xH100", "gpus": "8"}, ""),
        ({"laboratory": "InferenceX"}, ""),
        ({"laboratory": "inferencey"}, "laboratory inferencey: none of inferencex"),
    ],
)
def test_what_is_taken_for_words_that_say_too_little_is_said(tool: Predictor, cells: dict, said: str) -> None:
    checked = check(tool, **cells)
    assert not checked.faults.rows.any()
    told = [
        one for one in checked.assumed[0] if one.startswith(("engine_date", "4 of", "8 of", "laboratory"))
    ]
    assert told == ([said] if said else [])
    assert checked.rows.loc[0, "laboratory"] in ("inferencex", "inferencey", None)


@pytest.mark.parametrize("blank", ["", "NA", "n/a", "nan", "null", "None", None, np.nan, "-"])
def test_blanks_of_every_tool_are_filled_and_said(tool: Predictor, blank: object) -> None:
    checked = check(tool, input_tokens=blank, output_tokens=blank, precision=blank, engine=blank)
    assert not checked.faults.rows.any()
    row = checked.rows.loc[0]
    lengths = tool.known.lengths
    assert row[list(lengths)].to_dict() == lengths and row["precision"] == "bf16"
    for said in (
        *(f"{name} {tokens:g}" for name, tokens in lengths.items()),
        "precision bf16",
        "engine any of",
        "site_scenario",
    ):
        assert any(text.startswith(said) for text in checked.assumed[0]), said


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"gpu": "8xH100", "gpus": None}, {"gpu": "H100", "gpus": 8}),
        ({"gpu": "8xH100", "gpus": "4"}, {"gpu": "H100", "gpus": 4}),  # half of a server
        ({"gpu": "p5.48xlarge", "gpus": None}, {"gpu": "H100", "gpus": 8}),
        ({"gpu": "NVIDIA H100 80GB HBM3"}, {"gpu": "H100", "gpus": 4}),
        ({"precision": "bfloat16"}, {"precision": "bf16", "weight_bits": 16}),
        ({"precision": "AWQ"}, {"precision": "w4a16", "weight_bits": 4.25}),
        ({"precision": "auto"}, {"precision": "bf16"}),
        ({"precision": "fp32"}, {"precision": "fp32", "weight_bits": 32}),
        ({"precision": "int3"}, {"precision": "w4a16", "weight_bits": 3.25}),
        ({"precision": "gguf"}, {"precision": "w4a16", "weight_bits": 4.8}),
        ({"gpu": "ND_H100_v5", "gpus": None}, {"gpu": "H100", "gpus": 8}),
        ({"gpu": "p5", "gpus": "4"}, {"gpu": "H100", "gpus": 4}),
        ({"model": "BAAI/bge-m3", "total_params_b": None, "active_params_b": None, "output_tokens": None},
         {"model": "BGE-M3", "output_tokens": 0}),
        ({"model": "Llama-3.1-70B-Instruct-FP8", "precision": None}, {"precision": "fp8"}),
        (
            {"model": "llama3.1:70b-instruct-q4_K_M", "precision": None},
            {"precision": "w4a16", "weight_bits": 4.8},
        ),
        ({"model": "llama3.3:70b"}, {"model": "Llama 3.1 70B", "max_context_tokens": 131072}),
        ({"model": "meta-llama/Meta-Llama-3-70B"}, {"shape": "Llama 3.1 70B", "max_context_tokens": 8192}),
        ({"max_context_tokens": "500"}, {"max_context_tokens": 500}),
        ({"engine": "vllm 0.11.0"}, {"engine": "vLLM", "measured_engine": "vLLM"}),
        ({"engine": "vLLM 0.12.0"}, {"engine": "vLLM", "engine_date": "2025-12-03"}),
        ({"engine": "vllm==0.10.0"}, {"engine_date": "2025-07-25"}),
        ({"engine": "vLLM 0.12.0", "engine_date": "2026"}, {"engine_date": "2026"}),
        ({"engine": "vLLM 99.1"}, {"engine": "vLLM", "engine_date": None}),
        ({"engine": "llama.cpp"}, {"engine": "llama.cpp", "measured_engine": None}),
        ({"engine": "vllm/vllm-openai:v0.12.0"}, {"engine": "vLLM", "engine_date": "2025-12-03"}),
        ({"engine": "unknown"}, {"measured_engine": None}),
        ({"precision": "4-bit"}, {"precision": "w4a16"}),
        ({"precision": "fp8 (e4m3)"}, {"precision": "fp8"}),
        ({"precision": "nvfp4"}, {"precision": "fp4", "weight_bits": 4.5}),
        ({"model": "Qwen/Qwen3-Embedding-8B", "total_params_b": None, "active_params_b": None,
          "output_tokens": None}, {"model": "Qwen3 8B", "output_tokens": 0}),
        ({"gpu": "AMD Instinct MI308X"}, {"gpu": "MI308X"}),
        ({"gpu": "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition"}, {"gpu": "RTX PRO 6000 Max-Q"}),
        ({"engine_date": 2025}, {"engine_date": "2025"}),
        ({"engine_date": "2025-08-31T00:00:00"}, {"engine_date": "2025-08-31"}),
        ({"cache_precision": "fp8_e5m2"}, {"cache_precision": "fp8"}),
        ({"site_scenario": "Google"}, {"site_scenario": "google"}),
        ({"concurrency": "0.3"}, {"concurrency": 0.3}),
        ({"output_tokens": "0"}, {"output_tokens": 0}),
        ({"output_tokens": "613.328"}, {"output_tokens": 613.328}),  # a mean
        ({"output_tokens": "1022.020"}, {"output_tokens": 1022.02}),
    ],
)  # fmt: skip
def test_what_people_write_is_understood(tool: Predictor, cells: dict, expected: dict) -> None:
    checked = check(tool, **cells)
    assert checked.faults.message(0) == ""
    found = {name: checked.rows.loc[0, name] for name in expected}
    assert {name: None if pd.isna(value) else value for name, value in found.items()} == expected


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"precision": "gguf"}, "precision q4_K_M"),
        ({"precision": "marlin"}, "precision int4"),
        ({"precision": "int3"}, "3.25-bit weights multiplied in bf16"),
        ({"precision": "fp32"}, "fp32 at half the rate of bf16"),
        ({"precision": "nvfp4"}, "4.5-bit weights multiplied in bf16"),
        ({"precision": "fp8", "gpu": "A100"}, "8-bit weights multiplied in bf16"),
        ({"precision": None, "model": "llama3.1:70b"}, "precision q4_K_M"),
        ({"precision": None, "engine": "ollama"}, "precision q4_K_M"),
        ({"precision": None, "model": "Llama-3.1-70B-Instruct-Q8_0.gguf"}, "precision 8.5bpw"),
    ],
)
def test_a_precision_that_is_guessed_or_widened_is_said(tool: Predictor, cells: dict, said: str) -> None:
    assert said in check(tool, **cells).assumed[0]


@pytest.mark.parametrize("precision", ["fp8", "awq", "q8_0"])
def test_a_precision_that_says_all_is_no_assumption(tool: Predictor, precision: str) -> None:
    said = " ".join(check(tool, precision=precision).assumed[0])
    assert "precision" not in said and ("bit" in said) == (precision == "q8_0")


def test_an_accelerator_of_ones_own_is_a_row_of_the_hardware(tool: Predictor) -> None:
    own = {"memory_gib": "100", "bandwidth_tb_s": "4", "peak_bf16_tflops": "500", "rated_w": "450"}
    checked = check(tool, gpu="MyChip", **own)
    assert checked.faults.message(0) == ""
    chip = checked.hardware.loc[checked.rows.loc[0, "gpu"]]
    assert [chip[name] for name in own] == [100, 4, 500, 450]
    assert checked.shown().loc[0, "gpu"] == "MyChip"
    assert "link_gb_s 32" in checked.assumed[0]
    capped = check(tool, rated_w="450")  # a known one with another power limit
    chip = capped.hardware.loc[capped.rows.loc[0, "gpu"]]
    assert (chip["rated_w"], chip["bandwidth_tb_s"], chip["generation"]) == (450, 3.35, "Hopper")
    assert check(tool, rated_w="700").rows.loc[0, "gpu"] == "H100"  # what it has anyway changes nothing


def test_what_is_shown_means_the_same_when_it_is_read_again(tool: Predictor) -> None:
    row = {
        "model": "llama3.1:70b",
        "gpu": "NVIDIA H100 80GB HBM3 x 8",
        "precision": None,
        "concurrency": 8,
    }
    words = {"nvfp4": "nvfp4", None: "q4_K_M", "3bit": "3bit"}
    first = tool.predict(pd.DataFrame([{**row, "precision": word} for word in words]))
    assert first["gpu"].tolist() == ["8xH100"] * 3 and first["precision"].tolist() == [*words.values()]
    again = tool.predict(first[list(row)])
    pd.testing.assert_frame_equal(again.drop(columns="assumed"), first.drop(columns="assumed"))


def test_part_of_an_accelerator_has_part_of_all_it_has(tool: Predictor) -> None:
    checked = check(tool, gpu="g6f.4xlarge", gpus=None, model="Llama 3.2 1B", total_params_b=None,
                    active_params_b=None)  # fmt: skip
    assert checked.faults.message(0) == ""
    part, whole = checked.hardware.loc[checked.rows.loc[0, "gpu"]], checked.hardware.loc["L4"]
    for name in ("memory_gib", "bandwidth_tb_s", "peak_bf16_tflops", "rated_w"):
        assert part[name] == pytest.approx(whole[name] / 2)
    assert checked.rows.loc[0, "gpus"] == 1


def test_every_column_is_explained() -> None:
    assert all(column.about for column in INPUTS.values())
