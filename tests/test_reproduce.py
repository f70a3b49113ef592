"""The real pipeline in a temporary clone: the committed bytes again, and only what changed."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.reproduce import MARK, PIPELINES, RUNNING, rounded_apart, start_git
from tests.present.test_guide import of

AGAIN = ("inputs", "lengths", "servers", "claims")  # quick ones of each kind
OTHER_PLACE = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
}


def environment(folder: Path, **changes: str) -> dict[str, str]:
    bin_folder = str(Path(sys.executable).parent)
    own = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "MPLCONFIGDIR": str(folder / ".mpl")}
    return {**os.environ, **changes, **own, "DVC_NO_ANALYTICS": "1"}


def run(folder: Path, *command: str, **changes: str) -> str:
    env = environment(folder, **changes)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed, with what a run left here (without one, its first run takes minutes).

    Some stages run again in another time zone, language, home, hash seed and thread count, as CI runs all.
    """
    folder = tmp_path_factory.mktemp("clone")
    run(Path.cwd(), "git", "clone", "--quiet", ".", str(folder))
    if MARK.exists():
        for name in ("build", "site", ".dvc/cache"):
            shutil.copytree(name, folder / name)
    elsewhere = {"HOME": str(folder / "home"), **OTHER_PLACE}
    run(folder, sys.executable, "-m", "pipeline.reproduce", **elsewhere)
    run(folder, "dvc", "repro", "--force", "--single-item", *AGAIN, **elsewhere)
    return folder


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A folder as an archive leaves it, inside a repository that ignores it."""
    run(tmp_path, "git", "init", "--quiet")
    (tmp_path / ".gitignore").write_text("/dist/\n")
    folder = tmp_path / "dist" / "release"
    (folder / ".dvc").mkdir(parents=True)
    shutil.copy2(".dvc/config", folder / ".dvc/config")
    stage = {"cmd": "cp a b", "deps": ["a"], "outs": [{"b": {"cache": False}}]}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": {"copy": stage}}))
    (folder / "a").write_text("1\n")
    return folder


def test_an_unpacked_archive_becomes_a_repository_in_which_dvc_runs(unpacked: Path) -> None:
    assert start_git(unpacked)
    assert not start_git(unpacked)
    assert run(unpacked, "git", "ls-files").split() == [".dvc/config", "a", "dvc.yaml"]
    run(unpacked, "dvc", "repro")
    assert (unpacked / "b").read_text() == "1\n"
    run(unpacked, "git", "restore", ".")  # there is a commit to go back to, as `dvc exp` needs


def test_a_clone_and_a_folder_that_a_repository_keeps_are_left_alone(unpacked: Path) -> None:
    outer = unpacked.parents[1]
    (outer / ".gitignore").unlink()
    run(outer, "git", "add", "--all")
    assert not start_git(unpacked)
    assert not (unpacked / ".git").exists()
    assert not start_git(Path.cwd())


def test_without_git_there_is_one_clear_message(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="git is missing"):
        start_git(unpacked)


@pytest.mark.pipeline
def test_recomputed_results_are_those_of_git(clone: Path) -> None:
    """In another folder: the same bytes, but for what another processor than git's rounds the other way."""
    lines = run(clone, "git", "status", "--porcelain").splitlines()
    changed = {line[3:] for line in lines} - {str(path.with_suffix(".lock")) for path in PIPELINES}
    compare = "import sys; from pipeline.reproduce import *; print(list(filter(rounded_apart, sys.argv[1:])))"
    assert set(ast.literal_eval(run(clone, sys.executable, "-c", compare, *changed))) == changed


@pytest.mark.parametrize(
    ("before", "now", "alike"),
    [
        ("a,b\nx,0.100005\n", "a,b\nx,0.100006\n", True),
        ("a,b\nx,0.10000\n", "a,b\nx,0.10001\n", False),
        ("a,b\nx,0.1\n", "a,b\nx,0.100001\n", True),
        ("a,b\nx,-0.000692\n", "a,b\nx,-0.000693\n", True),
        ("a,b\nx,9.30001e-07\n", "a,b\nx,9.30003e-07\n", False),
        ("a,b\nx,1\n", "a,b\nx,2\n", False),
        ("a,b\nx,1\n", "a,b\nx,1\ny,1\n", False),
        ("a,b\nx,1e-7\n", "a,b\ny,1e-7\n", False),
        (f'{{"sha256": "{"0" * 64}", "p": 2.5}}', f'{{"sha256": "{"a" * 64}", "p": 2.5}}', True),
    ],
)
def test_what_another_processor_rounds_is_no_other_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, now: str, alike: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.json").write_text(before)
    start_git(tmp_path)
    Path("t.json").write_text(now)
    assert rounded_apart("t.json") == alike


@pytest.mark.pipeline
def test_a_second_run_does_nothing(clone: Path) -> None:
    assert "nothing to do" in run(clone, sys.executable, "-m", "pipeline.reproduce")


@pytest.mark.pipeline
def test_an_output_that_is_not_as_in_git_is_named(clone: Path) -> None:
    """Also when it stood so before the run, and would be taken for done."""
    run(clone, "dvc", "exp", "run", "--set-param", "what_if.pue=1.12", "what_if")
    compare = "from pipeline.reproduce import *; raise SystemExit(not report(committed_outputs(stages())))"
    done = subprocess.run(
        [sys.executable, "-c", compare], cwd=clone, env=environment(clone), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "data/results/what_if.csv differs" in done.stdout
    run(clone, sys.executable, "-m", "pipeline.reproduce", "--restore")
    assert run(clone, "git", "status", "--porcelain") == ""


@pytest.mark.pipeline
def test_the_commands_of_an_analyst_run(clone: Path) -> None:
    """As the guide has them; of the what-ifs the one that takes seconds: the next test has one of minutes."""
    for words in of("dvc"):
        if words[-1] == "what_if" or (words[1] != "queue" and words[1:3] != ["exp", "run"]):
            run(clone, *words)
    assert "what_if.requests" in run(clone, "dvc", "params", "diff")
    run(clone, sys.executable, "-m", "pipeline.reproduce", "--restore")


@pytest.mark.pipeline
def test_an_experiment_runs_only_what_depends_on_the_changed_assumption(clone: Path) -> None:
    key = "published.base.pue.distribution.p95=1.5"
    log = run(clone, "dvc", "exp", "run", "--set-param", key, "energy")
    ran = {match["name"].split(":")[-1] for line in log.splitlines() if (match := RUNNING.match(line))}
    assert {"assumptions", "published", "energy"} <= ran
    assert not ran & {"inputs", "fit_serving", "lengths"}
    assert "stops at a stage" in log
    assert json.loads(run(clone, "dvc", "metrics", "diff", "--json"))["metrics/query.json"]
    run(clone, sys.executable, "-m", "pipeline.figure", "fig-1a")
    run(clone, "dvc", "plots", "diff", "-o", "shown")
    pictures = [
        (clone / f"shown/static/{side}_figures_fig-1a.png").read_bytes() for side in ("HEAD", "workspace")
    ]
    assert pictures[0] != pictures[1]
    run(clone, sys.executable, "-m", "pipeline.reproduce", "--restore")
