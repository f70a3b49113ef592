"""The sections of params.yaml, each validated by the settings of the folder that it is named after.

Stages read what the stage `assumptions` laid out and DVC recorded (`load`), so that an edit of params.yaml
while they run does not reach them; commands read params.yaml itself (`from_params`).
"""

import json
import re
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.core.assumption import Section
from pipeline.core.errors import InputError, shown
from pipeline.core.parse import read_yaml_file

PARAMS = Path("params.yaml")
LAID_OUT = Path("build/params")
# In the order of the file. Each is `SETTINGS` of pipeline/<section>/model/settings.py, but for MODULES.
SECTIONS = (
    "simulation", "figures", "notebooks", "published", "lengths", "servers", "serving", "energy",
    "validation", "water", "levers", "fleet", "what_if", "factors", "logs",
)  # fmt: skip
NAME = r"\w[\w .()+,-]{0,99}"  # of a key, which may become that of a file
REFERENCE = re.compile(r"as (\w+(?:\.\w+)+)")
MODULES = {
    "simulation": "pipeline.core.draws",
    "figures": "pipeline.report.settings",
    "notebooks": "pipeline.present.settings",
    "logs": "pipeline.logs.assumptions",
}


class Joined(Section):
    """A section that holds others of the same file beside its own keys."""

    PARTS: ClassVar[tuple[str, ...]]


def load(*keys: str) -> Any:
    """Sections by dotted key, as DVC recorded them for this run (one key: the section itself)."""
    return _pick(keys, lambda name: settings_of(name).model_validate(_json(LAID_OUT / f"{name}.json")))


def from_params(*keys: str, path: Path | str = PARAMS) -> Any:
    """Assumptions by dotted key, for commands; stages take them from `load`.

    Parameters
    ----------
    *keys : a section of params.yaml, or a part of one: "energy.pue".
    path : of the file.

    Returns
    -------
    The validated section or part; of several keys a tuple.

    Raises
    ------
    InputError
        With one line for each wrong key, naming it and what was expected.

    Examples
    --------
    >>> from_params("simulation.seed")
    20260601
    """
    data = read_yaml(path)
    return _pick(keys, lambda name: section(name, data, Path(path)))


def read_yaml(path: Path | str = PARAMS) -> dict[str, Any]:
    """The sections of a params file as they stand; raises InputError where it is not one."""
    path = Path(path)
    data = read_yaml_file(path, NAME)
    if not isinstance(data, dict):
        raise InputError(f"{path}: not a params file, expected sections {', '.join(SECTIONS)}")
    for name in data:
        if name not in SECTIONS:
            near = next(iter(get_close_matches(str(name), SECTIONS, n=1)), "")
            hint = f", did you mean {near!r}?" if near else f", expected one of {', '.join(SECTIONS)}"
            raise InputError(f"{path}, {name}: unknown key{hint}")
    return {name: _resolved(item, data, f"{path}, {name}") for name, item in data.items()}


def read(path: Path | str = PARAMS) -> dict[str, Any]:
    """Every section of a params file by name; raises InputError with one line for each wrong key."""
    return validated(read_yaml(path), path)


def validated(data: dict[str, Any], path: Path | str = PARAMS) -> dict[str, Any]:
    """The same of what `read_yaml` gave."""
    found: dict[str, Any] = {}
    problems = []
    for name in SECTIONS:
        try:
            found[name] = section(name, data, Path(path))
        except InputError as error:
            problems += [line for line in str(error).splitlines() if line not in problems]
    if problems:
        raise InputError("\n".join(problems))
    return found


def section(name: str, data: dict[str, Any], path: Path) -> Any:
    """One section of a params file, with those that it holds; raises InputError."""
    settings = settings_of(name)
    held = {part: section(part, data, path) for part in parts_of(name)}
    own = data.get(name, {})
    try:
        return settings.model_validate({**own, **held} if isinstance(own, dict) else own)
    except ValidationError as error:
        raise InputError(_problem(path, name, own, error)) from None


