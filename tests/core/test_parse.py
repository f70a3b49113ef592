"""YAML and JSON of people: whatever is wrong, one line says where and what."""

import tomllib
from pathlib import Path

import pytest

from pipeline.core.errors import InputError, shown
from pipeline.core.parse import read_citation, read_json_file, read_yaml_file

NINE = "[" + ", ".join(["*a"] * 9) + "]"


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_yaml_file(path)
    message = str(error.value)
    assert "\n" not in message and len(message) < 300 + len(str(path))
    return message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: \0", "control characters"),
        ("a: \x07", "control characters"),
        ("a: 2026-13-45", "month"),
        ("a: 2026-01-01 99:99:99", "hour"),
        ("a: 2026-01-01", "a: a date, expected text"),
        (f"a: {'9' * 5000}", "digits"),
        ("a: !!float abc", "could not convert"),
        ("a: !!bool abc", "not valid YAML"),
        ("a: !!binary aGVsbG8=", "a: a bytes"),
        ("a: !!python/object:os.system x", "line 1: not valid YAML"),
        ("a:\n  1: 3", "a: key 1, expected a name"),
        ("a: 1\na: 2", "duplicate key"),
        (f"a: &a [1]\nb: {NINE}", r"alias \*a"),
        ("a: " + "[" * 20_000, "levels deep"),
        ("a: [", "line 2: not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        raise InputError(refused(tmp_path, text))


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 5000, "{", "\x00"])
def test_json_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not valid JSON"):
        read_json_file(path)


def test_a_missing_file_a_folder_and_other_bytes(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x80")
    for name, expected in (("none", "no such file"), (".", "cannot be read"), ("bytes", "not UTF-8")):
        with pytest.raises(InputError, match=expected):
            read_yaml_file(tmp_path / name)


def test_a_value_in_a_message_is_short() -> None:
    for value in ("x" * 10**6, list(range(10**5)), {"a": [[["x" * 999]]]}, 10**5000):
        assert len(shown(value)) < 200
    assert shown("8xH100") == "'8xH100'"


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


def test_what_waits_for_an_owner_is_named_until_it_is_given(tmp_path):
    assert [one.split(": ")[0] for one in read_citation().waits_for] == [
        "CITATION.cff, doi",
        "CITATION.cff, date-released",
        "CITATION.cff, repository-code",
        "CITATION.cff, authors.0",
    ]
    whole = TEXT.replace("authors:", "doi: 10.5281/zenodo.1\ndate-released: 2026-01-01\n"
                         "repository-code: https://example.org/perquery\nauthors:", 1)  # fmt: skip
    person = "family-names: One, given-names: Some, orcid: 'https://orcid.org/0'"
    whole = whole.replace("- name: The perquery contributors", f"- {{{person}}}", 1)
    (tmp_path / "CITATION.cff").write_text(whole, encoding="utf-8")
    assert read_citation(tmp_path / "CITATION.cff").waits_for == []
