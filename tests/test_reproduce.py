"""The real pipeline in a temporary copy: committed results again, the same bytes twice, only what changed."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.errors import InputError
from pipeline.first_run import paths
from pipeline.reproduce import MARK, RUNNING, as_text, committed_outputs, digests, live_stages, start_git

STAGES = live_stages(YAML(typ="safe").load(Path("dvc.yaml")))
FILES = {str(path) for stage in STAGES.values() for path in paths(stage["deps"]) if len(path.parts) == 1}
FILES |= {"dvc.yaml", "dvc.lock", "metrics.json", "pyproject.toml", ".dvcignore", ".gitignore"}
FOLDERS = {"pipeline", "data", "notebooks", "paper", "figures", ".dvc"}
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
OTHER_PLACE = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    found = [Path(name) for name in listed.split("\0") if name]
    return [path for path in found if path.exists() and (path.parts[0] in FOLDERS or str(path) in FILES)]


def run(folder: Path, *command: str, **environment: str) -> str:
    bin_folder = str(Path(sys.executable).parent)
    env = {
        **os.environ,
        **environment,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "MPLCONFIGDIR": str(folder / ".mpl"),
    }
    env |= {"DVC_NO_ANALYTICS": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first run in a new folder, in another time zone, language, home and thread count."""
    folder = tmp_path_factory.mktemp("clone")
    for path in tracked():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder / path)
    run(folder, "git", "init", "--quiet")
    run(folder, sys.executable, "-m", "pipeline.reproduce", HOME=str(folder / "home"), **OTHER_PLACE)
    return folder


def outputs(folder: Path) -> dict[str, str]:
    found = digests([folder / path for path in committed_outputs(STAGES)])
    return {str(path.relative_to(folder)): digest for path, digest in found.items()}


def assert_same_numbers(ours: object, theirs: object, where: str) -> None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in ours:
            assert_same_numbers(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(ours, float):
        assert math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-12), where  # type: ignore[arg-type]
    else:
        assert ours == theirs, where


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
def test_recomputed_results_equal_the_committed_ones(clone: Path) -> None:
    compared = 0
    for path in committed_outputs(STAGES):
        if path.suffix == ".json":
            assert_same_numbers(
                json.loads((clone / path).read_text()), json.loads(path.read_text()), str(path)
            )
        elif path.suffix == ".csv":
            ours, theirs = pd.read_csv(clone / path), pd.read_csv(path)
            pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5, obj=str(path))
        else:
            assert (clone / path).exists()
            continue
        compared += 1
    assert compared >= 4


@pytest.mark.pipeline
def test_two_runs_give_the_same_bytes_wherever_they_run(clone: Path) -> None:
    """The other run is that of this folder if it computed its outputs, else a second one of the clone."""
    first = outputs(clone)
    here = outputs(Path.cwd())
    if not MARK.exists() or MARK.read_text() != as_text(digests(committed_outputs(STAGES))):
        (clone / MARK).unlink()
        run(clone, sys.executable, "-m", "pipeline.reproduce")
        here = outputs(clone)
    assert first == here


@pytest.mark.pipeline
def test_a_second_run_does_nothing(clone: Path) -> None:
    assert "nothing to do" in run(clone, sys.executable, "-m", "pipeline.reproduce")


@pytest.mark.pipeline
def test_an_experiment_runs_only_what_depends_on_the_changed_assumption(clone: Path) -> None:
    run(clone, "git", "add", "--all")
    run(clone, "git", *IDENTITY, "commit", "--quiet", "--message", "Copy")
    key = "assumptions.as_published.base.pue.distribution.p95=1.5"
    log = run(clone, "dvc", "exp", "run", "--set-param", key, "combine_results")
    ran = {match["name"] for line in log.splitlines() if (match := RUNNING.match(line))}
    assert "estimate_published" in ran
    assert not ran & {"ingest_published", "fit_published_throughput"}
    changed = run(clone, "dvc", "metrics", "diff", "--json")
    assert json.loads(changed)["metrics.json"]
