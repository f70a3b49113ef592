import numpy as np
import pandas as pd
import pytest

from pipeline.energy.model.cost_curves import Terms
from pipeline.energy.model.query_energy import Served
from pipeline.energy.model.samples import Moments
from pipeline.factors.model.contract import VALUES
from pipeline.factors.model.services import deployment
from pipeline.factors.model.settings import Instance
from pipeline.factors.model.values import Evidence, Rests, energies, mean_of, measured_cells, one_of, together
from pipeline.ingest.names import Names
from tests.factors.parts import NAMING, PARAMS, measurements, models


def test_tokens_make_up_the_query_exactly():
    parts = Terms(*(np.array([value]) for value in (1e-4, 2e-3, 3e-7, 1e-5, 3600.0)))
    rng = np.random.default_rng(3)
    input_tokens, output_tokens = rng.integers(1, 4000, (2, 1, 50)).astype(float)
    moments = Moments.of(input_tokens, output_tokens)
    per = energies(Served(parts, {"gpu": parts.gpu_w}), moments)["gpu"]
    whole = (
        moments.input_tokens * per["1000 input tokens"] + moments.output_tokens * per["1000 output tokens"]
    )
    seconds = parts.seconds(input_tokens, output_tokens)
    assert per["query"] == pytest.approx(whole / 1000, rel=1e-12)
    assert per["query"] == pytest.approx(seconds.mean(axis=1), rel=1e-12)  # 3600 W: a second is a Wh


def test_services_together_take_the_mean_or_one_of_them():
    first, second = ({"gpu": {"query": np.array(wh)}} for wh in ([1.0, 2.0], [3.0, 8.0]))
    assert mean_of([first, second])["gpu"]["query"].tolist() == [2.0, 5.0]
    assert one_of([first, second], np.array([1, 0]))["gpu"]["query"].tolist() == [3.0, 2.0]


@pytest.mark.parametrize("load", ["as in production", "as stated"])
def test_water_is_that_of_the_site(found, load):
    at = found[(found["per"] == "query") & (found["load"] == load)].set_index("site")
    assert at.loc["dry", ["p5_onsite_ml", "p95_onsite_ml"]].eq(0).all(axis=None)
    assert at.loc["any site", "p50_total_ml"].isna().all()
    assert at.loc["wet", "p50_onsite_ml"].gt(0).all()
    # PUE 1.5 against 1.1, all else the same
    assert at.loc["dry", "p50_wh"].to_numpy() / at.loc["wet", "p50_wh"].to_numpy() == pytest.approx(1.5 / 1.1)


def test_the_committed_table_has_water_at_every_site_and_a_title(committed):
    at_site = (committed["boundary"] == "facility") & (committed["site"] != "any site")
    for unit in VALUES:
        assert committed.loc[at_site, f"p50_{unit}"].notna().all()
    assert (committed["site_title"] != committed["site"]).all()


NAMES = Names.of(models())
EVIDENCE = Evidence(measured_cells(measurements(), NAMES), NAMES)
ITEM = PARAMS["factors"].classes[0]
OUTPUT = "1000 output tokens"


def rests(requests=(9.0, 64.0), output_tokens=300.0, gpu="H100", basis="measured configuration"):
    one = deployment(ITEM, Instance(gpu=gpu, gpus=1, precisions=["bf16"]), "bf16", NAMING)
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
            measurements(checks="saturated", gpu="A100"),
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


def test_measured_configurations_are_those_that_the_serving_model_keeps_to(serving_measurements):
    cells = measured_cells(serving_measurements, NAMES)
    support = pd.read_csv("data/results/serving_model/support.csv", keep_default_na=False)
    chat = support[support["laboratory"] == "mlenergy"]
    most = chat.groupby(["model", "gpu", "gpus"])["concurrency"].max().to_dict()
    known = {key[:3]: cell.most_requests for key, cell in cells.items() if key[0]}
    assert set(known) <= set(most)
    # Two measured batches are larger than the memory rule of the model lets in.
    assert all(known[key] <= most[key] * 1.7 for key in known)


def test_the_committed_table_does_not_claim_more_than_was_measured(committed):
    """A factor names no laboratory, so none rests on a measurement of the very service."""
    assert set(committed["evidence"]) <= {"same model", "pooled", "extrapolated"}
    assert (committed["evidence"] == "same model").any()
