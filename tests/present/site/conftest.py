"""The site of the committed results, with small stand-ins for what only a whole run makes."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.ledger import VERDICTS
from pipeline.present.site.build import Files, build
from pipeline.present.site.pages import WHAT_IF_DATA
from pipeline.present.site.provenance import SECTIONS
from pipeline.stages import check_assumptions, collect_numbers
from pipeline.stages.build_site import write

COMMITTED = ("data", "figures", "paper", "CITATION.cff")
HISTOGRAMS = ("energy_histograms", "token_histograms")
NOTEBOOK = (
    '{"cells": [{"cell_type": "markdown", "source": ["# 1. The data\\n", "\\n", "Two kinds of tables."]}]}'
)


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A folder with the committed results, and build/ as far as the site reads it."""
    root = tmp_path_factory.mktemp("project")
    for name in COMMITTED:
        (root / name).symlink_to(Path(name).resolve())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_assumptions, "SECTIONS", root / SECTIONS)
        check_assumptions.main()
        patch.setattr(collect_numbers, "OUTPUT", root / collect_numbers.OUTPUT)
        collect_numbers.main()
    for name in HISTOGRAMS:
        path = root / f"build/results/{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame({"low": [0.1, 0.2], "count": [3, 4]}).to_parquet(path)
    notebooks = root / "build/notebooks"
    notebooks.mkdir()
    (notebooks / "01_data.html").write_text("<!DOCTYPE html><title>1. The data</title>", encoding="utf-8")
    (notebooks / "01_data.ipynb").write_text(NOTEBOOK, encoding="utf-8")
    (root / WHAT_IF_DATA).parent.mkdir()
    (root / WHAT_IF_DATA).write_text("{}", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def files(project) -> Files:
    """What the site consists of."""
    return build(project)


@pytest.fixture(scope="session")
def pages(files) -> dict[str, str]:
    """The pages made from templates."""
    return {name: text for name, text in files.items() if name.endswith(".html") and isinstance(text, str)}


@pytest.fixture(scope="session")
def site(files, tmp_path_factory) -> Path:
    """The site on disk."""
    folder = tmp_path_factory.mktemp("written") / "site"
    write(files, folder)
    return folder


@pytest.fixture(scope="session")
def claims_of() -> dict[str, int]:
    """How many claims have each verdict, in the order of the contract."""
    ledger = pd.read_csv("data/results/claims.csv")
    counts = ledger["verdict"].value_counts()
    return {verdict: int(counts[verdict]) for verdict in VERDICTS if verdict in counts}
