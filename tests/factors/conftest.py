import pytest

from pipeline.core.read import read_table
from pipeline.factors.model.contract import FACTORS
from tests.factors.parts import COMMITTED, rows


@pytest.fixture(scope="session")
def found():
    return rows()


@pytest.fixture(scope="session")
def committed():
    return read_table(COMMITTED, FACTORS)
