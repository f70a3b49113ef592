"""Order of the tests: what takes minutes first, so that both workers end together."""

import pytest

LONGEST = ("pipeline", "spark")  # markers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        marked = [at for at, name in enumerate(LONGEST) if item.get_closest_marker(name)]
        return min(marked, default=len(LONGEST))

    items.sort(key=place)
