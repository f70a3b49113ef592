import pytest

from pipeline.contracts import read_table
from pipeline.contracts.factors import FACTORS
from tests.estimate.factors.parts import COMMITTED, rows


@pytest.fixture(scope="session")
def found():
    return rows()


@pytest.fixture(scope="session")
def committed():
    return read_table(COMMITTED, FACTORS)
