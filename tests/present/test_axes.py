"""Numbers as readers see them."""

import pytest

from pipeline.present import axes


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.0643, "0.064"),
        (0.309, "0.31"),
        (0.0996, "0.10"),
        (0.996, "1.0"),
        (3.898, "3.9"),
        (9.96, "10.0"),
        (10.55, "10.6"),
        (126.4, "126"),
        (1250, "1,250"),
    ],
)
def test_two_significant_digits(value: float, words: str) -> None:
    assert axes.significant(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.001, "0.001"), (0.1, "0.1"), (1, "1"), (1000, "1,000")])
def test_plain_ticks(value: float, words: str) -> None:
    assert axes.plain(value) == words


def test_limits_hold_the_values() -> None:
    assert axes.decade_span([0.013, 3.9]) == (0.01, 5.0)
    assert axes.decade_span([1.0, 10.0]) == (1.0, 10.0)
