"""The source of CONTRIBUTING.md, added in a temporary clone: the fit takes it in, and what follows runs."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.catalogue import path_of
from pipeline.reproduce import stages
from tests.contributing import clone, example, stage

JOINED = path_of("serving_measurements")
MODEL = Path("data/results/serving_model")
APART = {"published", "lengths"}  # rest on no measured serving

pytestmark = pytest.mark.slow


def contents(folder: Path, below: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / below).iterdir()) if path.is_file()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes], dict[str, bytes]]:
    """The clone with the source; what was fitted and which tables were checked without it."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    stage(folder, "assumptions", "inputs", "fit_serving")
    before = contents(folder, MODEL), contents(folder, Path("build/published"))
    rows, about, citation = example("A source")
    (folder / "data/telemetry/serving/mylab.csv").write_text(rows, encoding="utf-8")
    for path, block in (("data/telemetry/sources.csv", about), ("paper/references.bib", citation)):
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write(block)
    stage(folder, "inputs", "fit_serving", "validation")
    return folder, *before


def test_the_fit_changes_with_an_added_source(found) -> None:
    folder, fitted, _ = found
    assert contents(folder, MODEL) != fitted
    counts = pd.read_csv(folder / path_of("results/sources")).set_index("source").loc["mylab"]
    assert counts[["rows", "fitted", "scored", "set_aside"]].tolist() == [3, 3, 0, 0]


def test_only_what_rests_on_measurements_of_serving_follows(found) -> None:
    folder, _, checked = found
    assert contents(folder, Path("build/published")) == checked
    assert not (folder / "build/telemetry/raw").exists()
    changed = {str(JOINED), "data/telemetry/sources.csv"}
    following: set[str] = set()
    for _ in stages():
        for name, one in stages().items():
            if any(dep == out or out.startswith(f"{dep}/") for dep in one["deps"] for out in changed):
                following.add(name)
                changed |= {next(iter(out)) if isinstance(out, dict) else out for out in one.get("outs", [])}
    assert "fit_serving" in following
    assert not APART & following


def test_energy_a_token_alone_enters_the_fit_of_power(found) -> None:
    """A table of one's own, as `pipeline.logs` measures it: J per token by configuration, no rate."""
    folder, *_ = found
    fitted = contents(folder, MODEL)
    _, about, _ = example("A source")
    (folder / "data/telemetry/serving/joules.csv").write_text(
        "model,gpu,gpus,precision,concurrency,input_tokens,output_tokens,gpu_j_per_output_token\n"
        "Qwen/Qwen3-8B,H100,1,BF16,8,510,302,0.51\nQwen/Qwen3-8B,H100,1,BF16,64,508,298,0.12\n",
        encoding="utf-8",
    )
    with (folder / "data/telemetry/sources.csv").open("a", encoding="utf-8") as file:
        file.write(about.replace("mylab,", "joules,", 1).replace("throughput;gpu_power", "gpu_power"))
    stage(folder, "inputs", "fit_serving", "validation")
    counts = pd.read_csv(folder / path_of("results/sources")).set_index("source").loc["joules"]
    assert counts[["rows", "fitted", "scored", "set_aside"]].tolist() == [2, 2, 0, 0]
    changed = {name for name, data in contents(folder, MODEL).items() if data != fitted.get(name)}
    assert "power_parameters.csv" in changed and "step_parameters.csv" not in changed
