import pytest

from pipeline.core.assumption import Beta, Constant, Exponential, LogNormal, Uniform
from pipeline.core.settings import from_params
from pipeline.present.paper import as_published, describe


@pytest.fixture(scope="module")
def rows():
    return as_published(published=from_params("published"))


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        (Constant(family="constant", value=10.2), "10.2"),
        (Constant(family="constant", value=1e9), "1e+09"),
        (LogNormal(family="lognormal", p5=1.05, p95=1.6), "log-normal, P5–P95 1.05–1.6"),
        (Exponential(family="exponential", median=300), "exponential, median 300"),
        (Uniform(family="uniform", low=0, high=1), "uniform, 0–1"),
        (Beta(family="beta", alpha=2, beta=2), "beta (2, 2), median 0.5"),
    ],
)
def test_a_distribution_in_words(distribution, words):
    assert describe(distribution) == words


def test_every_assumption_of_the_base_has_a_row(rows):
    base = set(rows.loc[rows["variant"] == "base", "key"].str.split(".").str[0])
    assert set(type(from_params("published.base")).model_fields) <= base


def test_a_variant_lists_only_what_it_replaces(rows):
    assert set(rows.loc[rows["variant"] == "v1", "key"]) == {"node_power_8xh100", "node_power_10xh100"}
    assert rows.loc[rows["variant"] == "v2_untrimmed", ["key", "value"]].values.tolist() == [["trim", "off"]]
    assert "v2" not in set(rows["variant"])


def test_what_is_not_off_has_source_and_reason(rows):
    given = rows[rows["value"] != "off"]
    assert (given["source"] != "").all()
    assert (given["reason"] != "").all()


def test_a_row_stands_once(rows):
    assert not rows.duplicated(["key", "variant"]).any()
