from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.first_run import predecessors, run_all, run_stage
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
    done, _ = run_stage({"cmd": "mkdir out && touch out/new.csv", "outs": ["out"]})
    assert done.returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new.csv"]


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
