"""Validate params.yaml whole and lay out each section as a file: what other stages read of it.

As parameters of every stage that reads them the sections would make dvc.lock ten times as long.
"""

import csv
import fnmatch
import json
import subprocess
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipeline.core.assumption import Section
from pipeline.core.errors import InputError, run
from pipeline.core.files import write_text
from pipeline.core.parse import BIBLIOGRAPHY, reference_keys
from pipeline.core.settings import LAID_OUT, PARAMS, laid_out, read_yaml, validated

PUBLISHED = Path("data/published")
BLEND = "blend"


def check_sources(data: Mapping[str, Any], references: frozenset[str]) -> None:
    """Every `source` of the file is a key of the bibliography; raises InputError naming its path."""
    for key, source in sources(data):
        if source not in references:
            raise InputError(f"{PARAMS}, {key}: {source!r}, expected a key of {BIBLIOGRAPHY}")


def sources(data: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Dotted key and value of every `source`."""
    for name, item in data.items() if isinstance(data, dict) else enumerate(data):
        path = f"{key}.{name}".lstrip(".")
        if name == "source":
            yield path, item
        elif isinstance(item, dict | list):
            yield from sources(item, path)


def check_names(found: Mapping[str, Section]) -> None:
    """Names by which a section refers to another or to a table; raises InputError with the nearest names."""
    energy: Any = found["energy"]
    water: Any = found["water"]
    fleet: Any = found["fleet"]
    chips, rows = _column("hardware", "gpu"), [*_column("levers", "key"), *_column("routers", "key")]
    services = [*_column("service_lengths", "key"), *_column("service_practice", "key")]
    rules = {
        "what_if.model": [*(item.model for item in energy.deployments.models), BLEND],
        "what_if.site": list(water.scenarios),
        "*.gpu": chips,
        "levers.hardware.chips.*": chips,
        "levers.hardware.next.*": chips,
        "levers.best_site.site": list(fleet.sites),
        "levers.*.evidence.*": [*rows, *services],
        "lengths.*.evidence.*": services,
        "energy.*.evidence.*": services,
        "factors.classes.*.model": _column("models", "model"),
        "factors.*sites.*": list(water.scenarios),
    }
    for key, value in texts(found):
        for pattern, known in rules.items():
            if fnmatch.fnmatchcase(key, pattern) and not fnmatch.filter(known, value):
                near = get_close_matches(value, known, n=3) or known
                raise InputError(f"{PARAMS}, {key}: {value!r}, expected one of {', '.join(near)}")


def texts(item: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Dotted key and value of every text of the settings, as validated."""
    if isinstance(item, str):
        yield key.lstrip("."), item
    elif isinstance(item, Section):
        yield from texts(dict(item), key)
    elif isinstance(item, Mapping | list):
        for name, part in item.items() if isinstance(item, Mapping) else enumerate(item):
            yield from texts(part, f"{key}.{name}")


def _column(table: str, name: str) -> list[str]:
    """The names that a hand-kept table gives; its stage checks the rest of it."""
    with (PUBLISHED / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def main() -> None:
    """Validate, check names, write; say so when this is a what-if."""
    data = read_yaml()

    found = validated(data)
    check_sources(data, reference_keys())
    check_names(found)

    for name in data:
        # With every digit: a change in the last one counts.
        text = json.dumps(laid_out(name, data), indent=1, ensure_ascii=False)
        write_text(text + "\n", LAID_OUT / f"{name}.json")
    if changed_since_git():
        print(
            "params.yaml is not as in git: a run that stops at a stage leaves the results of later stages "
            "as they were. `dvc repro` brings all to one state; `make restore` goes back."
        )


def changed_since_git() -> bool:
    """Whether params.yaml differs from the committed one (in a folder that git keeps).

    By content: `git diff` misses an edit of the same second and size, as an experiment makes.
    """
    done = subprocess.run(["git", "show", f"HEAD:./{PARAMS}"], capture_output=True, check=False)
    return done.returncode == 0 and done.stdout.splitlines() != Path(PARAMS).read_bytes().splitlines()


if __name__ == "__main__":
    run(main)
