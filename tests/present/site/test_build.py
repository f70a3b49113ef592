"""The site as files: nothing is missing, nothing is fetched, every number is a result."""

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.files import read_json
from pipeline.core.read import read_table
from pipeline.present.figures import ALL
from pipeline.present.site import findings
from pipeline.present.site.build import NUMBERS, build
from pipeline.present.site.pages import FOLDER, significant
from pipeline.present.site.pictures import EMPTY
from pipeline.report.contract import LEDGER
from pipeline.stages import site
from tests.present.prose import NAMES
from tests.present.site.html import parse

TEMPLATES = sorted((FOLDER / "templates").glob("*.j2"))


@pytest.fixture(scope="module")
def parsed(pages):
    return {name: parse(text) for name, text in pages.items()}


def targets(name, addresses):
    """Local targets of a page as (file in the site, id in it)."""
    for address in addresses:
        if not re.match(r"https?:", address):
            path, _, anchor = address.partition("#")
            yield (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path))) if path else name,
                anchor,
            )


def test_every_link_and_every_image_leads_somewhere(parsed, files):
    seen = 0
    for name, page in parsed.items():
        for file, anchor in targets(name, page.links + page.loaded):
            assert file in files, f"{name} leads to {file}, which is not in the site"
            if anchor and "=" not in anchor:
                assert anchor in parsed[file].ids, f"{name} leads to {file}#{anchor}, which is not there"
            seen += 1
    assert seen > 1000


def test_every_file_of_the_site_can_be_reached(parsed, files):
    reached = {file for name, page in parsed.items() for file, _ in targets(name, page.links + page.loaded)}
    from_styles = {name for name in files if name.startswith("fonts/") and name.endswith(".ttf")}
    assert set(files) - reached - from_styles == set()


def test_every_page_forbids_what_it_does_not_need(pages):
    for name, text in pages.items():
        if not name.startswith("notebooks/"):
            policy = re.search('Content-Security-Policy" content="([^"]+)"', text)
            assert policy and policy[1].startswith("default-src 'none'; script-src 'self' file:;"), name


def test_nothing_is_loaded_from_a_network(parsed, files):
    for name, page in parsed.items():
        assert not [address for address in page.loaded if re.match(r"(https?:)?//", address)], name
    for name in ("assets/site.css", "assets/site.js"):
        text = files[name].read_text(encoding="utf-8")
        assert not re.search(r"https?:|@import|fetch\(|XMLHttpRequest", text)
    for name in (name for name in files if name.endswith(".svg") and name.startswith("figures/")):
        text = files[name].read_text(encoding="utf-8")
        assert not re.search(r"""(?:xlink:)?href=["']https?:|url\(["']?https?:|@import""", text), name


def test_pages_are_well_formed(parsed):
    for name, page in parsed.items():
        assert page.unclosed == [], name
        assert len(page.ids) == len(set(page.ids)), f"{name}: an id stands twice"
        assert all(alt.strip() for alt in page.images.values()), name


def test_every_figure_of_the_catalogue_stands_with_its_words_and_data(parsed, files):
    page = parsed["figures.html"]
    for entry in ALL:
        about = read_json(f"figures/{entry.name}.json")
        assert page.images[f"figures/{entry.name}.svg"] == about["alt"]
        assert " ".join(about["caption"].split()) in page.words
        assert about["title"] in page.words
        for suffix in ("svg", "pdf", "json"):
            assert f"figures/{entry.name}.{suffix}" in page.links
        for given in about["inputs"]:
            assert f"files/{given['path']}".replace(".parquet", ".csv") in page.links
            assert given["path"] in page.words
    assert len(page.images) == len(ALL)


def test_panels_of_phones_are_cut_from_the_picture_that_says_in_words_what_it_shows(parsed):
    page, before = parsed["figures.html"], ""
    assert page.panels
    for picture, words in page.panels:
        assert words == ("" if picture == before else page.images[picture])
        before = picture


def test_a_histogram_in_parquet_is_handed_on_as_text(files):
    assert files["files/build/results/energy_histograms.csv"] == "low,count\n0.1,3\n0.2,4\n"


@pytest.mark.parametrize("folder", ["paper/tables", "data/results", "data/published"])
def test_every_table_has_a_page_with_its_columns_and_its_file(parsed, files, folder):
    paths = sorted(Path(folder).rglob("*.csv"))
    assert paths
    for path in paths:
        name = f"tables/{path.as_posix().removesuffix('.csv').replace('/', '-').replace('_', '-')}.html"
        page = parsed[name]
        assert all(column in page.words for column in pd.read_csv(path, nrows=0).columns)
        assert f"../files/{path.as_posix()}" in page.links
        assert files[f"files/{path.as_posix()}"].read_bytes() == path.read_bytes()


