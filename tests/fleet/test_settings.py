"""The what-ifs of params.yaml: what they replace, what they keep, what is refused."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.core.errors import InputError
from pipeline.core.settings import from_params, read

PARAMS = Path("params.yaml")


def changed(folder: Path, key: str, value: Any) -> Path:
    """A copy of params.yaml with one dotted key replaced, as `-S key=value` does."""
    yaml = YAML(typ="safe")
    data = yaml.load(PARAMS)
    *parents, last = key.split(".")
    section = data
    for parent in parents:
        section = section[parent]
    section[last] = value
    path = folder / "params.yaml"
    yaml.dump(data, path)
    return path


def test_a_what_if_changes_the_base_and_what_does_not_replace_it(tmp_path: Path) -> None:
    path = changed(tmp_path, "fleet.base.queries_per_day", 3e9)
    fleet, before = from_params("fleet", path=path), from_params("fleet").scenarios
    assert fleet.base.queries_per_day == 3e9
    assert fleet.scenarios["short_only"].queries_per_day == 3e9
    for name in ("published_short", "published_overhead", "chatgpt_2025"):  # states it, is like one that does
        assert fleet.scenarios[name].queries_per_day == before[name].queries_per_day


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("queries_per_day", 3e9),
        ("long_share", 0.3),
        ("agentic_share", 0.1),
        ("middle_share", 0.2),
        ("small_share", 0.5),
        ("site", "best"),
        ("years", 2),
        ("queries_growth", 3),
        ("gain.distribution.value", 8),
        ("rebound", 0.5),
        ("overhead", 1.5),
    ],
)
def test_no_what_if_of_the_base_moves_what_stands_beside_a_published_value(
    tmp_path: Path, choice: str, value: Any
) -> None:
    after = from_params("fleet", path=changed(tmp_path, f"fleet.base.{choice}", value))
    beside = {name: one for name, one in from_params("fleet").scenarios.items() if one.published_claim}
    assert beside
    for name, one in beside.items():
        # Without years nothing grows, whatever the growth of one.
        changeable = {"queries_growth"} if one.years == 0 else set()
        assert after.scenarios[name].model_dump(exclude=changeable) == one.model_dump(exclude=changeable)


def test_the_sweep_has_the_27_combinations_that_are_documented() -> None:
    sweep = from_params("fleet.sweep")
    assert [len(values) for values in (sweep.long_share, sweep.agentic_share, sweep.small_share)] == [3, 3, 3]


@pytest.mark.parametrize(
    ("key", "value", "where", "what"),
    [
        ("base.long_share", 1.2, "fleet.base.long_share: ", "less than or equal to 1"),
        ("base.agentic_share", 0.95, "fleet.base: ", "exceed 1 together"),
        ("base.queries_per_day", "many", "fleet.base.queries_per_day: ", "valid number"),
        (
            "base.quries_per_day",
            1e9,
            "fleet.base.quries_per_day: ",
            "did you mean 'queries_per_day'?",
        ),
        ("base.overhead", 0.5, "fleet.base.overhead: ", "greater than or equal to 1"),
        ("base.lengths", "mine", "fleet.base.lengths: ", "'published' or 'production'"),
        ("base.site", "moon", "fleet: ", "site 'moon' is none of"),
        ("sites.best.distribution.p5", 0.9, "fleet.sites.best", "above (1.0) must be below p5"),
        ("shares_of", ["base", "mine"], "fleet: ", "shares_of: 'mine' is none of"),
        ("shares_of", [], "fleet.shares_of: ", "at least 1 item"),
        ("scenarios.routed.small_share", 0.8, "fleet.scenarios.routed: ", "exceed 1 together"),
        ("propagation.outer", 100, "fleet.propagation.outer: ", "power of two"),
    ],
)
def test_an_impossible_what_if_is_refused_with_its_key(
    tmp_path: Path, key: str, value: Any, where: str, what: str
) -> None:
    path = changed(tmp_path, f"fleet.{key}", value)
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(f"{path}, {where}")
    assert what in message
    assert message.count("\n") == 0, "one mistake, one line"


def test_a_scenario_is_like_another_that_there_is(tmp_path: Path) -> None:
    scenarios = from_params("fleet").scenarios
    assert scenarios["published_overhead"].lengths == scenarios["published_short"].lengths == "published"
    assert scenarios["growth_rebound"].gain == scenarios["growth"].gain
    for like in ("growth_rebound", "nothing"):  # itself, or none
        path = changed(tmp_path, "fleet.scenarios.growth_rebound.like", like)
        with pytest.raises(InputError, match=r"growth_rebound\.like: "):
            from_params("fleet", path=path)
