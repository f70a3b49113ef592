"""Names in params.yaml that refer to another section or to a table are refused with the nearest ones."""

import copy
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.core.settings import read_yaml, validated
from pipeline.stages.assumptions import check_names

DATA = read_yaml()


def changed(key: str, value: Any) -> dict[str, Any]:
    """All sections with one value replaced."""
    data = copy.deepcopy(DATA)
    *parents, last = key.split(".")
    item: Any = data
    for part in parents:
        item = item[int(part) if isinstance(item, list) else part]
    item[int(last) if isinstance(item, list) else last] = value
    return data


def test_every_name_of_the_file_is_known() -> None:
    check_names(validated(DATA))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("energy.deployments.models.0.instance", "8 H20O in fp8 for 800 requests",
         r"models\.0\.gpu: 'H20O', expected one of .*H200"),
        ("levers.hardware.chips", "H100; B200; GB300; MI355X; Maia 200; B30O",
         r"levers\.hardware\.chips\.5: 'B30O', expected one of .*B300"),
        ("levers.cached.evidence", "prefix_dsv", r"cached\.evidence\.0: 'prefix_dsv', .*prefix_dsv3"),
        ("levers.best_site.site", "bst", r"levers\.best_site\.site: 'bst', expected one of best"),
        ("factors.classes.1.model", "Qwen 32", r"factors\.classes\.1\.model: 'Qwen 32', .*Qwen3 32B"),
        ("factors.stated_sites", ["us_averge"], r"stated_sites\.0: 'us_averge', expected one of us_average"),
        ("what_if.model", "DeepSeek R1", r"what_if\.model: 'DeepSeek R1', expected one of DeepSeek-R1"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_its_key(key: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_names(validated(changed(key, value)))