def laid_out(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """A section as it stands in a params file, with those that it holds."""
    return {**data[name], **{part: data[part] for part in parts_of(name)}}


def parts_of(name: str) -> tuple[str, ...]:
    """The sections that a section holds."""
    return getattr(settings_of(name), "PARTS", ())


def settings_of(name: str) -> Any:
    """The settings class of a section; raises InputError for an unknown one."""
    if name not in SECTIONS:
        raise InputError(f"section {name!r}, expected one of {', '.join(SECTIONS)}")
    return import_module(MODULES.get(name, f"pipeline.{name}.model.settings")).SETTINGS


def _pick(keys: tuple[str, ...], section_of: Callable[[str], Any]) -> Any:
    sections = {name: section_of(name) for name in dict.fromkeys(key.split(".")[0] for key in keys)}
    found = []
    for key in keys:
        name, *parts = key.split(".")
        value = sections[name]
        for part in parts:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        found.append(value)
    return found[0] if len(found) == 1 else tuple(found)


def _resolved(item: Any, data: Any, key: str) -> Any:
    """A part of the file in which `as section.key` is what stands there; raises InputError."""
    if isinstance(item, dict):
        return {name: _resolved(part, data, f"{key}.{name}") for name, part in item.items()}
    if isinstance(item, list):
        return [_resolved(part, data, f"{key}.{at}") for at, part in enumerate(item)]
    if not (isinstance(item, str) and (found := REFERENCE.fullmatch(item))):
        return item
    for name in (int(part) if part.isdigit() else part for part in found[1].split(".")):
        if not _holds(data, name):
            raise InputError(f"{key}: {item!r}, but there is no {found[1]}")
        data = data[name]
    return data


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file, expected what stage 'assumptions' writes") from None


def _holds(data: Any, part: int | str) -> bool:
    return part in (data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ())


def _beside(data: Any) -> Any:
    """The distribution of an assumption, beside whose parameters unit and source stand."""
    return data.get("distribution") if isinstance(data, dict) else None


def _key(section: str, data: Any, item: ErrorDetails) -> str:
    """The dotted path of a wrong key as it stands in the file.

    pydantic also names the family of a distribution on the way, which is no key of the file.
    """
    parts = [section]
    for part in item["loc"]:
        holds = _holds(data, part)
        if part in ("unit", "source") and not holds and _holds(_beside(data), part):
            data, holds = _beside(data), True
            parts.append("distribution")
        if holds:
            data = data[part]
        if holds or (item["type"] == "missing" and part == item["loc"][-1]):
            parts.append(str(part))
    return ".".join(parts)


def _near(data: Any, item: ErrorDetails, wrong: list[ErrorDetails]) -> str:
    """The key beside an unknown one, missing or there, that is nearest to it in spelling; else blank."""
    *parents, unknown = item["loc"]
    beside = {str(other["loc"][-1]) for other in wrong if list(other["loc"][:-1]) == parents} - {unknown}
    for part in parents:
        data = data[part] if _holds(data, part) else data
    return next(iter(get_close_matches(str(unknown), sorted(beside | set(data) - {unknown}), n=1)), "")


def _problem(path: Path, section: str, data: Any, error: ValidationError) -> str:
    """One line for each wrong key: its path in the file, what is wrong, and the value found.

    A key that is missing because it is misspelt is one mistake, so it is named with the misspelt one only.
    """
    lines, wrong, meant = [], error.errors(), set()
    for item in wrong:
        if item["type"] == "extra_forbidden":
            near = _near(data, item, wrong)
            meant.add((*item["loc"][:-1], near))
            hint = f", did you mean {near!r}?" if near else ""
            lines.append(f"{path}, {_key(section, data, item)}: unknown key{hint}")
    for item in wrong:
        if item["type"] == "extra_forbidden" or (item["type"] == "missing" and item["loc"] in meant):
            continue
        found = "" if isinstance(item["input"], dict) else f", found {shown(item['input'])}"
        lines.append(f"{path}, {_key(section, data, item)}: {item['msg']}{found}")
    return "\n".join(lines)