def test_the_headline_is_the_results(parsed):
    """Read here from the tables, not through the keys that the site uses."""
    words = parsed["index.html"].words
    table = pd.read_csv("data/results/re_estimated.csv").set_index(
        ["variant", "regime", "subject", "boundary"]
    )
    service = "large mixture-of-experts"
    chat, reasoning = (
        table.loc[("production_lengths", one, service, "facility")] for one in ("short", "long")
    )
    low, middle, high = (significant(chat[f"median_{p}_wh"]) for p in ("p5", "p50", "p95"))
    subject, ends = "A chat query to a large mixture-of-experts model", f"it could be {low} or {high}."
    assert f"{subject} takes about {middle} Wh. Seen from outside, {ends}" in words
    assert f"{significant(reasoning['median_p50_wh'])} Wh" in words
    for variant, regime in [("published_lengths", "short"), ("production_lengths", "long")]:
        row = table.loc[(variant, regime, "blend", "facility")]
        low, middle, high = (significant(row[f"median_{p}_wh"]) for p in ("p5", "p50", "p95"))
        assert f"{middle} ({low}–{high})" in words


def test_the_headline_follows_the_results(project, tmp_path):
    """Another result gives another page."""
    for path in project.iterdir():
        if path.name != "build":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "build").mkdir()
    for path in (project / "build").iterdir():
        if path.name != "paper":
            (tmp_path / "build" / path.name).symlink_to(path)
    numbers = read_json(project / NUMBERS)
    key = "re.production_lengths.short.large-mixture-of-experts.facility.median.p50_wh"
    (tmp_path / NUMBERS).parent.mkdir()
    (tmp_path / NUMBERS).write_text(pd.Series(numbers | {key: 0.7777}).to_json())
    assert "0.78" in build(tmp_path)["index.html"]
    without = {name: value for name, value in numbers.items() if name != key}
    (tmp_path / NUMBERS).write_text(pd.Series(without).to_json())
    with pytest.raises(InputError, match=re.escape(key)):
        build(tmp_path)


def test_every_claim_stands_with_its_verdict(parsed, pages):
    ledger = read_table("data/results/claims.csv", LEDGER)
    page = parsed["claims.html"]
    assert set(ledger["key"]) <= set(page.ids)
    found = ledger["verdict"].fillna(ledger["support"]).value_counts()
    assert found.sum() == len(ledger)
    for verdict, count in found.items():
        assert f"{verdict} ({count})" in page.words
        slug = verdict.lower().replace(" ", "-")
        assert pages["claims.html"].count(f'data-verdict="{slug}"') == count
    for reason in ledger["reason"].dropna():
        assert " ".join(reason.split()) in page.words


def test_published_and_real_traffic_never_stand_alone_beside_each_other(project):
    """Ours at the same lengths stands between them."""
    for _, rows in findings.ENERGY_PANEL.groups:
        assert [row.middle.split(".")[1] for row in rows[1:3]] == ["published_lengths", "production_lengths"]
    words = parse(build(project)["brief.html"]).words
    assert "at the same lengths" in words


def test_every_measure_of_the_brief_has_its_grade(pages):
    rows = re.findall(r"<tr.*?</tr>", pages["brief.html"], re.DOTALL)[1:]
    assert len(rows) > 10
    assert all(re.search(r"<td>[A-D](, [A-D])?</td></tr>", row) for row in rows)
    assert pages["brief.html"].count('class="grade') == 3


def test_small_models_and_shorter_answers_rest_on_weaker_evidence_than_accelerators():
    systems = pd.read_csv("data/results/lever_systems.csv").query(
        "system == 'Shorter outputs' and regime == 'long' and load.isna()"
    )
    assert set(systems["grade"]) == {"C"}
    steps = pd.read_csv("data/results/lever_combinations.csv").query("combination != 'naive' and order > 0")
    assert "Shorter outputs" not in set(steps["lever"])  # in no total
    graded = steps.query("combination == 'graded'")
    assert set(graded["grade"]) <= {"A", "B"} and "hardware" in set(graded["group"])
    assert not set(steps.query("group == 'routing'")["grade"]) & {"A", "B"}


def test_a_table_without_rows_says_why(pages):
    empty = [path for path in Path("data/results").glob("*.csv") if not len(pd.read_csv(path))]
    for path in empty:
        page = pages[f"tables/data-results-{path.stem.replace('_', '-')}.html"]
        assert EMPTY[path.stem] in page and EMPTY[path.stem] in pages["tables.html"]
        assert "rows-search" not in page


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_digit_of_a_template_is_typed_by_hand(template):
    text = re.sub(
        r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", " ", template.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    text = re.sub(r"<[^>]*>|SHA-256|90 %", " ", text)
    assert re.findall(r"\S*\d\S*", NAMES.sub(" ", text)) == []


def test_two_builds_are_the_same(project, files):
    assert build(project) == files


def test_what_is_missing_is_named_and_nothing_is_written(project, tmp_path, monkeypatch):
    for path in project.iterdir():
        if path.name != "build":
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(str(NUMBERS))):
        site.main()
    assert not (tmp_path / "site").exists()


def test_writing_replaces_what_was_there(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("x\n1\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old.html").touch()
    site.write({"index.html": "<p>", "files/a.csv": source}, tmp_path / "site")
    found = {
        path.relative_to(tmp_path / "site").as_posix()
        for path in (tmp_path / "site").rglob("*")
        if path.is_file()
    }
    assert found == {"index.html", "files/a.csv"}
