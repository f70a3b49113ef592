import pandas as pd
import pytest

from pipeline.assumptions.factors import Instance
from pipeline.contracts import read_table
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.estimate.factors.evidence import Evidence, Rests, measured_cells, together
from pipeline.estimate.factors.stated import deployment
from pipeline.fit.serving.names import Names
from tests.estimate.factors.parts import PARAMS, measurements, models

NAMES = Names(models())
EVIDENCE = Evidence(measured_cells(measurements(), NAMES), NAMES)
ITEM = PARAMS.factors.classes[0]
OUTPUT = "1000 output tokens"


def rests(requests=(9.0, 64.0), output_tokens=300.0, gpu="H100", basis="measured configuration"):
    one = deployment(ITEM, Instance(gpu=gpu, gpus=1, precisions=["bf16"]), "bf16")
    return EVIDENCE.of(one, basis, requests, output_tokens)


def test_answer_tokens_on_accelerators_at_measured_batches_are_measured():
    assert rests().at("gpu", OUTPUT) == {
        "evidence": "measured",
        "beyond": None,
        "measured_as": "meta-llama/Llama-3.1-8B-Instruct",
    }


@pytest.mark.parametrize(
    ("service", "boundary", "per", "beyond"),
    [
        ({"requests": (1.0, 8.0)}, "gpu", OUTPUT, "batch"),
        ({"requests": (65.0, 512.0)}, "gpu", OUTPUT, "batch"),
        ({"requests": (8.0, 400.0)}, "gpu", OUTPUT, None),  # a mean of 7.98 is the run with 8 in flight
        ({"output_tokens": 1500.0}, "gpu", OUTPUT, "answers"),
        ({}, "gpu", "1000 input tokens", "prompt"),
        ({}, "gpu", "query", "prompt"),
        ({}, "node", OUTPUT, "server"),
        ({}, "facility", OUTPUT, "server; site"),
        ({"requests": (1.0, 8.0), "output_tokens": 1500.0}, "facility", "query",
         "batch; answers; prompt; server; site"),
    ],
)  # fmt: skip
def test_the_tier_goes_by_the_row(service, boundary, per, beyond):
    found = rests(**service).at(boundary, per)
    assert found["beyond"] == beyond
    assert found["evidence"] == ("measured configuration" if beyond else "measured")


def test_what_was_not_measured_is_never_measured():
    found = rests(gpu="A100", basis="same model").at("gpu", OUTPUT)
    assert found == {"evidence": "same model", "beyond": "configuration", "measured_as": None}


def test_only_rows_with_power_of_the_source_count():
    rows = pd.concat(
        [
            measurements(),
            measurements(source="argonne", gpu="A100"),
            measurements(gpu="B200", gpu_w=float("nan")),
        ]
    )
    assert set(measured_cells(rows, NAMES)) == {("Llama 3.1 8B", "H100", 1, "bf16")}


def test_services_together_have_the_weakest_tier():
    parts = [
        Rests("measured configuration", frozenset({"batch"}), "a"),
        Rests("pooled", frozenset({"configuration"}), None),
    ]
    assert together(parts) == Rests("pooled", frozenset({"batch", "configuration"}), None)


def test_measured_configurations_are_those_that_the_serving_model_keeps_to():
    rows = read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS)
    cells = measured_cells(rows, NAMES)
    anchors = pd.read_csv("data/results/serving_model/anchors.csv")
    most = anchors.groupby(["shape_name", "gpu", "gpus", "precision"])["concurrency"].max().to_dict()
    known = {key: cell.most_requests for key, cell in cells.items() if key[0]}
    assert known == pytest.approx(most, rel=1e-5)


def test_the_committed_table_does_not_claim_more_than_was_measured(committed):
    measured = committed[committed["evidence"] == "measured"]
    assert len(measured) > 10
    assert set(measured["boundary"]) == {"gpu"} and set(measured["workload"]) == {"short"}
    assert "1 to 8" not in set(measured["requests_in_flight"])
    others = committed[committed["evidence"] == "measured configuration"]
    small = others[others["requests_in_flight"] == "1 to 8"]
    assert len(small) and small["beyond"].str.contains("batch").all()
    large = others[others["reference_model"] == "DeepSeek-V3"]
    assert len(large) and set(large["measured_as"]) == {"deepseek-ai/DeepSeek-V3.1"}
