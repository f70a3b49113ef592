"""Work side by side, and what a long stage says."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.core import processes
from pipeline.core.processes import FOLDER, YOUNG_S, heartbeat, side_by_side, temporary_folder


def test_what_is_done_side_by_side_comes_in_order() -> None:
    assert side_by_side(abs, [-3, 2, -1]) == [3, 2, 1]


def test_a_stage_that_is_asked_to_end_does_though_its_processes_work_on(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {one: {cmd: none, deps: []}}")
    script = "import time\nfrom pipeline.core.processes import *\nprint(1, flush=True)\n"
    script += "with recorded(): side_by_side(time.sleep, [60, 60, 60])"
    environment = {**os.environ, "DVC_STAGE": "one", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as stage:
        assert stage.stdout is not None and stage.stdout.readline()
        time.sleep(2)
        stage.terminate()
        assert stage.wait(30) == 128 + 15
        assert stage.stdout.read() == b""  # until those have ended too, which have it open


def test_a_long_stage_says_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "BEAT_S", 0.05)
    with heartbeat("energy"):
        time.sleep(0.2)
    time.sleep(0.1)
    said = capfd.readouterr().err.splitlines()
    assert said and all(line.startswith("   energy: 0 s, at ") for line in said)


def test_a_short_stage_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with heartbeat("energy"):
        pass
    assert capfd.readouterr().err == ""


def test_a_killed_process_leaves_its_folder_only_until_the_next(tmp_path: Path) -> None:
    script = "import sys, time\nfrom pipeline.core.processes import temporary_folder\n"
    script += "with temporary_folder(sys.argv[1]): print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        (left,) = tmp_path.glob(f"{FOLDER}*")
        old = time.time() - 2 * YOUNG_S
        os.utime(left, (old, old))
        with temporary_folder(tmp_path) as own:
            assert left.exists() and own != left
        other.kill()
        other.wait()
        with temporary_folder(tmp_path) as own:
            assert list(tmp_path.iterdir()) == [own]
    assert not list(tmp_path.iterdir())
