"""Read params.yaml once, validate it whole, hand out the sections a stage declares."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from pipeline.assumptions.base import Section
from pipeline.assumptions.figures import Figures
from pipeline.assumptions.logs import Logs
from pipeline.assumptions.simulation import Simulation
from pipeline.errors import InputError

PARAMS = Path("params.yaml")


class Assumptions(Section):
    """Everything that the analyses assume."""


class Params(Section):
    """The whole of params.yaml."""

    simulation: Simulation
    figures: Figures
    assumptions: Assumptions
    logs: Logs


def _problem(path: Path, error: ValidationError) -> str:
    """One line for each wrong key: its path in the file, what is wrong, and the value found."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "(top level)"
        found = "" if isinstance(item["input"], dict) else f", found {item['input']!r}"
        lines.append(f"{path}, {key}: {item['msg']}{found}")
    return "\n".join(lines)


def read(path: Path | str = PARAMS) -> Params:
    """Read and validate a params file; raises InputError naming each wrong key."""
    path = Path(path)
    try:
        data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: not valid YAML ({error.problem})") from None
    try:
        return Params.model_validate(data)
    except ValidationError as error:
        raise InputError(_problem(path, error)) from None


def load(*keys: str, path: Path | str = PARAMS) -> Any:
    """The sections under the given dotted keys, in that order (one key: the section itself).

    A stage passes the same literal keys that its entry in dvc.yaml declares under `params`;
    a test compares the two.
    """
    params = read(path)
    sections = [_descend(params, key) for key in keys]
    return sections[0] if len(sections) == 1 else tuple(sections)


def _descend(section: Any, key: str) -> Any:
    for part in key.split("."):
        section = section[part] if isinstance(section, dict) else getattr(section, part)
    return section
