"""Tables by name."""

import pandas as pd
import pandera.pandas as pa
import pytest

from pipeline.core import catalogue
from pipeline.core.catalogue import Table
from pipeline.core.errors import InputError

CONTRACT = pa.DataFrameSchema({"a": pa.Column("float64", pa.Check.ge(0))}, strict=True, ordered=True)


@pytest.fixture
def one(monkeypatch, tmp_path):
    table = Table(CONTRACT, "somebody", folder=str(tmp_path))
    monkeypatch.setattr(catalogue, "find", lambda name: table)
    return tmp_path / "one.csv"


def test_what_is_written_is_read_again(one):
    catalogue.write("one", pd.DataFrame({"a": [1.0, 2.5]}))
    assert one.read_text() == "a\n1\n2.5\n"
    assert catalogue.read("one")["a"].tolist() == [1.0, 2.5]


def test_what_breaks_the_contract_is_not_written(one):
    with pytest.raises(InputError, match="-1"):
        catalogue.write("one", pd.DataFrame({"a": [-1.0]}))
    assert not one.exists()


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="'no_such_table', expected one that a contract declares"):
        catalogue.find("no_such_table")


def test_a_table_of_several_folders_is_named_with_its_folder():
    assert catalogue.path_of("published/claims").as_posix() == "build/published/claims.parquet"
    assert catalogue.origin_of("published/claims").as_posix() == "data/published/claims.csv"
    assert catalogue.path_of("results/claims").as_posix() == "data/results/claims.csv"


def test_a_name_declared_twice_is_refused(monkeypatch):
    module = catalogue.modules()[0]
    monkeypatch.setattr(catalogue, "modules", lambda: (module, module))
    monkeypatch.setattr(catalogue, "declared", lambda _: {"one": Table(CONTRACT, "somebody")})
    with pytest.raises(ValueError, match="'one' is declared elsewhere too"):
        catalogue.everything()
