import pytest

from pipeline.core.assumption import Assumption
from pipeline.core.settings import from_params
from pipeline.present.paper import _assumptions, quantities

SECTIONS = ["energy", "water", "levers", "fleet"]


@pytest.fixture(scope="module")
def sections():
    return dict(zip(SECTIONS, from_params(*SECTIONS), strict=True))


@pytest.fixture(scope="module")
def rows(sections):
    return quantities(sections)


def test_every_row_says_what_how_much_from_where_and_why(rows):
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
    loss = rows[(rows["section"] == "energy") & (rows["key"] == "loss")]
    assert loss["of"].tolist() == ["servers A100, H100, B200"]
    owners = " ".join(rows.loc[rows["key"] == "concurrency", "of"])
    assert "Nemotron Ultra 253B" in owners
    assert "others" in owners
