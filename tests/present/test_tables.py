import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.present.tables import Table, as_given, decimals, digits, save_table


def table(**changes):
    data = pd.DataFrame({"name": ["a_b", "50 %|x"], "energy_wh": [0.30885, None], "hidden": [1, 2]})
    headings = {"name": "Name", "energy_wh": "Energy, Wh"}
    fields = {"name": "t", "caption": "Words.", "data": data, "headings": headings}
    return Table(**fields | {"formats": {"energy_wh": digits(3)}} | changes)


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


def test_shown_has_headings_text_and_a_dash_for_what_is_missing():
    assert table().shown().to_dict("list") == {"Name": ["a_b", "50 %|x"], "Energy, Wh": ["0.309", "–"]}


def test_a_missing_column_is_refused():
    with pytest.raises(InputError, match="'power_kw' is missing"):
        table(headings={"power_kw": "Power"}).shown()


def test_saved_three_times_and_the_same_twice(tmp_path):
    save_table(table(), tmp_path / "first")
    save_table(table(), tmp_path / "second")
    for name in ("t.csv", "t.tex", "t.md"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "t.csv").read_text() == "name,energy_wh,hidden\na_b,0.30885,1\n50 %|x,,2\n"


def test_latex_is_escaped_with_rules_and_numbers_on_the_right(tmp_path):
    save_table(table(), tmp_path)
    latex = (tmp_path / "t.tex").read_text()
    assert r"\begin{longtable}{lr}" in latex
    assert all(rule in latex for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:t}"))
    assert r"a\_b & 0.309 \\" in latex
    assert r"50 \%|x" in latex


def test_a_caption_is_escaped_in_latex(tmp_path):
    save_table(table(caption="The 90 % interval of R&D."), tmp_path)
    assert r"\caption{The 90 \% interval of R\&D.}" in (tmp_path / "t.tex").read_text()


def test_long_text_is_set_in_lines_in_latex(tmp_path):
    long = pd.DataFrame({"name": ["short", "long " * 20]})
    save_table(Table("t", "Words.", long, {"name": "Name"}), tmp_path)
    assert r"\begin{longtable}{p{30mm}}" in (tmp_path / "t.tex").read_text()


def test_markdown_escapes_the_bar_and_aligns(tmp_path):
    save_table(table(), tmp_path)
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert lines[0] == "**Words.**"
    assert lines[3].endswith(":|")
    assert r"50 %\|x" in lines[5]
