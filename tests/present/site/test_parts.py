"""The small parts: numbers as text, places on the axis, what stands behind a file."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.files import read_json
from pipeline.present.provenance import Origin, read_origin
from pipeline.present.site.brief import ENERGY, GAINS, WATER_USED, times
from pipeline.present.site.build import NUMBERS
from pipeline.present.site.headline import PANELS, Panel, Row, place, strip, ticks
from pipeline.present.site.ledger import claims, read_ledger
from pipeline.present.site.pictures import shipped
from pipeline.present.site.reading import cited
from pipeline.present.site.tables import SHOWN, typeset
from pipeline.present.site.values import Values, fixed, significant

AXIS = (0.1, 10.0)
STAGES = {
    "check": {"deps": ["params.yaml"], "outs": ["build/assumptions"]},
    "fit": {"deps": ["build/assumptions/simulation.json", "data/in.csv"], "outs": ["build/fit"]},
    "draw": {
        "deps": ["build/fit/a.csv", "build/assumptions/water.json", "build/assumptions/water.wue.json"],
        "outs": [{"data/out.csv": {"cache": False}}],
    },
}


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
    assert str(values.ninety("a")) == '<span class="nowrap">0.50 (0.20–1.54)</span>'
    assert "2 (1–3)" in values.ninety("b", "", 0)
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
    for panel in [*PANELS, ENERGY, WATER_USED, GAINS]:
        for row in (row for _, rows in panel.groups for row in rows):
            assert values.known(row.high) <= panel.axis[1]
            assert values.known(row.low) in (0, pytest.approx(0)) or values.known(row.low) >= panel.axis[0]


@pytest.mark.parametrize(
    ("value", "text"), [(1.053, "1.05"), (1.34, "1.3"), (7.93, "7.9"), (8.0, "8"), (15.88, "16")]
)
def test_gains_as_text(value, text):
    assert times(value) == text


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


def test_behind_a_file_stand_the_assumptions_of_all_stages_before_it():
    origin = Origin(STAGES)
    assert origin.stage("data/out.csv") == "draw"
    assert origin.stage("build/fit/a.csv") == "fit"
    assert origin.assumptions("data/out.csv") == ["simulation", "water"]  # water.wue is inside water
    assert origin.assumptions("build/fit/b.csv") == ["simulation"]
    assert (origin.stage("data/in.csv"), origin.assumptions("data/in.csv")) == ("", [])


def test_the_graph_is_that_of_the_pipeline():
    assert read_origin().stage("data/results/claims.csv") == "write_claims"
    assert "assumptions.water" in read_origin().assumptions("data/results/water_split.csv")


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
