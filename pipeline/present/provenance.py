"""Which assumptions stand behind a file: those of the stage that writes it, and of the stages before."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

# A link to dvc.yaml, which DVC refuses as a dependency by its name.
GRAPH = Path(__file__).with_name("graph.yaml")
SECTIONS = Path("build/assumptions")
TRACED = Path("build/parameters")


@dataclass(frozen=True)
class Origin:
    """The stages of dvc.yaml."""

    stages: Mapping[str, Any]

    @cached_property
    def writers(self) -> dict[str, str]:
        """The stage that writes each file or folder."""
        return {
            out: name
            for name, stage in self.stages.items()
            for out in names([*stage.get("outs", []), *stage.get("metrics", [])])
        }

    def stage(self, path: str) -> str:
        """The stage that writes a file, itself or the folder it is in; nothing for a source."""
        places = [path, *(parent.as_posix() for parent in Path(path).parents)]
        return next((self.writers[place] for place in places if place in self.writers), "")

    def assumptions(self, path: str) -> list[str]:
        """Sections of params.yaml that the numbers of a file rest on, sorted; none inside another."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [self.stage(path)]
        while waiting:
            name = waiting.pop()
            if not name or name in seen:
                continue
            seen.add(name)
            for dep in names(self.stages[name].get("deps", [])):
                if Path(dep).parent == SECTIONS:
                    found.add(Path(dep).stem)
                else:
                    waiting.append(self.stage(dep))
        return sorted(section for section in found if not _inside(section, found))


def traced_sections(origin: Origin, stage: str) -> dict[str, dict[str, str]]:
    """For every file that a stage reads: the sections behind it, each with the SHA-256 of its values."""
    deps = [dep for dep in names(origin.stages[stage]["deps"]) if Path(dep).parent not in (SECTIONS, TRACED)]
    found = {dep: origin.assumptions(dep) for dep in deps}
    return {dep: {name: _sha256(name) for name in behind} for dep, behind in found.items() if behind}


def parameters(inputs: Sequence[str], traced: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The sections behind some files, of what `traced_sections` found; none inside another."""
    found = {name: digest for path in inputs for name, digest in traced.get(path, {}).items()}
    return {name: found[name] for name in sorted(found) if not _inside(name, set(found))}


def read_origin() -> Origin:
    """The stages of dvc.yaml."""
    return Origin(YAML(typ="safe").load(GRAPH)["stages"])


def names(entries: list[Any]) -> Iterator[str]:
    """Paths of a list of deps or outs, with or without options."""
    return (next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries)


def _inside(section: str, others: set[str]) -> bool:
    return any(section.startswith(f"{other}.") for other in others)


def _sha256(section: str) -> str:
    content = (SECTIONS / f"{section}.json").read_bytes()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
