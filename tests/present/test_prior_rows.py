import pytest

from pipeline.assumptions import load
from pipeline.assumptions.base import Assumption
from pipeline.present.prior_rows import COLUMNS, _assumptions, prior_rows

SECTIONS = ["assumptions.re_estimate", "assumptions.water", "assumptions.levers", "scenario.fleet"]


@pytest.fixture(scope="module")
def sections():
    return dict(zip(SECTIONS, load(*SECTIONS), strict=True))


@pytest.fixture(scope="module")
def rows(sections):
    return prior_rows(sections)


def test_every_row_says_what_how_much_from_where_and_why(rows):
    assert list(rows.columns) == COLUMNS
    assert (rows[["section", "key", "value", "unit", "source", "reason"]] != "").all().all()
    assert not rows.duplicated().any()


def test_no_quantity_is_left_out(sections, rows):
    found = [
        (section, path[-1], item.source)
        for section in sections
        for path, item in _assumptions((), sections[section])
    ]
    assert all(
        isinstance(item, Assumption) for part in sections.values() for _, item in _assumptions((), part)
    )
    assert {(section, key, source) for section, key, source in found} == set(
        rows[["section", "key", "source"]].itertuples(index=False, name=None)
    )


def test_what_is_alike_stands_once_with_its_owners(sections, rows):
    loss = rows[(rows["section"] == "assumptions.re_estimate") & (rows["key"] == "loss")]
    assert loss["of"].tolist() == ["server_power A100, H100, B200"]
    names = [item.model for item in sections["assumptions.re_estimate"].deployments.models]
    owners = " ".join(rows.loc[rows["key"] == "concurrency", "of"])
    assert all(name in owners for name in names)
