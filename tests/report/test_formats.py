import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.read import row_where, rows_where
from pipeline.core.settings import from_params
from pipeline.report import formats, style
from pipeline.report.formats import (
    Table,
    as_given,
    assumed,
    by_key,
    decimals,
    digits,
    markdown,
    save_table,
    shown,
    table,
    with_bands,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.0643, "0.064"),
        (0.309, "0.31"),
        (0.0996, "0.10"),
        (0.996, "1.0"),
        (3.898, "3.9"),
        (9.96, "10.0"),
        (10.55, "10.6"),
        (126.4, "126"),
        (1250, "1,250"),
    ],
)
def test_two_significant_digits(value: float, words: str) -> None:
    assert formats.significant(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.001, "0.001"), (0.1, "0.1"), (1, "1"), (1000, "1,000")])
def test_plain_ticks(value: float, words: str) -> None:
    assert formats.plain(value) == words


def test_limits_hold_the_values() -> None:
    assert style.decade_span([0.013, 3.9]) == (0.01, 5.0)
    assert style.decade_span([1.0, 10.0]) == (1.0, 10.0)


@pytest.mark.parametrize(
    ("show", "number", "text"),
    [
        (digits(3), 0.30885, "0.309"),
        (digits(3), 0.00030049, "0.000300"),
        (digits(3), 12.0, "12.0"),
        (digits(3), 12345.6, "12300"),
        (digits(2), 0, "0.0"),
        (decimals(0), 1048576.0, "1,048,576"),
        (decimals(3), -0.0049, "-0.005"),
        (as_given, 385.22, "385.22"),
        (as_given, 2000.0, "2,000"),
    ],
)
def test_formats(show, number, text):
    assert show(number) == text


def test_a_band_has_its_ends_and_one_value_has_none():
    nan = float("nan")
    assert formats.band({"p5": nan, "p50": nan, "p95": 3.7}) == "up to 3.7"
    assert formats.band({"p5": 1.25, "p50": nan, "p95": nan}) == "at least 1.2"
    assert formats.band({"p5": nan, "p50": 1.4, "p95": nan}) == "1.4"
    assert formats.band({"p5": 2.8, "p50": 2.8, "p95": 2.8}) == "2.8"
    assert formats.band({"step_p5": 1.6, "step_p50": 2.8, "step_p95": 6.6}, "step_{}") == "2.8 (1.6–6.6)"


def test_slug_keeps_dots_and_underscores():
    assert formats.slug("Llama 3.1 405B") == "llama-3.1-405b"
    assert formats.slug("blend + model") == "blend-model"
    assert formats.slug("v2_untrimmed") == "v2_untrimmed"


DATA = pd.DataFrame({"name": ["a_b", "50 %|x"], "energy_wh": [0.30885, None], "hidden": [1, 2]})
COLUMNS = {"name": "Name", "energy_wh": ("Energy, Wh", digits(3))}


def about(caption="Words.", columns=COLUMNS):
    return Table("t", lambda: DATA, {}, caption, columns)


def test_shown_has_headings_text_and_a_dash_for_what_is_missing():
    assert shown(about(), DATA).to_dict("list") == {"Name": ["a_b", "50 %|x"], "Energy, Wh": ["0.309", "–"]}


def test_a_missing_column_is_refused():
    with pytest.raises(InputError, match="'power_kw' is missing"):
        shown(about(columns={"power_kw": "Power"}), DATA)


def test_saved_three_times_and_the_same_twice(tmp_path):
    save_table(about(), DATA, tmp_path / "first")
    save_table(about(), DATA, tmp_path / "second")
    for name in ("t.csv", "t.tex", "t.md"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "t.csv").read_text() == "name,energy_wh,hidden\na_b,0.30885,1\n50 %|x,,2\n"


def test_latex_is_escaped_with_rules_and_numbers_on_the_right(tmp_path):
    save_table(about(), DATA, tmp_path)
    latex = (tmp_path / "t.tex").read_text()
    assert r"\begin{longtable}{lr}" in latex
    assert all(rule in latex for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:t}"))
    assert r"a\_b & 0.309 \\" in latex
    assert r"50 \%|x" in latex


def test_a_caption_is_escaped_in_latex(tmp_path):
    save_table(about(caption="The 90 % interval of R&D."), DATA, tmp_path)
    assert r"\caption{The 90 \% interval of R\&D.}" in (tmp_path / "t.tex").read_text()


def test_long_text_is_set_in_lines_in_latex(tmp_path):
    long = pd.DataFrame({"name": ["short", "long " * 20]})
    save_table(about(columns={"name": "Name"}), long, tmp_path)
    assert r"\begin{longtable}{p{30mm}}" in (tmp_path / "t.tex").read_text()


def test_markdown_escapes_the_bar_and_aligns(tmp_path):
    save_table(about(), DATA, tmp_path)
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert lines[0] == "**Words.**"
    assert lines[3].endswith(":|")
    assert r"50 %\|x" in lines[5]


def test_a_cell_of_markdown_is_text_whatever_it_holds():
    cell = markdown("<img onerror=x>\n[a](javascript:b) | `c`")
    assert cell == r"&lt;img onerror=x> \[a\](javascript:b) \| \`c\`"
    assert markdown("95 % of 3–4 mL") == "95 % of 3–4 mL"


def test_rows_are_chosen_by_their_values():
    data = pd.DataFrame(
        {"model": ["a", "a", "b"], "regime": ["short", "long", "long"], "wh": [1.0, 2.0, 3.0]}
    )
    assert list(rows_where(data, model="a")["wh"]) == [1.0, 2.0]
    assert row_where(data, model="a", regime="long")["wh"] == 2.0
    with pytest.raises(KeyError, match="no row with"):
        rows_where(data, model="c")
    with pytest.raises(KeyError, match="2 rows with"):
        row_where(data, model="a")


def test_a_table_is_declared_with_the_function_that_makes_its_rows():
    @table("t", "Words.", {"gain": "Times"})
    def gains(lever_needed):
        return with_bands(lever_needed, gain="{}")

    (entry,) = gains.declared
    assert (entry.name, entry.tables) == ("t", ["lever_needed"])
    data = entry.made({"lever_needed": pd.DataFrame({"p5": [1.6], "p50": [2.8], "p95": [6.6]})})
    assert shown(entry, data).to_dict("list") == {"Times": ["2.8 (1.6–6.6)"]}


def test_numbers_and_quoted_words_have_keys_and_blanks_have_none():
    table = pd.DataFrame(
        {"variant": ["v2"], "subject": ["blend + model"], "p50_wh": [0.3], "mean_wh": [np.nan]}
        | {"boundary": ["facility"], "verdict": ["exact"]}
    )
    found = by_key("energy", table, ["variant", "subject"])
    assert found == {"energy.v2.blend-model.p50_wh": 0.3, "energy.v2.blend-model.verdict": "exact"}


def test_assumptions_by_path():
    base = from_params("published.base")
    found = dict(assumed("assumed.v2", base))
    assert found["assumed.v2.pue.p95"] == base.pue.distribution.p95
    assert found["assumed.v2.node_power_8xh100.value"] == base.node_power_8xh100.distribution.value
    assert found["assumed.v2.trim.outer.2"] == base.trim.outer[1]
    assert not any(value is None for value in found.values())
