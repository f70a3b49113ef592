import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import first_run
from pipeline.first_run import ASIDE, predecessors, run_all, run_stage
from pipeline.reproduce import live_stages


def test_a_stage_follows_the_writers_of_its_files_folders_and_parts_of_folders() -> None:
    stages = {
        "file": {"outs": ["build/a.csv"]},
        "folder": {"outs": [{"figures": {"cache": False}}], "metrics": ["metrics.json"]},
        "other": {"outs": ["build/a.csv.gz"]},
        "reads": {"deps": ["build/a.csv", "figures/one.pdf"], "outs": ["data"]},
        "reads_all": {"deps": ["build", "metrics.json"]},
    }
    assert predecessors(stages) == {
        "file": set(),
        "folder": set(),
        "other": set(),
        "reads": {"file", "folder"},
        "reads_all": {"file", "other", "folder"},
    }


def test_the_pipeline_has_one_first_stage_to_read_assumptions_and_the_paper_and_the_site_come_last() -> None:
    before = predecessors(live_stages(YAML(typ="safe").load(Path("dvc.yaml"))))
    assert "check_assumptions" in before["fit_serving_model"]
    assert "collect_numbers" in before["typeset_paper"]
    assert {name for name, names in before.items() if "typeset_paper" in names} == {"build_site"}
    assert not any("build_site" in names for names in before.values())


def test_what_an_earlier_run_left_in_an_output_folder_is_removed(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.csv").touch()
    done, _ = run_stage("one", {"cmd": "mkdir out && touch out/new.csv", "outs": ["out"]}, {})
    assert done.returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new.csv"]
    assert not (ASIDE / "one").exists()


def test_a_stage_that_fails_ends_the_run_with_its_output_and_status(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    stages = {
        "breaks": {"cmd": "echo row 7 is bad; exit 3", "outs": ["a"]},
        "after": {"cmd": "touch b", "deps": ["a"], "outs": ["b"]},
    }
    with pytest.raises(SystemExit) as stop:
        run_all(stages, workers=2)
    assert stop.value.code == 3
    assert "row 7 is bad" in capfd.readouterr().err
    assert not (tmp_path / "b").exists()


SLOW = "rm -rf out new; mkdir out && echo half > out/a.csv && echo half > new && touch started && sleep 60"
ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with outputs of a stage, as they come with git."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("committed")
    (tmp_path / "metrics.json").write_text("{}")
    return tmp_path


def assert_as_before(folder: Path) -> None:
    assert (folder / "out" / "a.csv").read_text() == "committed"
    assert (folder / "metrics.json").read_text() == "{}"
    assert not (folder / "new").exists()
    assert not any(path.is_file() for path in (folder / ASIDE).rglob("*"))


def test_a_failure_is_said_at_once_and_stops_the_rest_whose_outputs_come_back(folder, capfd) -> None:
    stages = {
        "slow": {"cmd": SLOW, "outs": ["out", "new"], "metrics": ["metrics.json"]},
        "breaks": {"cmd": "while [ ! -e started ]; do sleep 0.1; done; echo row 7 is bad; exit 3"},
    }
    start = time.monotonic()
    with pytest.raises(SystemExit) as end:
        run_all(stages, workers=2)
    assert end.value.code == 3
    assert time.monotonic() - start < 30
    said = capfd.readouterr().err
    assert said.index("row 7 is bad") < said.index("stopped, with outputs as they were: slow")
    assert_as_before(folder)


def test_the_outputs_of_a_stage_that_fails_come_back(folder) -> None:
    stage = {"cmd": "mkdir out; echo half > out/a.csv; exit 1", "outs": ["out"], "metrics": ["metrics.json"]}
    with pytest.raises(SystemExit):
        run_all({"breaks": stage})
    assert_as_before(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_takes_nothing_away(folder, number) -> None:
    stages = {"slow": {"cmd": SLOW, "outs": ["out", "new"], "metrics": ["metrics.json"]}}
    words = [sys.executable, "-c", f"from pipeline.first_run import run_all; run_all({stages!r})"]
    run = subprocess.Popen(
        words, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while not (folder / "started").exists():
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        assert not (folder / "metrics.json").exists()
        run.send_signal(number)
        _, said = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 128 + number
    assert "stopped, with outputs as they were: slow" in said and "Traceback" not in said
    assert_as_before(folder)


def test_what_a_run_that_was_killed_left_aside_comes_back_first(folder, monkeypatch) -> None:
    monkeypatch.setattr(first_run, "record", lambda names: None)
    first_run.set_aside("slow", [Path("out")])
    (folder / "out").mkdir()
    (folder / "out" / "half.csv").touch()
    stages = {"slow": {"cmd": "exit 1", "outs": ["out"], "metrics": ["metrics.json"]}}
    with pytest.raises(SystemExit):
        run_all(stages)
    assert_as_before(folder)
    assert not (folder / "out" / "half.csv").exists()


def test_a_long_stage_is_named_while_it_runs(folder, monkeypatch, capsys) -> None:
    monkeypatch.setattr(first_run, "record", lambda names: None)
    monkeypatch.setattr(first_run, "HEARTBEAT_S", 0.2)
    run_all({"long": {"cmd": "sleep 1"}})
    assert "under way: long 0 s" in capsys.readouterr().out
