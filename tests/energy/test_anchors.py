"""What the estimate says in few numbers, by hand: anchors in their own unit and statistic, parts, rows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read
from pipeline.core.settings import from_params
from pipeline.energy.model.headline import headline, outside_anchors, parts
from tests.energy.serving_stub import StubCost

ANCHORS = pd.read_csv("data/published/anchors.csv").set_index("key")
ITEM = next(one for one in from_params("energy").deployments.models if one.model == "DeepSeek-R1")
QUERIES_WH = np.array([[1.0, 2.0, 9.0]] * 6 + [[2.0, 4.0, 18.0]] * 2)  # of eight samples


class Samples:
    """Eight, in two replicates."""

    replicates = 2

    def __len__(self) -> int:
        return 8


def study() -> Any:
    served = SimpleNamespace(
        queries_wh=lambda boundary, queries: QUERIES_WH,
        mean_energy_wh=lambda boundary, moments: QUERIES_WH.mean(axis=1),
    )
    cases = [
        SimpleNamespace(scenario="production", regime=regime, queries=None,
                        moments=SimpleNamespace(output_tokens=np.full(8, tokens)))
        for regime, tokens in (("short", 500.0), ("long", 2000.0))
    ]  # fmt: skip
    return SimpleNamespace(
        samples=Samples(),
        cases=cases,
        deployments=SimpleNamespace(models=[ITEM], services={"large mixture-of-experts": [ITEM]}),
        service=lambda subject, case: served,
        served=lambda item, case: served,
    )


def found(key: str, model: Any = None, **changes: object) -> pd.Series:
    anchor = ANCHORS.loc[[key]].reset_index().assign(**changes)
    return outside_anchors(anchor, study(), model).iloc[0]


def test_a_rate_is_that_of_the_stated_prompt_answer_and_requests() -> None:
    def model(rows: pd.DataFrame, samples: int) -> StubCost:
        assert rows["concurrency"].tolist() == [32.0]
        assert rows[["input_tokens", "output_tokens"]].to_numpy().tolist() == [[1000.0, 500.0]]
        each = np.ones((1, samples))
        return StubCost(1e-4 * each, 1e-2 * each, 1e-6 * each, each, each, np.ones(1))

    row = found(
        "r1_long_prompts", model, input_tokens=1000.0, output_tokens=500.0, requests=32.0, value=100.0
    )
    seconds = 1e-4 * 1000 + 1e-2 * 500 + 1e-6 * 500 * (1000 + 250)
    assert row["p50"] == pytest.approx(500 / seconds)
    assert row["ours_over_anchor"] == pytest.approx(5 / seconds)
    assert (row["share_below"], row["inside_90"]) == (1.0, "no")


def test_a_query_is_the_median_or_the_mean_as_the_anchor_says() -> None:
    median, mean = found("google_prompt"), found("openai_query")
    assert "median" in ANCHORS.loc["google_prompt", "statistic"]
    assert "mean" in ANCHORS.loc["openai_query", "statistic"]
    # Replicates of 2 2 2 2 and 2 2 4 4 Wh, of which the medians are 2 and 3; means of queries are twice that.
    assert (median["p50"], mean["p50"]) == (2.5, 5.0)
    assert found("google_prompt", value=2.5)["share_below"] == 0.75
    assert found("google_prompt", value=2.5)["inside_90"] == "yes"


def test_per_thousand_tokens_is_the_mean_query_over_its_answer() -> None:
    row = found("deepseek_fleet", regime="short")
    assert row["p50"] == pytest.approx(5.0 / 500 * 1000)


def test_what_was_before_is_kept_beside() -> None:
    row = found("google_prompt", value=0.9, before_p5=0.8, before_p50=0.45, before_p95=1.0)
    assert (row["before_inside_90"], row["before_over_anchor"]) == ("yes", 0.5)
    assert found("google_prompt", before_p50=float("nan"))["before_inside_90"] is None


def test_parts_are_what_each_boundary_adds_over_the_whole() -> None:
    wh = {"gpu": 5.0, "node": 6.0, "facility": np.array([10.0] * 6 + [20.0] * 2)}
    made = study()
    made.samples.pue = np.full(8, 1.25)
    made.service = lambda subject, case: SimpleNamespace(
        queries_wh=lambda boundary, queries: np.broadcast_to(wh[boundary], 8)[:, None] * np.ones(3)
    )
    rows = parts(made).set_index(["regime", "part"])["mean_share"]
    # Of 10 Wh the servers take 8, of 20 they take 16.
    gpu, rest = 0.75 * 0.5 + 0.25 * 0.25, 0.75 * 0.1 + 0.25 * 0.05
    assert rows["short"].tolist() == pytest.approx([gpu, rest, 0.8 - gpu - rest, 0.2])


def test_a_row_of_the_headline_is_of_its_subject_statistic_and_lengths() -> None:
    split, deployments = read("re_estimated"), from_params("energy").deployments
    rows = headline(split, read("energy_per_query"), deployments, dict.fromkeys(deployments.services, "B"))
    keys = ["analysis", "model_class", "regime", "lengths", "statistic"]
    at = rows.set_index(keys)["p50_wh"]
    of = split[split["boundary"] == "facility"].set_index(["variant", "regime", "subject"])
    for subject, name, statistic, column in [
        ("blend", "published blend", "median query of the blend", "median_p50_wh"),
        ("blend", "published blend", "one query", "total_p50_wh"),
        ("small", "small", "mean query of a service", "mean_p50_wh"),
    ]:
        for lengths in ("published", "production"):
            ours = of.loc[(f"{lengths}_lengths", "short", subject), column]
            assert at["re_estimated", name, "short", lengths, statistic] == ours
    assert set(rows.loc[rows["lengths"] == "published", "grade"]) == {"D"}
