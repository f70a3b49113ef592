"""The site in Chromium, from disk."""

import re
from pathlib import Path

import jupytext
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from pipeline.present.notebook import as_html
from pipeline.present.site.pages import PAGES

pytestmark = pytest.mark.browser

PHONES = [{"width": 360, "height": 740}, {"width": 390, "height": 844}]
NAMES = [page.file for page in PAGES]
TABLE = "tables/data-results-bridge.html"
LEVERED = "what-if.html#levers.hardware=drawn&levers.model=3"
# Without `preload: False` axe asks for the style sheet again, which a page from disk may not.
AXE = {"preload": False, "resultTypes": ["violations"]}
RULES = {  # of a scheme: in the dark one all but the contrast is as in the light one
    "light": {},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}


def shown(page: Page) -> int:
    return page.locator("#claims tbody tr:visible").count()


def violations(page: Page, scheme: str) -> list[tuple[str, str]]:
    found = Axe().run(page, options=AXE | RULES[scheme]).response["violations"]
    return [(item["id"], item["nodes"][0]["html"]) for item in found]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*NAMES, TABLE, LEVERED])
def test_no_violation_of_accessibility(visit, name, scheme, width):
    page = visit(name, scheme=scheme, viewport={"width": width, "height": 800})
    for details in page.locator("details").all()[:3]:
        details.locator("summary").click()
    assert violations(page, scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notebook_has_no_violation_and_a_way_back(visit, site, scheme):
    (site / "notebooks/plain.html").write_text(as_html(jupytext.read("notebooks/04_energy.py")), "utf-8")
    page = visit("notebooks/plain.html", scheme=scheme)
    assert violations(page, "light") == []
    page.get_by_role("link", name="perquery").click()
    assert page.url.endswith("index.html")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_start_page_with_all_it_loads_is_light(visit, site, width):
    page = visit("index.html", viewport={"width": width, "height": 800})
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    page.reload(wait_until="networkidle")
    files = {site / url.removeprefix(f"{site.as_uri()}/") for url in loaded}
    assert len(files) > 3 and sum(file.stat().st_size for file in files) < 300_000


SHIFTED = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value; }))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(sum), 400);
})"""


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_while_a_page_loads(visit, site, width):
    page = visit("index.html", viewport={"width": width, "height": 800})
    moved = {}
    for name in [*NAMES, TABLE]:
        page.goto(f"{site.as_uri()}/{name}")
        moved[name] = page.evaluate(SHIFTED)
    assert {name: shift for name, shift in moved.items() if shift > 0.01} == {}


@pytest.mark.parametrize("phone", PHONES, ids=str)
def test_a_phone_scrolls_no_page_sideways(visit, site, phone):
    page = visit("index.html", viewport=phone)
    widths = {}
    for name in [*NAMES, TABLE]:
        page.goto(f"{site.as_uri()}/{name}")
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert max(widths.values()) <= phone["width"], widths


# What is focused, and whether it or what stands around it is outlined; "end" behind the last one.
FOCUSED = """() => {
  const at = document.activeElement, drawn = at.closest('.chip') ?? at, style = getComputedStyle(drawn);
  if (at === document.body) return 'end';
  const box = drawn.getBoundingClientRect(), seen = box.width > 0 && box.height > 0;
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return seen && outlined ? 'seen' : at.outerHTML.slice(0, 120);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*NAMES, TABLE])
def test_the_focus_is_seen_wherever_the_keyboard_goes(visit, name, scheme):
    page = visit(name, scheme=scheme)
    found = []
    for _ in range(60):
        page.keyboard.press("Tab")
        found.append(page.evaluate(FOCUSED))
        if found[-1] == "end":
            break
    assert "seen" in found
    assert set(found) <= {"seen", "end"}


def test_a_figure_takes_the_width_that_is_free(visit):
    page = visit("figures.html")
    free = page.locator("main").evaluate(
        "(main) => main.clientWidth - 2 * parseFloat(getComputedStyle(main).paddingLeft)"
    )
    widths = page.locator(".double .card:not(.panels)").evaluate_all(
        "(cards) => cards.map((card) => card.offsetWidth)"
    )
    assert widths and min(widths) > 0.99 * free
    images = page.locator(".double .card:not(.panels) img").evaluate_all(
        "(all) => all.map((image) => image.offsetWidth)"
    )
    assert min(images) > 0.95 * free
    sizes = page.locator(".single .card:not(.panels) img").evaluate_all(
        "(all) => all.map((image) => image.offsetWidth)"
    )
    assert min(sizes) > 0.45 * free
    panels = visit("figures.html", viewport={"width": 360, "height": 740}).locator(".panels img")
    assert panels.evaluate_all("(all) => all.every((image) => image.offsetWidth > 0)")
    assert not panels.first.evaluate("(image) => image.closest('figure').querySelector('.whole').offsetWidth")


