import json
from pathlib import Path

import pytest

from pipeline.present.figures.catalogue import GROUPS
from pipeline.present.provenance import Origin, parameters, read_origin, traced_sections

TRACED = {"a.csv": {"x": "sha256:1", "y.z": "sha256:2"}, "b.csv": {"y": "sha256:3"}}
OTHERS = [entry for group, entries in GROUPS.items() if group != "published" for entry in entries]


def test_sections_of_several_files_are_joined_and_none_stands_inside_another():
    assert parameters(["a.csv"], TRACED) == {"x": "sha256:1", "y.z": "sha256:2"}
    assert parameters(["a.csv", "b.csv"], TRACED) == {"x": "sha256:1", "y": "sha256:3"}
    assert parameters(["typed-by-hand.csv"], TRACED) == {}


def test_sections_are_traced_through_the_stages_and_named_by_their_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("build/assumptions").mkdir(parents=True)
    Path("build/assumptions/water.json").write_text("1\n")
    stages = {
        "first": {"deps": ["build/assumptions/water.json"], "outs": ["data/w.csv"]},
        "second": {"deps": ["data/w.csv", "data/typed.csv"], "outs": ["data/result.csv"]},
        "draw": {"deps": ["data/result.csv", "data/typed.csv", "build/assumptions/figures.json"]},
    }
    found = traced_sections(Origin(stages), "draw")
    assert list(found) == ["data/result.csv"]
    before = found["data/result.csv"]["water"]
    assert before.startswith("sha256:")
    Path("build/assumptions/water.json").write_text("2\n")
    assert traced_sections(Origin(stages), "draw")["data/result.csv"]["water"] != before


@pytest.mark.parametrize("entry", OTHERS, ids=lambda entry: entry.name)
def test_every_sidecar_names_the_sections_that_its_inputs_rest_on(entry):
    origin = read_origin()
    behind = {section for path in entry.inputs for section in origin.assumptions(path)}
    named = json.loads(Path(f"figures/{entry.name}.json").read_text(encoding="utf-8"))["parameters"]
    assert named
    assert set(named) <= behind
    assert all(any(section == name or section.startswith(f"{name}.") for name in named) for section in behind)
