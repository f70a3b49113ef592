"""Order of the tests: what takes minutes first, so that both workers end together."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)
