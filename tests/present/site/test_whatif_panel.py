"""The what-if panel in Chromium: settings, answer, address, and the command that recomputes it."""

import itertools
import json
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline.assumptions.load import PARAMS, load
from tests.present.site.what_if import FEW, pipeline_answer, settings_of

pytestmark = pytest.mark.browser

PAGE = "what-if.html"
ADDRESS = (
    "model=Llama+3.1+405B&traffic=fixed&input_tokens=2000&output_tokens=800&requests=64&utilisation=0.55"
    "&idle_share=0&pue=1.12&site=us_average&wue_l_per_kwh=0.4&levers.hardware=drawn&levers.model=3"
)
CHOSEN = {
    "model": "Llama 3.1 405B",
    "traffic": "fixed",
    "input_tokens": 2000,
    "output_tokens": 800,
    "requests": 64,
    "utilisation": 0.55,
    "idle_share": 0,
    "pue": 1.12,
    "site": "us_average",
    "wue_l_per_kwh": 0.4,
    "levers": {"hardware": "drawn", "model": 3},
}


@pytest.fixture
def panel(visit):
    """The page, once it has answered; an address may follow."""

    def go(address: str = "", **options):
        page = visit(f"{PAGE}#{address}", **options)
        page.wait_for_selector("#wi-now strong")
        return page

    return go


def settings(page):
    return json.loads(page.locator("#what-if").get_attribute("data-settings"))


def changed(page, key, value):
    """Wait until the answer is that of a setting."""
    page.wait_for_function(
        "([key, value]) => JSON.parse(document.getElementById('what-if').dataset.settings)[key] === value",
        arg=[key, value],
    )


def two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def headline(page) -> list[float]:
    return [
        float(text.split()[0].replace(",", "")) for text in page.locator("#wi-now strong").all_inner_texts()
    ]


def test_it_opens_with_the_answer_of_the_pipeline(panel):
    page = panel()
    table = pipeline_answer(settings_of(), FEW)["median_p50"]
    assert headline(page) == [two_digits(table["facility_energy"]), two_digits(table["total_water"])]
    assert settings(page) == settings_of().model_dump()
    assert page.locator("#wi-command").inner_text() == "dvc repro estimate_what_if"
    assert page.url.endswith(PAGE) or page.url.endswith(f"{PAGE}#")


def test_an_address_brings_back_its_setting(panel):
    page = panel(ADDRESS)
    expected = settings_of(**CHOSEN)
    assert settings(page) == expected.model_dump()
    table = pipeline_answer(expected, FEW)["median_p50"]
    assert headline(page) == pytest.approx([table["facility_energy"], table["total_water"]], rel=0.06)
    assert page.get_by_label("Prompt", exact=False).first.input_value()
    page.reload()
    page.wait_for_selector("#wi-now strong")
    assert settings(page) == expected.model_dump()


@pytest.mark.parametrize(
    "address", ["", ADDRESS, "levers.routing=2.5&electricity_l_per_kwh=0", "requests=1.5"]
)
def test_the_command_sets_exactly_what_the_panel_has(panel, tmp_path: Path, address):
    page = panel(address)
    words = shlex.split(page.locator("#wi-command").inner_text().replace("\\\n", " "))
    assert words[0] == "dvc" and words[-1] in YAML(typ="safe").load(Path("dvc.yaml"))["stages"]
    given = [word for flag, word in itertools.pairwise(words) if flag == "-S"]
    assert len(words) == (3 + 2 * len(given) + 1 if given else 3)
    path = tmp_path / PARAMS.name
    shutil.copy(PARAMS, path)
    for name, overrides in to_path_overrides(given).items():
        assert name == PARAMS.name
        apply_overrides(path, overrides)
    assert load("scenario.what_if", path=path).model_dump() == settings(page)
    before, after = (YAML(typ="safe").load(file) for file in (PARAMS, path))
    before["scenario"].pop("what_if"), after["scenario"].pop("what_if")
    assert before == after


def test_a_slider_fixes_what_was_not_known_and_the_box_frees_it(panel):
    page = panel()
    unknown = page.locator("[data-key=pue] .wi-unknown input")
    assert unknown.is_checked() and page.locator("#wi-pue").input_value() == ""
    page.get_by_label("PUE, slider").focus()
    before = headline(page)[0]
    page.keyboard.press("End")
    changed(page, "pue", 2)
    assert not unknown.is_checked()
    assert page.locator("#wi-pue").input_value() == "2"
    assert headline(page)[0] > before
    assert "pue=2" in page.url
    assert "-S scenario.what_if.pue=2" in page.locator("#wi-command").inner_text()
    unknown.check()
    changed(page, "pue", None)
    assert headline(page)[0] == before


