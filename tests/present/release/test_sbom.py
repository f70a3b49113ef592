"""Packages of the release: each of the lock once, with its hashes and a licence that we allow."""

import re
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.parse import read_citation
from pipeline.present.release.records import UNKNOWN, licence, licences, packages, sbom

# Licences under which a package may be used here, as packages word them.
ALLOWED = re.compile(
    r"0BSD|Apache[ -].*|Artistic License|(The )?BSD.*|CC0-1\.0|EPL-2\.0|ISC.*|MIT.*|MPL-2\.0|Mozilla .*|"
    r"PSF-2\.0|Python Software Foundation.*|Zlib|Zope Public License"
)
# Copyleft, and yet allowed: DVC loads them, nothing of ours does, and no release holds them.
OF_DVC = {"grandalf": "GNU General Public License v2 (GPLv2)", "pygit2": "GPLv2 with linking exception"}
# Not installed on every platform, or without a word in their metadata: as their sources state it.
STATED = {"appnope": "BSD", "pywin32": "PSF-2.0", "pywinpty": "MIT", "axe-playwright-python": "MIT"}


def allowed(stated: str) -> bool:
    """Whether one of the alternatives has nothing but allowed licences."""
    ways = re.split(r" or ", stated, flags=re.IGNORECASE)
    return any(all(ALLOWED.fullmatch(part.strip(" ()")) for part in re.split(r" AND ", way)) for way in ways)


def test_every_licence_is_allowed() -> None:
    found = {item["name"]: item["licence"] for item in packages()}
    found |= {name: licence for name, licence in STATED.items() if found.get(name) == UNKNOWN}
    assert {name: one for name, one in found.items() if not allowed(one) and OF_DVC.get(name) != one} == {}
    assert set(OF_DVC) | set(STATED) <= set(found)  # an exception that is not needed any more goes


def test_a_licence_that_is_not_on_the_list_is_not_allowed() -> None:
    assert not any(map(allowed, ["GPLv3", "MIT AND GPL-3.0-only", "not stated", ""]))
    assert all(map(allowed, ["MIT", "GPL-2.0 OR Apache-2.0", "MPL-2.0 AND (Apache-2.0 OR MIT)"]))


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
