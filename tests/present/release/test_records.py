"""Records for archives: data package, Zenodo, RO-Crate."""

import hashlib
import json
import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import frictionless
import pytest

from pipeline.core.files import write_json
from pipeline.core.parse import read_citation
from pipeline.present.release.datapackage import contract, croissant, data_package, header, resource
from pipeline.present.release.records import codemeta, crate, waits_for_owner, zenodo

CITATION = read_citation()
MODEL_PARTS = ("parameters", "root", "configurations", "coupling")
# Parameters of fitted models, whose shape is the model's own, and tables without rows yet.
NO_CONTRACT = {
    "published_throughput_fit",
    "support",
    *(f"{form}_{part}" for form in ("step", "power") for part in MODEL_PARTS),
    "factor_changes",
}
TABLES = sorted(
    path for folder in ("published", "telemetry", "results") for path in Path("data", folder).rglob("*.csv")
)


def test_every_table_is_described_by_its_contract():
    assert {path.stem for path in TABLES if contract(path) is None} <= NO_CONTRACT
    package = data_package(CITATION)
    assert [resource["path"] for resource in package["resources"]] == [path.as_posix() for path in TABLES]
    names = [resource["name"] for resource in package["resources"]]
    assert len(set(names)) == len(names)


def test_croissant_describes_the_same_tables_column_by_column():
    package = data_package(CITATION, handed_on={"data/published/pue.csv", "data/published/models.csv"})
    found = croissant(package, CITATION, "2026-11-30")
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    files = {item["@id"]: item for item in found["distribution"]}
    for table, records in zip(package["resources"], found["recordSet"], strict=True):
        assert files[table["path"]]["sha256"] == hashlib.sha256(Path(table["path"]).read_bytes()).hexdigest()
        columns = [field["source"]["extract"]["column"] for field in records["field"]]
        assert columns == header(Path(table["path"]))
        assert {field["source"]["fileObject"]["@id"] for field in records["field"]} == {table["path"]}
        assert {field["dataType"] for field in records["field"]} <= {"sc:Float", "sc:Integer", "sc:Text"}


def test_a_table_that_is_not_handed_on_is_not_described():
    package = data_package(CITATION, handed_on={"data/published/pue.csv", "README.md"})
    assert [resource["path"] for resource in package["resources"]] == ["data/published/pue.csv"]


def test_the_contract_is_that_of_the_name_where_several_fit():
    assert contract(Path("data/published/pue.csv")).description.startswith("Power usage")
    assert contract(Path("data/published/levers.csv")).description.startswith("What improves")
    assert contract(Path("data/telemetry/sources.csv")).description.startswith("What each measured source")
    assert contract(Path("data/results/sources.csv")).description.startswith("What became of every")


def test_a_source_of_serving_is_described_by_the_columns_that_it_has():
    path = Path("data/telemetry/serving/small_models.csv")
    schema = resource(path, path.as_posix())["schema"]
    assert [field["name"] for field in schema["fields"]] == header(path) != list(contract(path).columns)
    assert all("description" in field for field in schema["fields"])


@pytest.fixture
def package(tmp_path):
    """The descriptor beside a copy of the data; wrong ends of rows are found in all of them."""
    shutil.copytree("data", tmp_path / "data", ignore=shutil.ignore_patterns("examples", "releases"))
    write_json(data_package(CITATION), tmp_path / "datapackage.json")
    return tmp_path / "datapackage.json"


def test_the_data_package_is_valid_and_a_wrong_value_is_found(package):
    report = frictionless.Package(str(package)).validate(limit_rows=1000)
    assert report.valid, [error.message for task in report.tasks for error in task.errors][:5]
    pue = package.parent / "data/published/pue.csv"
    text = pue.read_text(encoding="utf-8")
    pue.write_text(text.replace("ratio", "percent", 1), encoding="utf-8")
    resource = frictionless.Package(str(package)).get_resource("published-pue")
    found = resource.validate()
    assert not found.valid
    assert {error.type for task in found.tasks for error in task.errors} >= {"constraint-error"}


def test_zenodo_is_the_committed_one_and_names_the_study():
    committed = json.loads(Path(".zenodo.json").read_text(encoding="utf-8"))
    assert committed == zenodo(CITATION)
    assert committed["related_identifiers"][0]["identifier"] == CITATION.reanalyses[0][1]


def test_every_record_has_the_version_of_the_citation():
    """The wheel and the paper take it from there: tests/present/release/test_wheel.py, paper/paper.typ."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = data_package(CITATION, handed_on={"data/published/pue.csv"})
    root = {item["@id"]: item for item in crate(CITATION, "2026-06-01", [])["@graph"]}["./"]
    files = (Path(".zenodo.json"), Path("data/results/factors/factors.json"))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    records += [project, codemeta(CITATION), package, root, croissant(package, CITATION, "2026-06-01")]
    assert {record["version"] for record in records} == {CITATION.version}
    assert 'yaml("/CITATION.cff").version' in Path("paper/paper.typ").read_text(encoding="utf-8")
    assert re.search(r"\d+\.\d+\.\d+", Path("paper/paper.md").read_text(encoding="utf-8")) is None


def test_what_waits_for_an_owner_is_listed(tmp_path):
    found = waits_for_owner(CITATION)
    assert found[: len(CITATION.waits_for)] == CITATION.waits_for
    assert "paper/sections/declarations.typ: 2 parts" in found and "paper/paper.md: 1 parts" in found
    assert waits_for_owner(replace(CITATION, waits_for=[]), tmp_path) == []


def test_the_paper_for_software_has_its_sections_and_its_sources():
    text = Path("paper/paper.md").read_text(encoding="utf-8")
    for section in ("Summary", "Statement of need", "State of the field", "References"):
        assert f"\n# {section}\n" in text
    keys = re.findall(r"@(\w+)", text)
    known = re.findall(r"^@\w+\{(\w+),", Path("paper/references.bib").read_text(encoding="utf-8"), re.M)
    assert keys and set(keys) <= set(known)
    assert 250 < len(text.split()) < 1000


def test_the_crate_says_what_is_what():
    files = [("data/results/a.csv", 10), ("pipeline/x.py", 5), ("README.md", 7)]
    files += [("site/index.html", 9), ("site/fonts/Roboto-Bold.ttf", 9)]
    graph = {item["@id"]: item for item in crate(CITATION, "2026-06-01", files)["@graph"]}
    root = graph["./"]
    assert root["datePublished"] == "2026-06-01" and root["version"] == CITATION.version
    assert [part["@id"] for part in root["hasPart"]] == [path for path, _ in files]
    assert graph["data/results/a.csv"]["license"]["@id"].endswith("/by/4.0/")
    assert graph["pipeline/x.py"]["license"]["@id"].endswith("/MIT")
    assert graph["site/index.html"]["license"]["@id"].endswith("/by/4.0/")
    assert graph["site/fonts/Roboto-Bold.ttf"]["license"]["@id"].endswith("/Apache-2.0")
    assert graph["data/results/a.csv"]["encodingFormat"] == "text/csv"
    assert f"https://doi.org/{CITATION.reanalyses[0][1]}" in graph
