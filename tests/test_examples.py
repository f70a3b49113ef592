"""The entry points say what they take and give, and every example in a docstring comes out as it stands."""

import doctest
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

# Where somebody who uses the pipeline as a library begins, by module.
ENTRY_POINTS = {
    "pipeline.core.catalogue": ["read"],
    "pipeline.core.assumption": ["LogNormal"],
    "pipeline.core.draws": ["Design", "uniforms"],
    "pipeline.core.errors": ["InputError.at"],
    "pipeline.core.summaries": ["split"],
    "pipeline.core.read": ["read_table"],
    "pipeline.core.settings": ["from_params"],
    "pipeline.core.user_table": ["read_user_table"],
    "pipeline.energy.model.load": ["part_load"],
    "pipeline.lengths.model.scenario": ["coupled"],
    "pipeline.predict": ["predictions"],
    "pipeline.published.model.energy": ["query_energy_wh"],
    "pipeline.report.claims": ["support"],
    "pipeline.servers.model.power": ["ServerFit.node_w"],
    "pipeline.ingest.sources": ["with_role"],
}


def named(module: str, name: str) -> Any:
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in ENTRY_POINTS.items() for n in names])
def test_an_entry_point_says_what_it_takes_and_gives_and_shows_it(module: str, name: str) -> None:
    found = named(module, name)
    headings = ["Parameters", "Returns", "Examples"]
    if isinstance(found, type):
        headings = ["Attributes" if "Attributes" in found.__doc__ else "Parameters", "Examples"]
    for heading in headings:
        assert f"{heading}\n" in found.__doc__, heading
    assert ">>> " in found.__doc__


PACKAGE = Path("pipeline/factors/perquery")  # has data once it is built: tests/present/release/test_wheel.py


def with_examples() -> list[str]:
    paths = [p for p in sorted(Path("pipeline").rglob("*.py")) if ">>> " in p.read_text(encoding="utf-8")]
    paths = [path for path in paths if PACKAGE not in path.parents]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]


@pytest.mark.parametrize("module", with_examples())
def test_examples_come_out_as_they_stand(module: str) -> None:
    assert doctest.testmod(import_module(module)).failed == 0
