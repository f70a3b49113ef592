"""The what-if page answers as `python -m pipeline.predict` does, and says what it cannot answer."""

import numpy as np
import pandas as pd
import pytest

from pipeline.deployment.model.contract import OK
from pipeline.predict import predictor
from tests.present.site.what_if import made

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = "what-if.html"
ASK = """(all) => {
  const found = new WhatIf(JSON.parse(document.getElementById('whatif-data').textContent));
  return all.map((one) => found.answer(one));
}"""
COLUMNS = {
    "batch": "concurrency",
    "input": "input_tokens",
    "cached": "cached_input_tokens",
    "output": "output_tokens",
}
COUNT = 120
# Tolerance, and the share within it: where measurements end predictions jump, and the page cannot follow all.
WITHIN = {"p50": (0.03, 0.95), "p5": (0.08, 0.95), "p95": (0.08, 0.98)}


def random_loads() -> list[dict[str, object]]:
    """Loads as services have them, on the configurations of the page."""
    rng = np.random.default_rng(11)
    configurations = pd.DataFrame(made()["configurations"])
    some = configurations.sample(COUNT, replace=True, random_state=11).to_dict("records")
    prompts = np.round(np.exp(rng.uniform(np.log(100), np.log(12_000), COUNT)))
    return [
        {
            **one,
            "batch": float(np.round(np.exp(rng.uniform(0, np.log(256))))),
            "input": float(prompt),
            "cached": float(np.round(prompt * rng.choice([0, 0, 0.5, 0.9]))),
            "output": float(np.round(np.exp(rng.uniform(np.log(60), np.log(4000))))),
            "site": next(iter(made()["sites"])),
            "pue": None,
            "wue": None,
            "grid": None,
        }
        for one, prompt in zip(some, prompts, strict=True)
    ]


@pytest.fixture(scope="module")
def loads() -> list[dict[str, object]]:
    return random_loads()


@pytest.fixture(scope="module")
def predicted(loads) -> pd.DataFrame:
    rows = pd.DataFrame(loads).rename(columns=COLUMNS).rename(columns={"site": "site_scenario"})
    return predictor().predict(rows.drop(columns=["pue", "wue", "grid"]))


# The command pairs each draw of a service with one of a site, the page each with each: of water, in which
# sites differ tenfold, the median of so few pairs has a Monte Carlo error of two to three per cent.
@pytest.mark.parametrize(
    ("quantity", "column", "wider"), [("facility", "facility_wh", 1), ("water", "total_ml", 2)]
)
def test_the_page_answers_as_the_command_on_random_loads(
    visit, loads, predicted, quantity, column, wider
) -> None:
    answers = visit(PAGE).evaluate(ASK, loads)
    good = (predicted["status"] == OK).to_numpy()
    assert good.mean() > 0.9
    for name, (tolerance, share) in WITHIN.items():
        theirs = predicted[f"{column}_per_query_{name}"].to_numpy(float)[good]
        ours = np.array([one[quantity][name] for one in answers])[good]
        off = np.abs(ours / theirs - 1) / wider
        assert np.mean(off < tolerance) >= share, f"{name}: {np.mean(off < tolerance):.2f}"
        assert np.median(off) < tolerance / 2


def test_the_page_says_how_near_it_comes(visit) -> None:
    said = visit(PAGE).locator("#wi-errors").text_content()
    for name, (tolerance, share) in WITHIN.items():
        stated = made()["errors"][name]
        assert stated["tolerance"] == tolerance and stated["share"] >= share
        assert f"{name.upper()} within {100 * tolerance:.0f} %" in said


def test_a_use_fills_in_the_settings_and_the_address_brings_them_back(visit) -> None:
    page = visit(PAGE)
    page.get_by_role("button", name="Reasoning API").click()
    said = page.locator("#wi-now").inner_text()
    assert "Wh a query, 90 % interval" in said
    again = visit(f"{PAGE}#{page.url.split('#')[1]}")
    assert again.locator("#wi-now").inner_text() == said
    assert "DeepSeek-V3" in again.locator("#wi-command").inner_text()


def test_measures_together_come_first_and_are_no_product(visit) -> None:
    page = visit(PAGE)
    first = page.locator("#wi-measures tr").first.inner_text()
    assert "overlaps counted" in first
    together = made()["together"]["short"]["p50"]
    assert f"{together:.2g}" in first


def test_what_cannot_be_answered_is_said_at_its_field(visit) -> None:
    page = visit(PAGE)
    before = page.locator("#wi-now").inner_text()
    page.locator("#wi-cached").fill("99999")
    assert page.locator("#wi-cached-wrong").inner_text()
    assert page.locator("#wi-stale").is_visible()
    assert page.locator("#wi-now").inner_text() == before


def test_what_one_knows_of_a_site_replaces_its_draws(visit, loads) -> None:
    one = loads[0] | {"pue": 1.0, "wue": 0.0, "grid": 2.0}
    found = visit(PAGE).evaluate(ASK, [one])[0]
    assert found["facility"]["p50"] == pytest.approx(found["node"]["p50"])
    assert found["water"]["p50"] == pytest.approx(2 * found["node"]["p50"])


def test_the_answer_stands_above_the_settings_on_a_phone(visit) -> None:
    page = visit(PAGE, viewport={"width": 360, "height": 740})
    answer, form = (page.locator(name).bounding_box() for name in ("#wi-now", "#wi-form"))
    assert answer["y"] < 740 < form["y"]
