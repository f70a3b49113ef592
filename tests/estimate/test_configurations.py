"""What a table of configurations may not hold is refused with its row, column and value."""

import pytest

from pipeline.errors import InputError
from pipeline.predict import predictions
from tests.test_predict import GOOD, HEADER, table

BAD = [
    (GOOD.replace("H100", "H1000"), "column 'gpu': 'H1000', expected one of A100, .*B200"),
    (GOOD.replace("H100", ""), "column 'gpu': '', expected one of"),
    (GOOD.replace("bf16", "int3"), "column 'precision': 'int3', expected one of fp4, fp8, bf16"),
    (GOOD.replace(",4,", ",2.5,"), "column 'gpus': 2.5, expected a whole number"),
    (GOOD.replace(",4,", ",0,"), "column 'gpus': '0', expected more than zero"),
    (GOOD.replace(",4,", ",,"), "column 'gpus': '', expected a number, not a blank"),
    (GOOD.replace(",32,", ",nan,"), "column 'concurrency': '', expected a number, not a blank"),
    (GOOD.replace(",32,", ",inf,"), "column 'concurrency': 'inf', expected a number"),
    (GOOD.replace(",32,", ",many,"), "column 'concurrency': 'many', expected a number"),
    (GOOD.replace(",32,", ",0.5,"), "column 'concurrency': 0.5, expected at least 1"),
    (GOOD.replace(",511,", ",-5,"), "column 'input_tokens': '-5', expected more than zero"),
    (GOOD.replace(",303", ",0"), "column 'output_tokens': '0', expected more than zero"),
    (GOOD.replace(",303", ",0.5"), "column 'output_tokens': 0.5, expected at least 1 token"),
    (
        "Llama 3.1 405B,,,H100,1,bf16,8,511,303",
        "column 'gpus': 1.0, expected accelerators that hold the weights",
    ),
    ("Llama 3.1 405B,8,8,H100,8,fp8,8,511,303", "column 'total_params_b': 8.0, expected about the number"),
    ("Mystery 9,30,40,H100,4,bf16,32,511,303", "column 'active_params_b': 40.0, expected at most"),
    ("Mystery 9,,,H100,4,bf16,32,511,303", "column 'total_params_b': '', expected a number, because"),
    (",30,,H100,4,bf16,32,511,303", "column 'active_params_b': '', expected a number, because"),
]


@pytest.mark.parametrize(("line", "message"), BAD)
def test_a_wrong_value_is_refused_with_its_row(line: str, message: str) -> None:
    with pytest.raises(InputError, match=r"row 3, " + message):
        predictions(table(GOOD, line))


def test_a_wrong_engine_is_refused() -> None:
    with pytest.raises(InputError, match="column 'engine': 'sglang', expected one of vLLM, TensorRT-LLM"):
        predictions(table(GOOD + ",sglang", header=HEADER + ",engine"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            HEADER.replace("input_tokens", "input_token"),
            "unknown column 'input_token', expected 'input_tokens'",
        ),
        (HEADER.replace("gpus", "GPUS"), "unknown column 'GPUS', expected 'gpus'"),
        (HEADER.replace("gpus", "n"), "column 'gpus' is missing"),
        (HEADER.replace("input_tokens", "gpu_w_p50"), "column 'gpu_w_p50' is added by the prediction"),
        (HEADER.replace("gpus", "gpu"), "column 'gpu' stands twice"),
    ],
)
def test_wrong_columns_are_refused(header: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        predictions(table(GOOD, header=header))


def test_missing_columns_and_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match="column 'concurrency' is missing"):
        predictions(table(GOOD).drop(columns="concurrency"))
    with pytest.raises(InputError, match="expected at least one configuration"):
        predictions(table(GOOD).iloc[:0])
