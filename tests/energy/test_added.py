"""The assumption of CONTRIBUTING.md, added in a temporary clone: what does not rest on it moves no byte."""

import sys
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from tests.contributing import clone, example, insert, run

FEWER = ["energy.propagation.replicates=4", "energy.propagation.outer=16", "energy.propagation.inner=16"]
ESTIMATE = """
from pipeline.core.settings import from_params
from pipeline.energy.model.estimate import estimate
from pipeline.energy.model.study import read_study
from pipeline.present.paper import quantities
settings, simulation = from_params("energy", "simulation")
print(estimate(read_study(settings, simulation), 1e9, 0.1)[1].to_csv())
print(*quantities({"energy": settings})["key"])
"""
PUE = '"PUE", settings.pue.distribution)'

pytestmark = pytest.mark.slow


def test_an_added_assumption_moves_only_what_rests_on_it(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    apply_overrides(folder / "params.yaml", FEWER)
    before = run(folder, sys.executable, "-c", ESTIMATE).splitlines()
    settings, field, use = example("An assumption")
    insert(folder / "params.yaml", "\nenergy:\n", settings)
    insert(folder / "pipeline/energy/model/settings.py", "    pue: Pue\n", field)
    samples = folder / "pipeline/energy/model/samples.py"
    insert(samples, PUE, "\n" + use.rstrip("\n").removesuffix(","))
    after = run(folder, sys.executable, "-c", ESTIMATE).splitlines()

    assert "transformer_loss" in after[-1] and "transformer_loss" not in before[-1]
    assert len(before) == len(after)
    for boundary in ("gpu", "node"):
        of = [line for line in before if f",{boundary}," in line]
        assert of and of == [line for line in after if f",{boundary}," in line]
    rows = [[line.split(",") for line in table if ",facility," in line] for table in (before, after)]
    ratios = [float(new[5]) / float(old[5]) for old, new in zip(*rows, strict=True)]
    assert ratios and all(1.004 < ratio < 1.021 for ratio in ratios)  # the median query's P5, of 0.5 to 2 %
