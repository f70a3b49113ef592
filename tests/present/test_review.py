"""What the notebooks show tables with: notebooks/review.py."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def review() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.simplefilter", lambda *_: None)  # of the kernel, not of the tests
        spec = importlib.util.spec_from_file_location("review", "notebooks/review.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.30894, 4, "0.3089"),
        (0.5, 4, "0.5"),
        (128.0, 4, "128"),
        (14686.01, 4, "14,690"),
        (14686.0, 4, "14,686"),
        (-0.00499, 2, "-0.005"),
        (99.96, 2, "100"),
        (2026.0, 2, "2026"),
        (float("nan"), 4, ""),
    ],
)
def test_numbers_are_short_and_plain(review: ModuleType, value: float, digits: int, text: str) -> None:
    assert review.number(value, digits) == text


def test_a_band_is_its_middle_with_both_ends_and_one_number_where_there_is_none(review: ModuleType) -> None:
    table = pd.DataFrame({"p5_wh": [0.19, 2.0], "p50_wh": [0.503, 2.0], "p95_wh": [1.5, 2.0]}, index=[4, 7])
    assert review.banded(table, "{}_wh").to_dict() == {4: "0.50 (0.19–1.5)", 7: "2.0"}


def test_a_table_shows_nothing_for_no_value_and_the_name_of_a_group_once(review: ModuleType) -> None:
    table = pd.DataFrame(
        {"site": ["a", "a", "b"], "what": ["x<y", "z", "z"], "ml": [1.5, float("nan"), 3.0]}
    ).set_index(["site", "what"])
    rows = [re.findall(r"<t[hd] [^>]*>(.*?)</t[hd]>", row) for row in review.as_html(table).split("<tr>")]
    assert rows[1:] == [["site", "what", "ml"], ["a", "x&lt;y", "1.5"], ["", "z", ""], ["b", "z", "3"]]


def test_a_column_of_several_kinds_shows_each_as_its_kind(review: ModuleType) -> None:
    shown = review.as_html(pd.DataFrame({"a": [0.331084, "fitted", None]}, dtype=object))
    assert ">0.3311<" in shown and ">fitted<" in shown and "None" not in shown


def test_counted_rows_have_no_index_and_named_rows_keep_theirs(review: ModuleType) -> None:
    counted, named = pd.DataFrame({"a": [1]}, index=[17]), pd.DataFrame({"a": [1]}, index=["it"])
    assert "17" not in review.as_html(counted)
    assert ">it<" in review.as_html(named)


def test_results_are_found_from_any_folder(
    review: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(review.Project().table("data/published/claims.csv")) > 0


def test_what_is_not_made_yet_says_how_to_make_it(review: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make reproduce"):
        review.Project(tmp_path).table("data/results/claims.csv")
