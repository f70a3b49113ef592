"""The lever of CONTRIBUTING.md, added in a temporary clone: no byte of a row without it changes."""

from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from pipeline.levers.model.contract import LEVER_REGIMES
from pipeline.levers.model.together import in_sequence
from tests.contributing import clone, example, insert, stage

FEWER = ["fleet.propagation.replicates=4", "fleet.propagation.outer=32"]
ALONE = "        together=False,\n"
WHOLE = ("Disaggregated and adaptive serving", "All levers together")
WITHOUT = ("naive", "graded", "graded to come")

pytestmark = pytest.mark.slow


def lines(folder: Path, name: str) -> list[str]:
    return (folder / f"data/results/lever_{name}.csv").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict[str, list[str]]]:
    """Lines of every table: before, with the lever alone, and with it together with all others."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    apply_overrides(folder / "params.yaml", FEWER)
    stage(folder, "inputs")

    def tables() -> dict[str, list[str]]:
        stage(folder, "assumptions", "levers")
        names = ("systems", "hardware", "scale", "combinations", "needed")
        return {name: lines(folder, name) for name in names}

    before = tables()
    settings, lever = example("A lever")
    module = folder / "pipeline/levers/model/settings.py"
    insert(folder / "params.yaml", "\nlevers:\n", settings)
    insert(module, '        {"site": Text},\n    ),\n', lever)
    alone = tables()
    module.write_text(module.read_text(encoding="utf-8").replace(lever, lever.replace(ALONE, "")))
    return {"before": before, "alone": alone, "together": tables()}


def test_an_added_lever_has_its_rows_and_no_byte_of_another_changes(found):
    for name, before in found["before"].items():
        after = found["alone"][name]
        own = [line for line in after if line.startswith("serving,Fused kernels,")]
        assert len(own) == (len(LEVER_REGIMES) if name == "systems" else 0)
        assert all(",fitted model with published settings,D," in line for line in own)
        assert [line for line in after if line not in own] == before


def test_together_with_all_others_it_changes_only_what_it_is_part_of(found):
    before, after = found["before"], found["together"]
    assert (after["hardware"], after["scale"]) == (before["hardware"], before["scale"])
    apart = [line for line in before["systems"] if not any(f",{system}," in line for system in WHOLE)]
    assert set(apart) < set(after["systems"])
    for name in ("nothing else", "next accelerators and four bits"):
        kept = [line for line in before["needed"] if line.split(",")[1] == name]
        assert kept and set(kept) <= set(after["needed"])


def test_together_with_all_others_no_step_before_it_changes(found):
    """It comes last of all, or first of its group."""
    before, after = found["before"]["combinations"], set(found["together"]["combinations"])
    groups = [lever.group for lever in in_sequence("hardware first")]
    place = {"models first": len(groups), "hardware first": groups.index("serving")}
    for line in before[1:]:
        _, combination, sequence, order = line.split(",")[:4]
        if combination in WITHOUT or int(order) <= place[sequence]:
            assert line in after
    changed = [line for line in before if line not in after]
    assert {line.split(",")[1] for line in changed} == {"overlap", "overlap to come"}
