"""The site of the committed results, with small stand-ins for what only a whole run makes; and Chromium.

Without Chromium the tests that need it are skipped; with PERQUERY_REQUIRE_ALL=1 they fail instead.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from pipeline.contracts.ledger import SUPPORTS, VERDICTS
from pipeline.present.provenance import SECTIONS
from pipeline.present.site.build import Files, build
from pipeline.present.site.pages import WHAT_IF_DATA
from pipeline.stages import check_assumptions, collect_numbers
from pipeline.stages.build_site import write
from tests.present.site.what_if import exported_text

COMMITTED = ("data", "figures", "paper", "CITATION.cff")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1280, "height": 900}
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
    (root / WHAT_IF_DATA).write_text(exported_text(), encoding="utf-8")
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
    """How many claims have each verdict, those by evidence last, in the order of the contract."""
    ledger = pd.read_csv("data/results/claims.csv")
    found = ledger["verdict"].fillna(ledger["support"])
    return {verdict: int((found == verdict).sum()) for verdict in [*VERDICTS, *SUPPORTS]}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        message = "browser tests need Chromium"
        if os.environ.get("PERQUERY_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser, site):
    """Open a page of the site; at the end nothing must have left it and nothing been complained of."""
    opened = []
    asked: list[str] = []
    complaints: list[str] = []

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that was left while it loaded
            complaints.append(f"{request.url}: {request.failure}")

    def go(name: str, viewport=DESKTOP, scheme: str = "light") -> Page:
        context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)
        opened.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("requestfailed", failed)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        page.goto(f"{site.as_uri()}/{name}")
        return page

    yield go
    for context in opened:
        context.close()
    assert [url for url in asked if not url.startswith((site.as_uri(), "data:"))] == []
    assert complaints == []
