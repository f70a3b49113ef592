"""YAML, JSON and BibTeX that people and programs hand us: whatever a parser raises becomes one message."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from pipeline.core.errors import InputError, shown

BIBLIOGRAPHY = Path("paper/references.bib")  # every source of a table and of params.yaml
DEEPEST = 50  # levels of nesting
PLAIN = (str, bool, int, float, type(None))


def read_yaml_file(path: Path | str, name: str = r"[^\x00-\x1f]+") -> Any:
    """Text, numbers, lists and tables with text as keys, as they stand in a YAML file; raises InputError.

    An alias is refused, since a few of them repeat themselves a billion times over, and so is what YAML makes
    objects of: dates, bytes, sets. `name`: what a key has to match.
    """
    path = Path(path)

    def parse(text: str) -> Any:
        depth = 0
        for event in YAML(typ="safe").parse(text):
            if isinstance(event, AliasEvent):
                raise ValueError(f"alias *{event.anchor}, expected what it stands for")
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                raise ValueError(f"nested more than {DEEPEST} levels deep")
        return YAML(typ="safe").load(text)

    data = _parsed(path, "YAML", parse)
    _check_plain(path, data, "", re.compile(name))
    return data


def read_json_file(path: Path | str) -> Any:
    """The content of a JSON file; raises InputError."""
    return _parsed(Path(path), "JSON", json.loads)


def reference_keys(path: Path | str = BIBLIOGRAPHY) -> frozenset[str]:
    """The keys of a BibTeX file; raises InputError."""
    from pybtex.database import parse_string  # a fifth of a second that other readers need not spend

    return frozenset(_parsed(Path(path), "BibTeX", lambda text: parse_string(text, "bibtex").entries))


def _parsed(path: Path, kind: str, parse: Callable[[str], Any]) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    try:
        return parse(text)
    except MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: not valid {kind} ({error.problem})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid {kind} ({error.msg})") from None
    except RecursionError:
        raise InputError(f"{path}: not valid {kind} (nested too deeply)") from None
    except Exception as error:  # parsers raise what they please: ValueError, KeyError, TypeError, their own
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not valid {kind} ({said[: DEEPEST * 4]})") from None


def _check_plain(path: Path, data: Any, at: str, name: re.Pattern[str]) -> None:
    where = f"{path}, {at.removeprefix('.')}" if at else f"{path}"
    if isinstance(data, dict):
        for key, item in data.items():
            if not isinstance(key, str) or not name.fullmatch(key):
                raise InputError(f"{where}: key {shown(key)}, expected a name")
            _check_plain(path, item, f"{at}.{key}", name)
    elif isinstance(data, list):
        for number, item in enumerate(data):
            _check_plain(path, item, f"{at}.{number}", name)
    elif not isinstance(data, PLAIN):
        raise InputError(f"{where}: a {type(data).__name__}, expected text, a number, a list or a table")


CITATION = Path("CITATION.cff")
REQUIRED = (
    "cff-version",
    "message",
    "title",
    "type",
    "version",
    "license",
    "authors",
    "keywords",
    "references",
)
# What only an owner of the project can give, by the key that it stands under.
WAITED_FOR = {
    "doi": "of the archived release",
    "date-released": "YYYY-MM-DD",
    "repository-code": "address of the repository",
}
VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Citation:
    """Title, version, licence of the code, names, key words, what the project re-analyses (title, DOI).

    waits_for: what an owner has yet to fill in.
    """

    title: str
    version: str
    licence: str
    authors: list[str]
    keywords: list[str]
    reanalyses: list[tuple[str, str]]
    waits_for: list[str]


def read_citation(path: Path | str = CITATION) -> Citation:
    """Read and check; raises InputError naming the key that is missing or wrong."""
    try:
        data: dict[str, Any] = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    for key in REQUIRED:
        if not data.get(key):
            raise InputError(f"{path}, {key}: missing")
    if not VERSION.fullmatch(str(data["version"])):
        raise InputError(f"{path}, version: {data['version']!r}, expected three numbers, as 0.1.0")
    for number, reference in enumerate(data["references"]):
        for key in ("type", "title", "authors", "doi"):
            if not reference.get(key):
                raise InputError(f"{path}, references.{number}.{key}: missing")
    names = [
        person.get("name") or f"{person['family-names']}, {person['given-names']}"
        for person in data["authors"]
    ]
    waits_for = [f"{path}, {key}: {what}" for key, what in WAITED_FOR.items() if not data.get(key)]
    waits_for += [
        f"{path}, authors.{number}: a person (family-names, given-names) with orcid"
        for number, person in enumerate(data["authors"])
        if not (person.get("orcid") and person.get("family-names"))
    ]
    return Citation(
        title=data["title"],
        version=str(data["version"]),
        licence=data["license"],
        authors=names,
        keywords=list(data["keywords"]),
        reanalyses=[(reference["title"], reference["doi"]) for reference in data["references"]],
        waits_for=waits_for,
    )
