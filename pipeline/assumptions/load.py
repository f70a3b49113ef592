"""Read params.yaml once, validate it whole, hand out the sections a stage declares."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from pipeline.assumptions.base import Section
from pipeline.assumptions.factors import Factors
from pipeline.assumptions.figures import Figures
from pipeline.assumptions.fleet import Scenario
from pipeline.assumptions.levers import Levers
from pipeline.assumptions.logs import Logs
from pipeline.assumptions.published import AsPublished
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.assumptions.validation import Validation
from pipeline.assumptions.water import Water
from pipeline.errors import InputError

PARAMS = Path("params.yaml")
BLEND = "blend"


class Assumptions(Section):
    """Everything that the analyses assume."""

    as_published: AsPublished
    re_estimate: ReEstimate
    validation: Validation
    water: Water
    levers: Levers


class Params(Section):
    """The whole of params.yaml."""

    simulation: Simulation
    figures: Figures
    assumptions: Assumptions
    scenario: Scenario
    factors: Factors
    logs: Logs

    @model_validator(mode="after")
    def _what_if_names_what_there_is(self) -> Self:
        chosen = self.scenario.what_if
        deployments = self.assumptions.re_estimate.deployments
        known = {
            "model": [*(item.model for item in deployments.models), BLEND],
            "site": list(self.assumptions.water.scenarios),
        }
        for key, names in known.items():
            value = getattr(chosen, key)
            if value not in names:
                raise ValueError(f"scenario.what_if.{key} {value!r}, expected one of {', '.join(names)}")
        return self


def _holds(data: Any, part: int | str) -> bool:
    return part in (data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ())


def _key(data: Any, item: ErrorDetails) -> str:
    """The dotted path of a wrong key as it stands in the file.

    pydantic also names the family of a distribution on the way, which is no key of the file.
    """
    parts = []
    for part in item["loc"]:
        holds = _holds(data, part)
        if holds:
            data = data[part]
        if holds or (item["type"] == "missing" and part == item["loc"][-1]):
            parts.append(str(part))
    return ".".join(parts) or "(top level)"


def _near(data: Any, item: ErrorDetails, wrong: list[ErrorDetails]) -> str:
    """The key beside an unknown one, missing or there, that is nearest to it in spelling; else blank."""
    *parents, unknown = item["loc"]
    beside = {str(other["loc"][-1]) for other in wrong if list(other["loc"][:-1]) == parents} - {unknown}
    for part in parents:
        data = data[part] if _holds(data, part) else data
    return next(iter(get_close_matches(str(unknown), sorted(beside | set(data) - {unknown}), n=1)), "")


def _problem(path: Path, data: Any, error: ValidationError) -> str:
    """One line for each wrong key: its path in the file, what is wrong, and the value found.

    A key that is missing because it is misspelt is one mistake, so it is named with the misspelt one only.
    """
    lines, wrong, meant = [], error.errors(), set()
    for item in wrong:
        if item["type"] == "extra_forbidden":
            near = _near(data, item, wrong)
            meant.add((*item["loc"][:-1], near))
            hint = f", did you mean {near!r}?" if near else ""
            lines.append(f"{path}, {_key(data, item)}: unknown key{hint}")
    for item in wrong:
        if item["type"] == "extra_forbidden" or (item["type"] == "missing" and item["loc"] in meant):
            continue
        found = "" if isinstance(item["input"], dict) else f", found {item['input']!r}"
        lines.append(f"{path}, {_key(data, item)}: {item['msg']}{found}")
    return "\n".join(lines)


def _yaml(path: Path) -> Any:
    """The content of a YAML file; raises InputError."""
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: not valid YAML ({error.problem})") from None


def _validated(path: Path, data: Any) -> Params:
    try:
        return Params.model_validate(data)
    except ValidationError as error:
        raise InputError(_problem(path, data, error)) from None


def read(path: Path | str = PARAMS) -> Params:
    """Read and validate a params file; raises InputError naming each wrong key."""
    path = Path(path)
    return _validated(path, _yaml(path))


def sections(path: Path | str = PARAMS) -> dict[str, Any]:
    """Every section and every assumption of a valid params file, as it stands there, by dotted key."""
    path = Path(path)
    data = _yaml(path)
    _validated(path, data)
    found: dict[str, Any] = {}

    def visit(key: str, value: Any) -> None:
        found[key] = value
        if isinstance(value, dict) and "distribution" not in value:
            for name, item in value.items():
                visit(f"{key}.{name}", item)

    for name, value in data.items():
        visit(name, value)
    return found


def sources(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Dotted key and value of every `source` in what `sections` found."""
    stated: dict[str, str] = {}

    def visit(key: str, value: Any) -> None:
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            if name == "source":
                stated[f"{key}.{name}"] = item
            elif isinstance(item, dict | list):
                visit(f"{key}.{name}", item)

    for key, value in found.items():
        if "." not in key:
            visit(key, value)
    return list(stated.items())


def load(*keys: str, path: Path | str = PARAMS) -> Any:
    """The sections under the given dotted keys, in that order (one key: the section itself).

    A stage passes literal keys, and its entry in dvc.yaml depends on the file of each key under
    build/assumptions; a test compares the two.
    """
    params = read(path)
    sections = [_descend(params, key) for key in keys]
    return sections[0] if len(sections) == 1 else tuple(sections)


def _descend(section: Any, key: str) -> Any:
    for part in key.split("."):
        section = section[part] if isinstance(section, dict) else getattr(section, part)
    return section
