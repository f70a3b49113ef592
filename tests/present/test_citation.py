import tomllib
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.present.citation import read_citation

TEXT = Path("CITATION.cff").read_text(encoding="utf-8")


def test_the_citation_is_complete_and_of_this_version():
    citation = read_citation()
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation.version == project["version"]
    assert citation.reanalyses[0][1].startswith("10.")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("license: MIT", "licence: MIT", "license: missing"),
        ("version: 0.1.0", "version: first", "'first', expected three numbers"),
        ("    doi: 10.1016/j.joule.2026.102430", "", r"references\.0\.doi: missing"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, said):
    assert old in TEXT
    path = tmp_path / "CITATION.cff"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_citation(path)
