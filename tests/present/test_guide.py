"""README and guide: their commands run, or name what there is; their numbers are those of the results."""

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.parse import read_yaml_file
from pipeline.report.formats import interval, significant

GUIDES = [Path("README.md"), Path(".github/GUIDE.md")]
SHADES = "░▒▓█"
MADE_BY_READER = {"mine.csv", "measured.csv"}


def commands() -> list[list[str]]:
    found = []
    for path in GUIDES:
        for block in re.findall(r"^```sh\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S):
            found += [shlex.split(line, comments=True) for line in block.splitlines() if line.strip()]
    return found


def of(tool: str) -> list[list[str]]:
    return [words for words in commands() if tool in words[:2]]


def test_every_command_is_of_a_known_kind() -> None:
    for words in commands():
        assert words[0] in ("make", "dvc", "python", ".") or words[0].startswith("PYTHONPATH="), words


def test_targets_and_figures_of_make_exist() -> None:
    makefile = Path("Makefile").read_text(encoding="utf-8")
    for _, target, *more in of("make"):
        assert re.search(rf"^{target}:", makefile, re.M), target
        for word in more:
            assert Path("figures", f"{word.removeprefix('NAME=')}.svg").exists(), word


def test_what_ifs_set_what_there_is_and_stop_at_a_stage() -> None:
    params, stages = read_yaml_file("params.yaml"), read_yaml_file("dvc.yaml")["stages"]
    runs = [words for words in of("dvc") if words[1:3] == ["exp", "run"]]
    assert len(runs) > 4
    for words in runs:
        assert words[-1] in stages
        for at, word in enumerate(words):
            if word == "-S":
                value = params
                for part in words[at + 1].split("=")[0].split("."):
                    value = value[part]


def test_modules_and_files_that_are_named_exist() -> None:
    for words in of("python"):
        if words[1] == "-m" and words[2].startswith("pipeline."):
            assert find_spec(words[2])
            for word in words[3:]:
                if "/" in word and not word.startswith(("build/", "dist/")):
                    assert Path(word).exists(), word
                elif word.endswith(".csv") and not word.startswith(("build/", "predictions")):
                    assert word in MADE_BY_READER or Path(word).exists(), word


@pytest.mark.slow
def test_the_commands_of_an_operator_run(tmp_path: Path) -> None:
    """On the tables here, into another folder."""
    ran = 0
    for words in of("python"):
        if (
            MADE_BY_READER & set(words) or "pip" in words or words[0] != "python"
        ):  # test_wheel.py  # test_wheel.py has those
            continue
        out = [str(tmp_path / word) if words[at - 1] == "-o" else word for at, word in enumerate(words)]
        done = subprocess.run([sys.executable, *out[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr)
        ran += 1
    assert ran >= 4


def test_the_interval_that_is_explained_is_the_headline() -> None:
    rows = pd.read_csv("data/results/re_estimated.csv")
    wanted = {"variant": "production_lengths", "regime": "short", "boundary": "facility"}
    wanted["subject"] = "large mixture-of-experts"
    one = rows.set_index(list(wanted)).loc[tuple(wanted.values())]
    shown = interval(*one[["median_p50_wh", "median_p5_wh", "median_p95_wh"]])
    low, high = (significant(one[f"median_{name}_wh"]) for name in ("p5", "p95"))
    text = " ".join(GUIDES[1].read_text(encoding="utf-8").split())
    assert (
        f"`{shown}`" in text
        and f"between {low} and {high} Wh; the middle one has {shown.split()[0]}." in text
    )


def test_the_sweep_in_two_dimensions_is_that_of_the_results() -> None:
    rows = pd.read_csv("data/results/fleet_sweep.csv")
    some = rows[(rows["quantity"] == "energy") & (rows["component"] == "total") & (rows["small_share"] == 0)]
    grid = some.pivot_table("p50", "agentic_share", "long_share")
    least, span = grid.min().min(), np.log(grid.max().max() / grid.min().min())
    text = GUIDES[1].read_text(encoding="utf-8")
    for share, row in grid.iterrows():
        shades = [SHADES[min(3, int(4 * np.log(value / least) / span))] for value in row]
        cells = [f"{shade} {significant(value)}" for shade, value in zip(shades, row, strict=True)]
        assert f"  | {share:g} | {' | '.join(cells)} |" in text


def flow() -> str:
    """Stages of dvc.yaml in Mermaid: an arrow where one reads what another wrote, unless others say so."""
    stages = read_yaml_file("dvc.yaml")["stages"]
    before: dict[str, set[str]] = {}
    for name, stage in stages.items():
        made = {other: wrote(stages[other]) for other in stages if other != name}
        reads = [(read, path, other) for read in stage["deps"] for other in made for path in made[other]]
        before[name] = {other for read, path, other in reads if path_meets(read, path)}

    def behind(name: str) -> set[str]:
        return before[name].union(*(behind(other) for other in before[name]))

    arrows = [f"  {other} --> {name}" for other in stages for name in stages if other in before[name]
              and not any(other in behind(via) for via in before[name])]  # fmt: skip
    return "\n".join(["```mermaid", "flowchart LR", *arrows, "```"])


def wrote(stage: dict) -> list[str]:
    entries = [*stage["outs"], *stage.get("metrics", [])]
    return [one if isinstance(one, str) else next(iter(one)) for one in entries]


def path_meets(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def test_the_data_flow_is_drawn_from_the_stages() -> None:
    assert flow() in Path("pipeline/README.md").read_text(encoding="utf-8"), flow()
