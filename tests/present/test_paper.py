import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from pipeline.core.errors import InputError
from pipeline.core.parse import read_citation
from pipeline.core.settings import from_params
from pipeline.present.paper import typeset
from pipeline.report.formats import collect
from pipeline.serving.model.held_out import FOLDS
from pipeline.stages.paper import MODULES
from tests.present.prose import digits_by_hand, keys, unknown_keys

SOURCES = sorted([Path("paper/paper.typ"), *Path("paper/sections").glob("*.typ")])


@pytest.fixture(scope="module")
def numbers():
    """The keys of the committed results."""
    return collect(MODULES, from_params)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_key_of_the_prose_exists(source, numbers):
    assert unknown_keys(source.read_text(encoding="utf-8"), numbers) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_digit_of_the_prose_is_typed_by_hand(source):
    assert digits_by_hand(source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_semicolon_is_lost_behind_a_number(source):
    """One semicolon ends the call and is not printed: two are needed."""
    assert re.findall(r"#\w+\([^()]*\);(?!;)[^\n]*", source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "a median of 0.31 Wh",
        "31 models",
        "grows by 5 %",
        '#val("a.b") and 2.5',
        "on page3",
        "// note\nabout 7 Wh",
    ],
)
def test_a_typed_digit_is_found(text):
    assert digits_by_hand(text)


@pytest.mark.parametrize(
    "text",
    [
        'a median of #val("energy.v2.short.blend.p50_wh", digits: 2) Wh',
        "Llama 3.1 405B in FP8 on H100, between P5 and P95",
        "since 2026 @oviedo2026, in @fig-1a and @tab-fits <eq-2>",
        "$ sigma = ln(b / a) / (2 dot 1.645) $",
        '#picture("fig-1a", "1A")',
        "version 1 and `v2_input_500`",
        "// 42 in a comment",
    ],
)
def test_names_citations_equations_and_keys_may_have_digits(text):
    assert digits_by_hand(text) == []


def test_keys_of_calls_are_found():
    text = '#val("a.b", digits: 2) #band("c.d") #ratio(\n  "e.f",\n  "g.h",\n)'
    assert keys(text) == ["a.b", "c.d", "e.f", "g.h"]


def test_a_key_that_does_not_exist_is_told_and_a_row_counts_as_known():
    text = '#val("a.b.p50_wh") #band("a.b") #val("a.b.p51_wh")'
    assert unknown_keys(text, ["a.b.p50_wh"]) == ["a.b.p51_wh"]


def test_the_folds_told_in_words_are_those_of_the_fit():
    words = {3: "three", 5: "five", 6: "six"}
    cell, configuration, model = (words[FOLDS[name]] for name in ("cell", "configuration", "model"))
    methods = Path("paper/sections/methods_re_estimate.typ").read_text(encoding="utf-8")
    assert f"by groups in {cell}, {configuration} and {model} folds" in methods


def test_the_main_text_has_eight_to_fourteen_pages_and_references_and_supplement_follow():
    pages = [page.extract_text() for page in PdfReader("paper/paper.pdf").pages]
    starts = {
        heading: next(at for at, text in enumerate(pages, start=1) if heading in text)
        for heading in ("DATA AND CODE AVAILABILITY", "REFERENCES", "SUPPLEMENTARY INFORMATION")
    }
    assert list(starts.values()) == sorted(starts.values())
    assert 8 <= starts["DATA AND CODE AVAILABILITY"] <= starts["REFERENCES"] <= 14
    assert f"perquery-{read_citation().version}" in pages[0]


def front_page() -> tuple[str, list[str]]:
    """Summary and highlights as they are printed."""
    text = PdfReader("paper/paper.pdf").pages[0].extract_text()
    summary = text.partition("SUMMARY")[2].partition("CONTEXT & SCALE")[0]
    highlights = text.partition("HIGHLIGHTS")[2].partition("INTRODUCTION")[0].split("•")[1:]
    return " ".join(summary.split()), [" ".join(item.split()) for item in highlights]


def test_the_summary_has_at_most_150_words_and_each_of_4_highlights_85_characters():
    """The journal's limits; a lone % or unit is no word."""
    summary, highlights = front_page()
    assert 100 <= len(re.findall(r"[\w.–-]*\w[\w.–-]*", summary)) <= 150
    assert len(highlights) == 4
    assert {item: len(item) for item in highlights if not 20 <= len(item) <= 85} == {}


def test_every_lever_source_that_gives_a_number_is_cited():
    """Directly in the text or through the tables of the supplement, which cite the source of each row."""
    supplement = Path("paper/sections/supplement.typ").read_text(encoding="utf-8")
    assert "ruled-lever-evidence()" in supplement
    levers = Path("paper/sections/levers.typ").read_text(encoding="utf-8")
    for key in ("fara2025", "phi4reasoning2025", "maia200_2026", "distserve2024", "splitwise2024"):
        assert f"@{key}" in levers


@pytest.fixture
def root(tmp_path):
    """A tiny paper with the real helpers."""
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper/values.typ").write_text(Path("paper/values.typ").read_text())
    (tmp_path / "build/paper").mkdir(parents=True)
    numbers = '{"a.p50_wh": 0.3, "a.p25_wh": 0.1, "a.p75_wh": 12345.678, "a.low": -0.5}'
    (tmp_path / "build/paper/numbers.json").write_text(numbers)
    return tmp_path


def page(root, text):
    source = root / "paper/page.typ"
    source.write_text(f'#import "values.typ": *\n#set document(date: none)\n{text}\n')
    return source


def test_numbers_are_set_with_their_zeros_and_thousands(root):
    checks = [
        'val("a.p50_wh") == "0.30"',
        'val("a.p75_wh", digits: 1) == "12\\u{2009}345.7"',
        'val("a.p50_wh", digits: 0, scale: 100) == "30"',
        'val("a.low", digits: 1) == "\\u{2212}0.5"',
        'ratio("a.p50_wh", "a.p25_wh", digits: 1) == "3.0"',
    ]
    source = page(root, "\n".join(f"#assert({check})" for check in checks))
    typeset(source, root / "page.pdf", root)
    assert (root / "page.pdf").read_bytes().startswith(b"%PDF")


def test_a_missing_key_stops_the_paper_and_leaves_no_file(root):
    with pytest.raises(InputError, match=r"no result with the key a\.p51_wh"):
        typeset(page(root, '#val("a.p51_wh")'), root / "page.pdf", root)
    assert not (root / "page.pdf").exists()


def test_the_same_bytes_twice(root):
    for name in ("first.pdf", "second.pdf"):
        typeset(page(root, 'A median of #val("a.p50_wh") Wh.'), root / name, root)
    assert (root / "first.pdf").read_bytes() == (root / "second.pdf").read_bytes()
