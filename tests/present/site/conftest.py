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

from pipeline.core.files import write_json
from pipeline.core.settings import from_params
from pipeline.present.site.build import Files, build
from pipeline.present.site.pages import WHAT_IF_DATA
from pipeline.report.contract import SUPPORTS, VERDICTS
from pipeline.report.formats import collect
from pipeline.stages import paper
from pipeline.stages.site import write
from tests.present.site.what_if import made

COMMITTED = ("data", "figures", "paper", "CITATION.cff")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1280, "height": 900}
INTERMEDIATES = ("results/energy_histograms", "results/token_histograms", "telemetry/serving_measurements")
NOTEBOOK = (
    '{"cells": [{"cell_type": "markdown", "source": ["# 1. The data\\n", "\\n", "Two kinds of tables."]}]}'
)


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A folder with the committed results, and build/ as far as the site reads it."""
    root = tmp_path_factory.mktemp("project")
    for name in COMMITTED:
        (root / name).symlink_to(Path(name).resolve())
    write_json(collect(paper.MODULES, from_params), root / "build/paper/numbers.json")
    for name in INTERMEDIATES:
        path = root / f"build/{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame({"low": [0.1, 0.2], "count": [3, 4]}).to_parquet(path)
    notebooks = root / "build/notebooks"
    notebooks.mkdir()
    (notebooks / "01_data.html").write_text("<!DOCTYPE html><title>1. The data</title>", encoding="utf-8")
    (notebooks / "01_data.ipynb").write_text(NOTEBOOK, encoding="utf-8")
    (root / WHAT_IF_DATA).parent.mkdir()
    write_json(made(), root / WHAT_IF_DATA)
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