def test_larger_batches_take_less_and_longer_answers_more(panel):
    page = panel("model=Llama+3.1+70B&traffic=fixed&input_tokens=500&output_tokens=300&requests=4")
    energies = [headline(page)[0]]
    page.locator("#wi-requests").fill("64")
    changed(page, "requests", 64)
    energies.append(headline(page)[0])
    page.locator("#wi-output_tokens").fill("3000")
    changed(page, "output_tokens", 3000)
    energies.append(headline(page)[0])
    assert energies[1] < energies[0] / 4 and energies[2] > energies[1] * 5


def test_levers_divide(panel):
    page = panel("model=DeepSeek-R1")
    before = headline(page)
    page.get_by_label("Gain of: Better serving").select_option("number")
    page.get_by_label("Better serving, gain", exact=True).fill("10")
    page.wait_for_function(
        "JSON.parse(document.getElementById('what-if').dataset.settings).levers.serving === 10"
    )
    assert headline(page) == pytest.approx([value / 10 for value in before], rel=0.03)


def test_levers_say_what_is_assumed_and_what_is_estimated(panel):
    page = panel()
    help_text = page.locator("#wi-lever-hardware-help").inner_text()
    assert "Published range 1.5–2.5 times" in help_text and "not estimated here" in help_text
    chain = pd.read_csv("data/results/lever_combinations.csv").query(
        "regime == 'short' and combination == 'overlap' and sequence == 'models first' and group == 'serving'"
    )
    page.locator("[data-lever=serving] summary").click()
    shown = page.locator("[data-lever=serving] li").all_inner_texts()
    assert [text.partition(":")[0] for text in shown] == chain["lever"].tolist()
    assert page.locator("[data-lever=model] details").count() == 0


def test_a_number_that_cannot_be_used_is_named_and_not_computed(panel):
    page = panel()
    before = page.locator("#wi-now").inner_text()
    page.locator("#wi-requests").fill("5000")
    page.get_by_text("Expected a number from 1 to 2,048.").wait_for()
    assert page.locator("#wi-requests").get_attribute("aria-invalid") == "true"
    assert page.locator("#wi-stale").is_visible()
    assert page.locator("#wi-now").inner_text() == before
    page.locator("#wi-requests").fill("500")
    changed(page, "requests", 500)
    assert not page.locator("#wi-stale").is_visible()


def test_reset_goes_back_to_the_re_estimate(panel):
    page = panel(ADDRESS)
    page.get_by_role("button", name="Back to the re-estimate").click()
    changed(page, "requests", None)
    assert settings(page) == settings_of().model_dump()
    assert "#" not in page.url
    assert page.get_by_text("This is the re-estimate as it stands.").is_visible()


def test_what_an_address_cannot_have_is_left_as_it_was(panel):
    page = panel("model=Moon&pue=fast&levers.model=0.2&site=nowhere&requests=16")
    assert settings(page) == settings_of(requests=16).model_dump()


def test_bands_and_table_say_the_same(panel):
    page = panel("traffic=production_long")
    drawn = page.locator("#wi-energy-chart svg").get_attribute("aria-label")
    page.get_by_text("The numbers").click()
    cells = page.locator("#wi-table tbody tr").nth(2).locator("td").first.inner_text()
    low_to_high = cells.partition("(")[2].rstrip(")")
    assert low_to_high in drawn.rsplit("All, with idle and cooling", 1)[1]
    low, high = (float(end.replace(",", "")) for end in low_to_high.split("–"))
    assert low < headline(page)[0] < high


def test_copying_is_confirmed(panel):
    page = panel(ADDRESS)
    page.get_by_role("button", name="Copy command").click()
    page.get_by_text("Command copied.").wait_for()


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(panel):
    page = panel("traffic=fixed&input_tokens=500&output_tokens=300&levers.model=2")
    controls = page.locator("#what-if :is(input, select, button, summary, pre)").all()
    visible = [control for control in controls if control.is_visible()]
    page.locator("#wi-model").focus()
    reached = 1
    for _ in range(80):
        page.keyboard.press("Tab")
        inside = page.evaluate("Boolean(document.activeElement.closest('#what-if'))")
        if not inside:
            break
        reached += page.evaluate("document.activeElement.matches('input, select, button, summary, pre')")
    assert reached == len(visible)


def test_on_a_phone_the_answer_stays_in_sight(panel):
    page = panel("model=DeepSeek-R1", viewport={"width": 360, "height": 740})
    page.evaluate("document.getElementById('wi-pue').scrollIntoView()")
    box = page.locator("#wi-bar").bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] <= 740.5
    assert str(headline(page)[0]) in page.locator("#wi-bar").inner_text()
