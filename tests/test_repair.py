"""What a kill leaves broken is put right, runs wait for each other, and DVC records only what is so."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import repair
from pipeline.repair import LEFTOVER, PIPELINES, TEMPORARY, alone, held, keep, running, stages_of

TOP = Path.cwd()

pytestmark = pytest.mark.slow
STAGE = """
import os, sys, time
from pathlib import Path
from pipeline.core.errors import run
from pipeline.core.files import write_atomically

def write(path):
    path.write_text(Path("data/a").read_text())
    if (word := Path("data/a").read_text().strip()) == "edit":
        Path("data/a").write_text("edited\\n")
    elif word == "wait":
        Path("being").write_text(str(os.getpid()))
        Path("being").rename("waiting")
        time.sleep(60)

run(lambda: write_atomically("data/b", write))
"""


def stage(command: str, out: object, *needs: str) -> dict[str, object]:
    return {"cmd": command, "deps": list(needs), "outs": [out]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small pipeline in a folder of its own, run once and committed."""
    folder = tmp_path_factory.mktemp("made")
    for name in (".dvc", "data/assumptions"):
        (folder / name).mkdir(parents=True)
    shutil.copy2(".dvc/config", folder / ".dvc/config")
    (folder / "stage.py").write_text(STAGE)
    (folder / "data/a").write_text("1\n")
    (folder / "data/p").write_text("2\n")
    first = {"first": {**stage("cp p q", "q", "p"), "wdir": ".."}}
    (folder / PIPELINES[0]).write_text(json.dumps({"stages": first}))
    stages = {
        "copy": stage("python stage.py", {"data/b": {"cache": False}}, "data/a", "data/q"),
        "again": stage("mkdir c && cp data/b c/d", "c", "data/b"),
    }
    (folder / PIPELINES[1]).write_text(json.dumps({"stages": stages}))
    (folder / ".gitignore").write_text("/c\n/data/q\n")
    run(folder, "git", "init", "--quiet")
    run(folder, "dvc", "repro")
    run(folder, "git", "add", "--all")
    run(folder, "git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "Run")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to break, as the current folder."""
    folder = tmp_path / "copy"
    shutil.copytree(made, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(TOP), "DVC_NO_ANALYTICS": "1"}


def run(folder: Path, *command: str, code: int = 0) -> str:
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def repaired() -> list[str]:
    stages_of.cache_clear()
    return list(repair.repair())


def test_nothing_is_repaired_where_nothing_is_broken(folder: Path) -> None:
    assert repaired() == []
    assert run(folder, "git", "status", "--porcelain") == ""


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.6, 0.8, 0.95])
def test_a_lock_cut_short_is_put_back(folder: Path, share: float, kept: bool) -> None:
    lock = folder / "dvc.lock"
    whole = lock.read_text()
    if kept:
        keep()
        run(folder, "git", "rm", "--quiet", "--cached", "dvc.lock")
        run(folder, "git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "No lock")
    lock.write_text(whole[: int(share * len(whole))])
    (said,) = repaired()
    assert "put back dvc.lock" in said
    assert lock.read_text() == whole


def test_a_lock_with_marks_of_a_merge_is_put_back(folder: Path) -> None:
    lock = folder / "dvc.lock"
    whole = lock.read_text()
    lock.write_text(f"<<<<<<< ours\n{whole}=======\n{whole}>>>>>>> theirs\n")
    assert "put back" in repaired()[0]
    assert lock.read_text() == whole


def test_a_lock_that_nothing_can_put_back_is_dropped(folder: Path) -> None:
    run(folder, "git", "rm", "--quiet", "--cached", "dvc.lock")
    run(folder, "git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "No lock")
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages:\n  copy:\n    cm")
    assert "removed dvc.lock" in repaired()[0]
    assert "Running stage 'copy'" in run(folder, "dvc", "repro")


def test_stages_that_are_gone_are_forgotten(folder: Path) -> None:
    data = json.loads((folder / "dvc.yaml").read_text())
    del data["stages"]["copy"]
    (folder / "dvc.yaml").write_text(json.dumps(data))
    assert repaired() == ["forgot in dvc.lock 1 stages that dvc.yaml has no more"]
    assert stages_of((folder / "dvc.lock").read_text()).keys() == {"again"}
    assert "up to date" in run(folder, "dvc", "status")


@pytest.mark.parametrize(
    "content", ["", '{"write": {"/a": {"pid"', '{"write": [1]}', '{"read": {"/a": [{"cmd": "x"}]}}']
)
def test_an_rwlock_that_dvc_cannot_read_is_dropped(folder: Path, content: str) -> None:
    (folder / TEMPORARY / "rwlock").write_text(content)
    run(folder, "dvc", "repro", "--force", "copy", code=255)
    assert "dropped .dvc/tmp/rwlock" in repaired()[0]
    run(folder, "dvc", "repro", "--force", "copy")


def test_what_a_killed_writer_left_is_removed(folder: Path) -> None:
    (folder / "data/.b.csv.a1b2_3d4.csv").touch()
    (folder / "data/.gitkeep.txt").touch()
    assert len(repaired()) == 1
    assert (folder / "data/.gitkeep.txt").exists()
    assert not LEFTOVER.fullmatch(".gitignore")


def test_a_corrupt_object_of_the_cache_is_removed_and_made_again(folder: Path) -> None:
    out = stages_of((folder / "dvc.lock").read_text())["again"]["outs"][0]["md5"]
    listing = json.loads((repair.CACHE / out[:2] / out[2:]).read_text())
    name = listing[0]["md5"]
    file = repair.CACHE / name[:2] / name[2:]
    file.chmod(0o644)
    file.write_text("")
    assert f"removed {file} of the cache" in repaired()[0]
    shutil.rmtree(folder / "c")
    run(folder, "dvc", "repro")
    assert (folder / "c/d").read_text() == "1\n"


def test_a_second_run_says_that_it_waits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = "import sys,time; sys.path.insert(0, sys.argv[1]); from pipeline.repair import alone\n"
    script += "with alone(): print('in', flush=True); time.sleep(2)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(TOP)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "in\n"
        with alone():
            assert other.wait(timeout=0.5) == 0  # it had ended
    assert "Waiting for another run to end" in capsys.readouterr().out


def test_a_run_waits_for_one_of_dvc_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen(["sleep", "1.5"]) as other:
        noted = {"write": {"/a": {"pid": other.pid, "cmd": "dvc repro"}}}
        (folder / TEMPORARY / "rwlock").write_text(json.dumps(noted))
        assert running() == other.pid
        reaped = other
        # A process that ended stays in /proc until its parent asks after it.
        signal.signal(signal.SIGCHLD, lambda *_: reaped.poll() and None)
        try:
            with alone():
                assert running() == 0
        finally:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    assert f"(process {other.pid})" in capsys.readouterr().out


def test_a_lock_file_that_is_free_is_not_waited_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held(TEMPORARY / "perquery.lock"):
        pass
    with held(TEMPORARY / "perquery.lock"):
        pass
    assert capsys.readouterr().out == ""


def test_an_edit_while_a_stage_runs_is_not_recorded(folder: Path) -> None:
    (folder / "data/a").write_text("edit\n")
    said = run(folder, "dvc", "repro", code=255)
    assert "error: data/a: changed while stage 'copy' ran" in said
    assert "changed deps" in run(folder, "dvc", "status")
    run(folder, "dvc", "repro")
    assert (folder / "c/d").read_text() == "edited\n"


def test_a_frozen_stage_whose_inputs_changed_is_named(folder: Path) -> None:
    data = json.loads((folder / "dvc.yaml").read_text())
    data["stages"]["copy"]["frozen"] = True
    (folder / "dvc.yaml").write_text(json.dumps(data))
    asked = (sys.executable, "-c", "from pipeline.reproduce import changed_inputs; print(changed_inputs())")
    assert run(folder, *asked).splitlines()[-1] == "[]"
    (folder / "data/a").write_text("3\n")
    assert run(folder, *asked).splitlines()[-1] == "['data/a']"


@pytest.fixture(params=["/bin/bash", "/bin/sh"])
def killed(folder: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """The process of a stage whose `dvc repro` was killed, by either kind of shell."""
    (folder / "data/a").write_text("wait\n")
    shell = {"SHELL": request.param}
    with subprocess.Popen(["dvc", "repro"], env=environment() | shell, stdout=subprocess.DEVNULL) as dvc:
        until(lambda: (folder / "waiting").exists())
        pid = int((folder / "waiting").read_text())
        assert running() == dvc.pid
        dvc.kill()
    yield pid


def until(so, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_stage_goes_on_writing_when_dvc_is_killed(folder: Path, killed: int) -> None:
    until(lambda: not Path(f"/proc/{killed}").exists())
    assert not [path for path in (folder / "data").iterdir() if LEFTOVER.fullmatch(path.name)]
    assert not (folder / "data/b").exists()
    (folder / "data/a").write_text("1\n")
    run(folder, "dvc", "repro")
    assert run(folder, "git", "status", "--porcelain") == "?? waiting\n"
