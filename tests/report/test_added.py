"""The claim of CONTRIBUTING.md, added in a temporary clone: no byte of a row without it changes."""

from pathlib import Path

import pytest

from pipeline.core.catalogue import path_of
from pipeline.reproduce import stages
from tests.contributing import clone, example, stage

LEDGER, CLAIMS = path_of("results/claims"), path_of("published/claims")

pytestmark = pytest.mark.slow


def inputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / CLAIMS.parent).rglob("*.parquet")}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], dict[str, bytes]]:
    """The clone with the claim; lines of the ledger and checked tables without it."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    stage(folder, "assumptions", "inputs", "claims")
    before = (folder / LEDGER).read_text(encoding="utf-8").splitlines(), inputs(folder)
    blocks = example("A claim")
    paths = (
        "data/published/claims.csv",
        "pipeline/published/claims.py",
        "tests/published/expected_verdicts.csv",
    )
    for path, block in zip(paths, blocks, strict=True):
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write(block)
    stage(folder, "inputs", "claims")
    return folder, *before


def test_an_added_claim_has_its_row_and_no_byte_of_another_changes(found) -> None:
    folder, before, _ = found
    *after, own = (folder / LEDGER).read_text(encoding="utf-8").splitlines()
    assert after == before
    assert own.startswith("blog.lamp,") and ",exact," in own


def test_only_what_judges_claims_follows_from_it(found) -> None:
    folder, _, before = found
    changed = {name for name, content in inputs(folder).items() if before[name] != content}
    assert changed == {CLAIMS.name}
    judging = {
        name for name, one in stages().items() if any(CLAIMS.is_relative_to(dep) for dep in one["deps"])
    }
    assert judging == {"claims"}
