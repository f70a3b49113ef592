"""Order of the tests: what takes minutes first, so that both workers end together.

Properties are tried without a limit of time, since other work on the machine would decide, and on the same
examples every time.
"""

import pytest
from hypothesis import settings

settings.register_profile("perquery", deadline=None, derandomize=True)
settings.load_profile("perquery")

LONGEST = ("pipeline", "spark")  # markers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        marked = [at for at, name in enumerate(LONGEST) if item.get_closest_marker(name)]
        return min(marked, default=len(LONGEST))

    items.sort(key=place)
