"""The published settings and fits that all tests of the published analysis share."""

from pathlib import Path

import pytest

from pipeline.assumptions.load import load
from pipeline.assumptions.published import AsPublished, known
from pipeline.contracts import read_table
from pipeline.contracts.published import THROUGHPUT
from pipeline.fit.published_throughput import ThroughputFit, fit_all

PUBLISHED = Path("data/published")


@pytest.fixture(scope="session")
def published() -> AsPublished:
    return load("assumptions.as_published")


@pytest.fixture(scope="session")
def fits(published: AsPublished) -> dict[str, ThroughputFit]:
    throughput = read_table(PUBLISHED / "throughput.csv", THROUGHPUT)
    base = published.base
    found = fit_all(
        throughput,
        published.models,
        input_tokens=known(base.input_tokens),
        output_tokens_short=base.output_tokens_short.distribution.median(),
        output_tokens_long=base.output_tokens_long.distribution.median(),
    )
    return {fit.model: fit for fit in found}
