"""Packages of the release: each of the lock once, with its hashes and its licence."""

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.parse import read_citation
from pipeline.present.release.records import licence, licences, packages, sbom


def test_every_package_of_the_lock_is_listed_with_all_its_hashes() -> None:
    lines = Path("requirements.lock").read_text(encoding="utf-8").splitlines()
    listed = packages()
    assert [f"{item['name']}=={item['version']}" for item in listed] == [
        line.split()[0] for line in lines if line[0].isalnum()
    ]
    assert sum(len(item["sha256"]) for item in listed) == sum("--hash=" in line for line in lines)
    assert list(licences(listed)) == ["name", "version", "licence"]


@pytest.mark.parametrize(
    ("name", "stated"), [("numpy", "BSD-3-Clause"), ("requests", "Apache"), ("no-such-package", "not stated")]
)
def test_a_licence_is_what_the_package_says(name: str, stated: str) -> None:
    assert stated in licence(name)


def test_a_bill_of_materials_names_the_release_and_where_a_package_is_from() -> None:
    found = sbom(read_citation(), [{"name": "a", "version": "1", "licence": "MIT", "sha256": ["0" * 64]}])
    assert found["metadata"]["component"]["version"] == read_citation().version
    assert found["components"][0]["purl"] == "pkg:pypi/a@1"


def test_a_package_without_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("one==1\n", encoding="utf-8")
    with pytest.raises(InputError, match="one has no hash"):
        packages(tmp_path / "lock")
