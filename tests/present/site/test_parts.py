"""The small parts: numbers as text, places on the axis, what stands behind a file."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.files import read_json
from pipeline.present.site.build import NUMBERS, cited, do_first, left
from pipeline.present.site.findings import PANELS, Panel, Row, claims, place, read_ledger, strip, ticks
from pipeline.present.site.pages import JOINER, NO_BREAK, Values, fixed, significant
from pipeline.present.site.pictures import SHOWN, shipped, typeset, writer_of

AXIS = (0.1, 10.0)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.3, 2, "0.30"),
        (1234.4, 0, "1234"),
        (12345.6, 1, "12\u2009345.6"),
        (-0.04, 1, "0.0"),
        (-2, 0, "\u22122"),
    ],
)
def test_fixed_decimals(value, digits, text):
    assert fixed(value, digits) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 2, "0"),
        (0.0826, 2, "0.083"),
        (0.6, 2, "0.60"),
        (0.0996, 2, "0.10"),
        (16.2, 2, "16"),
        (163.0, 2, "163"),
        (9.96, 2, "10"),
    ],
)
def test_significant_digits(value, digits, text):
    assert significant(value, digits) == text


@given(st.floats(1e-6, 1e6))
def test_significant_digits_are_close(value):
    assert float(significant(value, 3).replace("\u2009", "")) == pytest.approx(value, rel=5.1e-3)


def test_values_by_key():
    energy = {"a.p50_wh": 0.5, "a.p5_wh": 0.2, "a.p95_wh": 1.54}
    values = Values(energy | {"b.p50": 2.0, "b.p5": 1.0, "b.p95": 3.0, "c": "exact", "s": 0.1234})
    assert str(values.ninety("a")) == '<span class="nowrap">0.50 (0.20–1.5)</span>'
    assert "2.0 (1.0–3.0)" in values.ninety("b", "")
    assert values.word("c") == "exact"
    assert values.percent("s") == "12\u00a0%"
    for ask in (values.val, values.word, values.ninety):
        with pytest.raises(InputError, match="none"):
            ask("none")


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_places_keep_the_order_and_stay_on_the_axis(one, other):
    low, high = sorted((one, other))
    assert 0 <= place(low, AXIS) <= place(high, AXIS) <= 100


def test_places_are_logarithmic():
    assert place(0.1, AXIS) == 0
    assert place(1, AXIS) == pytest.approx(50)
    assert place(10, AXIS) == pytest.approx(100)
    assert place(0, AXIS) == 0


def test_a_range_from_zero_is_open_and_has_no_dot():
    panel = Panel("Water", "mL", "", AXIS, [], significant)
    found = strip(Row("x", "as_published", "", "none", "low", "high"), panel, Values({"low": 0, "high": 1}))
    assert (found.middle, found.low, found.high, found.at, found.open) == ("", "0", "1.0", "", True)
    assert (found.start, found.width) == ("0.00%", "50.00%")


def test_ticks_are_powers_of_ten_on_the_axis():
    assert [text for text, _ in ticks(Panel("", "", "", (0.05, 20), [], significant))] == ["0.1", "1", "10"]


def test_every_band_lies_on_its_axis(project):
    values = Values(read_json(project / NUMBERS))
    for panel in PANELS:
        for row in (row for _, rows in panel.groups for row in rows):
            assert values.known(row.high) <= panel.axis[1]
            assert values.known(row.low) in (0, pytest.approx(0)) or values.known(row.low) >= panel.axis[0]


def measure(name: str, band: str, p50: float) -> dict[str, object]:
    return {"name": name, "band": band, "grade": band[-1], "p5": p50 / 2, "p50": p50, "p95": 2 * p50}


def plain(text: str) -> str:
    return text.replace(NO_BREAK, " ").replace(JOINER, "")


def test_what_to_do_first_is_the_best_on_good_evidence_and_says_what_it_leaves():
    chat = [
        measure("Chips", "AB", 4.0),
        measure("Caps", "AB", 1.1),
        measure("Small models where they suffice", "D", 8.0),
    ]
    found = do_first({"short": chat, "long": [*chat, measure("Shorter answers", "C", 2.0)]})
    assert (found[0].title, found[0].grade) == ("Chips", "B")
    assert "25 % (12–50 %)" in plain(found[0].text)
    assert [one.grade for one in found] == ["B", "D", "C"]
    assert plain(left(chat[2])) == "12 % (6–25 %)" and " " not in left(chat[2])


def test_no_interval_of_a_claim_looks_like_one_number_and_each_is_named():
    found = claims(read_ledger(Path()))
    for claim in found:
        for text, ends in ((claim.published, claim.published_ends), (claim.ours, claim.ours_ends)):
            band = text.partition("(")[2].rstrip(")") or text
            low, dash, high = band.partition("–")
            assert not dash or low != high, claim
            assert bool(ends) == bool(dash or "from" in text or "up to" in text), claim
    by_key = {claim.key: claim for claim in found}
    assert "–" not in by_key["v2.fleet.short"].ours
    assert by_key["blog.models"].ours_ends == "smallest and largest median of its cases"


def test_a_source_is_cited_as_readers_know_it():
    assert cited(Path(), "oviedo2026").startswith("Oviedo et al., Energy use of AI inference")
    assert cited(Path(), "aienergy_simulation").startswith("Microsoft, aienergy_simulation: code")
    with pytest.raises(InputError, match="no entry 'nobody'"):
        cited(Path(), "nobody")


def test_a_table_names_the_stage_that_writes_it():
    assert writer_of("data/results/token_lengths.csv") == "energy"
    assert writer_of("data/telemetry/token_lengths.csv") == "telemetry"
    assert writer_of("data/published/claims.csv") == writer_of("data/results/no_such_table.csv") == ""


def test_a_parquet_table_is_handed_on_as_csv():
    assert shipped("build/a.parquet") == "files/build/a.csv"
    assert shipped("data/a.csv") == "files/data/a.csv"


@pytest.mark.parametrize("path", sorted(Path("paper/tables").glob("*.md")), ids=lambda path: path.stem)
def test_a_table_of_the_paper_is_shown_as_typeset(path):
    shown = typeset(path)
    assert shown is not None
    assert path.read_text(encoding="utf-8").startswith(f"**{shown.caption}**")
    assert {len(row) for row in shown.rows} == {len(shown.headings)} == {len(shown.right)}
    assert len(shown.rows) == min(SHOWN, len(pd.read_csv(path.with_suffix(".csv"))))


def test_other_markdown_is_no_table_of_the_paper(tmp_path):
    (tmp_path / "notes.md").write_text("# Notes\n\n| a |\n")
    assert typeset(tmp_path / "notes.md") is None
    assert typeset(tmp_path / "none.md") is None
