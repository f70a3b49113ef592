"""The what-if panel in Chromium: settings, answer, address, and the command that recomputes it."""

import itertools
import json
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline.assumptions.load import PARAMS, load
from pipeline.estimate.what_if.export import GROUPS
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
        float(text.split()[0].replace(",", ""))
        for text in page.locator("#wi-now p:not(.wi-warning) strong").all_inner_texts()
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


def test_levers_say_what_is_assumed(panel):
    page = panel()
    help_text = page.locator("#wi-lever-hardware-help").inner_text()
    assert "Published range 1.5–2.5 times" in help_text and "not estimated here" in help_text
    assert "Oviedo et al." in help_text and "_" not in help_text


@pytest.mark.parametrize(
    ("traffic", "regime", "service"),
    [("production_short", "short", "a chat service"), ("production_long", "long", "a reasoning model")],
)
@pytest.mark.parametrize(("lever", "groups"), GROUPS.items())
def test_named_systems_are_offered_for_the_traffic_they_stand_for(
    panel, traffic, regime, service, lever, groups
):
    page = panel(f"traffic={traffic}")
    rows = pd.read_csv("data/results/lever_systems.csv").query(
        "group in @groups and regime == @regime and basis.str.startswith('fitted model') and load.isna() "
        "and bound.isna()"
    )
    page.locator(f"[data-lever={lever}] summary").click()
    assert service in page.locator(f"[data-lever={lever}] summary").inner_text()
    shown = page.locator(f"[data-lever={lever}] li").all_inner_texts()
    assert [text.partition(":")[0] for text in shown] == rows["system"].tolist()
    page.locator(f"[data-lever={lever}] li button").first.click()
    expected = float(f"{rows['p50'].iloc[0]:.3g}")
    page.wait_for_function(
        "([key, value]) => "
        "JSON.parse(document.getElementById('what-if').dataset.settings).levers[key] === value",
        arg=[lever, expected],
    )


@pytest.mark.parametrize(
    "traffic", ["published_short", "published_long", "fixed&input_tokens=500&output_tokens=300"]
)
def test_other_traffic_has_no_estimates_of_ours(panel, traffic):
    page = panel(f"traffic={traffic}")
    assert page.locator(".wi-lever summary:visible").count() == 0
    assert page.locator("#wi-ours-help").is_visible()


def test_the_answer_warns_of_published_ranges_multiplied(panel):
    page = panel()
    assert page.locator(".wi-warning").count() == 0
    page = panel("&".join(f"levers.{name}=drawn" for name in GROUPS))
    words = page.locator(".wi-warning").inner_text()
    assert "published ranges, assumed" in words and "multiplied as if they did not overlap" in words
    assert "no overlaps counted" in page.locator("#wi-bar").text_content()
    last = (
        pd.read_csv("data/results/lever_combinations.csv")
        .query("regime == 'short' and combination == 'graded' and sequence == 'models first'")
        .iloc[-1]
    )
    assert (
        f"{last['cumulative_p50']:.2g} ({last['cumulative_p5']:.2g}–{last['cumulative_p95']:.2g}) times"
        in words
    )
    assert f"{last['energy_wh_p50']:.2g} (" in words


def test_water_is_named_by_the_basis_of_its_sites(panel):
    page = panel("site=microsoft_today")
    assert "of water consumed" in page.locator("#wi-now").inner_text()
    assert "Water consumed, mL" in page.locator("#wi-water-chart").inner_text()
    page = panel("site=aws_withdrawal")
    told = " ".join(
        page.locator(place).text_content()
        for place in (
            "#wi-now",
            "#wi-bar",
            "#wi-water-chart",
            "#wi-table",
            "#wi-wue_l_per_kwh-help",
            "#wi-site-help",
        )
    )
    assert told.count("withdrawn") > 6
    assert "consumed, not" not in told and "evaporated" not in told
    assert page.locator("#wi-water-chart .wi-base").count() == 0  # consumption is no comparison


def test_water_alone_leaves_the_energy_as_it_was(panel):
    start = panel()
    before, table = headline(start)[0], start.locator("#wi-table tbody tr").nth(2).text_content()
    page = panel("site=us_average&wue_l_per_kwh=0.4")
    assert headline(page)[0] == before
    assert page.locator("#wi-table tbody tr").nth(2).text_content() == table
    assert "The same energy as the re-estimate" in page.locator("#wi-now").inner_text()


def test_the_answer_says_which_pue_it_takes_and_what_that_of_the_sites_does(panel):
    words = panel("site=us_average").locator("#wi-now").inner_text()
    settings_there = settings_of(site="us_average", pue=1.4)
    there = pipeline_answer(settings_there, FEW).loc["facility_energy", "median_p50"]
    found = re.search(r"chosen sites, 1\.40, the energy is ([\d.]+) Wh", words)
    assert found and float(found[1]) == pytest.approx(there, rel=0.03)
    assert "PUE: 1.12, as you set it" in panel("pue=1.12").locator("#wi-now").inner_text()


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