@pytest.mark.parametrize("width", [360, 640, 1280])
def test_the_pictures_of_the_brief_can_be_read_at_any_width(visit, width):
    page = visit("brief.html", viewport={"width": width, "height": 740})
    sizes = page.locator(".shot :is(h2, h3, .what, .figures, .unit, .axis i, th, td):visible").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert len(sizes) > 30
    assert min(sizes) >= 12
    wide = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML)"
    assert page.locator(".shot, .shot .panel").evaluate_all(wide) == []


def test_every_picture_is_drawn(visit):
    page = visit("figures.html")
    # Not `wait_for_function`: it asks again by `eval`, which the policy of the page forbids.
    page.evaluate("""Promise.allSettled([...document.images].map((image) => {
      image.loading = 'eager';
      return image.decode();
    }))""")
    broken = "[...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)"
    assert page.evaluate(broken) == []
    assert page.evaluate("document.fonts.check('1rem Roboto')")


def test_claims_are_filtered_by_verdict_and_by_words(visit, claims_of):
    page = visit("claims.html")
    everything = sum(claims_of.values())
    assert shown(page) == everything
    page.get_by_label("exact").uncheck()
    assert shown(page) == everything - claims_of["exact"]
    status = page.get_by_role("status")
    assert status.inner_text() == f"{everything - claims_of['exact']} of {everything} claims shown"
    page.get_by_label("Search in claims").fill("cooling WATER")
    assert shown(page) == 1
    assert "search=cooling" in page.url
    page.reload()
    assert shown(page) == 1
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#claims tbody tr[hidden]")).to_have_count(0)
    assert shown(page) == everything


def test_search_finds_rows_that_the_page_of_a_long_table_does_not_show(visit):
    page = visit("tables/data-results-factors-factors.html")
    table = pd.read_csv("data/results/factors/factors.csv", dtype=str, keep_default_na=False)
    fit = table[(table["gpu"] == "Maia 200") & (table["site"] == "world_average")]
    rows = page.locator("#rows tbody tr:visible")
    status = page.get_by_role("status")
    assert rows.count() == 200 < fit.index[0]
    assert status.inner_text() == f"200 of {len(table)} rows shown"
    page.get_by_label("Search in all rows").fill("maia world_average")
    assert rows.count() == len(fit)
    assert status.inner_text() == f"{len(fit)} of {len(table)} rows shown"
    assert rows.first.locator("td").all_inner_texts() == fit.iloc[0].tolist()
    page.get_by_label("Search in all rows").fill("facility")
    assert rows.count() == 200 and "rows that fit" in status.inner_text()
    page.get_by_role("button", name="Show all").click()
    expect(status).to_have_text(re.compile("^200 of"))


def test_a_count_on_the_start_page_leads_to_its_claims(visit, claims_of):
    page = visit("index.html")
    page.get_by_role("link", name="differs").click()
    expect(page.locator("#claims tbody tr:visible")).to_have_count(claims_of["differs"])


def test_tables_are_searched(visit):
    page = visit("tables.html")
    page.get_by_label("Search in names").fill("bridge")
    assert page.locator("#tables li:visible").count() == 1
    assert page.locator("#tables h2:visible").count() == 1


def test_the_keyboard_reaches_the_content_and_the_filters(visit, claims_of):
    page = visit("claims.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "exact"
    outline = "getComputedStyle(document.activeElement.closest('.chip')).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("Space")
    assert shown(page) == sum(claims_of.values()) - claims_of["exact"]
    for _ in claims_of:
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "search"


def test_without_script_every_claim_is_there(browser, site, claims_of):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/claims.html")
    assert shown(page) == sum(claims_of.values())
    assert not page.locator(".filters").is_visible()
    context.close()


def test_the_brief_prints_on_one_page(visit, tmp_path: Path):
    page = visit("brief.html", scheme="dark")
    page.pdf(path=str(tmp_path / "brief.pdf"), prefer_css_page_size=True, print_background=True)
    assert len(PdfReader(tmp_path / "brief.pdf").pages) == 1
