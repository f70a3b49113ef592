"""Order of the tests: what takes minutes first, so that both workers end together; `make test` leaves it out.

Properties are tried without a limit of time, since other work on the machine would decide, and on the same
examples every time.
"""

import os

import pandas as pd
import pytest
from hypothesis import settings

from pipeline.core.catalogue import read, transcription
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.ingest import readers
from pipeline.ingest.contract import THROUGHPUT
from pipeline.ingest.contract_facts import MODELS
from pipeline.ingest.sources import Models, join, read_measurements
from pipeline.published.model.energy import ThroughputFit, fit_all
from pipeline.published.model.settings import AsPublished, known

EXAMPLES = 100 if os.environ.get("ALL") else 24  # `make test ALL=1` tries more
settings.register_profile("perquery", deadline=None, derandomize=True, max_examples=EXAMPLES)
settings.load_profile("perquery")

LONGEST = ("pipeline", "spark", "browser", "slow")  # markers; what has another is slow too


@pytest.hookimpl(tryfirst=True)  # before `-m "not slow"` looks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        marked = [at for at, name in enumerate(LONGEST) if item.get_closest_marker(name)]
        if marked and not item.get_closest_marker("slow"):
            item.add_marker("slow")
        return min(marked, default=len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def published() -> AsPublished:
    """The settings of the published analysis."""
    return from_params("published")


@pytest.fixture(scope="session")
def fits(published: AsPublished) -> dict[str, ThroughputFit]:
    """Its fits of throughput by model."""
    base = published.base
    found = fit_all(
        transcription("throughput"),
        published.models,
        input_tokens=known(base.input_tokens),
        output_tokens_short=base.output_tokens_short.distribution.median(),
        output_tokens_long=base.output_tokens_long.distribution.median(),
    )
    return {fit.model: fit for fit in found}


@pytest.fixture(scope="session")
def serving_measurements() -> pd.DataFrame:
    """SERVING_MEASUREMENTS from the committed files of all sources, as stage `inputs` joins them."""
    sources = read("sources")
    throughput = read_table("data/published/throughput.csv", THROUGHPUT)
    tables = read_measurements(sources) | readers.read_tensorrt_llm(throughput)
    models = Models(read("telemetry/models"), read_table("data/published/models.csv", MODELS))
    return join(tables, sources, models, read("engines"))
