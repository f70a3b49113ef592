"""Records for archives: data package, Zenodo, RO-Crate."""

import json
import shutil
from pathlib import Path

import frictionless
import pytest

from pipeline.files import write_json
from pipeline.present.citation import read_citation
from pipeline.present.release.crate import crate
from pipeline.present.release.datapackage import contract, data_package
from pipeline.present.release.zenodo import zenodo

CITATION = read_citation()
# Parameters of fitted models, whose shape is the model's own, and tables without rows yet.
NO_CONTRACT = {
    "published_throughput_fit",
    "anchors",
    "power_coefficients",
    "step_parameters",
    "step_root",
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


def test_a_table_that_is_not_handed_on_is_not_described():
    package = data_package(CITATION, handed_on={"data/published/pue.csv", "README.md"})
    assert [resource["path"] for resource in package["resources"]] == ["data/published/pue.csv"]


def test_the_contract_is_that_of_the_name_where_several_fit():
    assert contract(Path("data/published/pue.csv")).description.startswith("Power usage")
    assert contract(Path("data/published/levers.csv")).description.startswith("What improves")


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
