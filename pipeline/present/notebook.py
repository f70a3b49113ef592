"""Run a review notebook and leave two copies that are the same bytes on every run: .ipynb and .html.

Papermill stamps times and random ids into what it writes; they are removed, so that a copy changes only
when the notebook or a result does. The HTML carries everything inside and needs no network.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from pipeline.errors import InputError

TEMPLATE = Path(__file__).with_name("notebook.html.j2")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
QUIET = "--IPKernelApp.log_level=CRITICAL"  # else kernels warn of local connections, and of being shut down
STAMPED = ("papermill", "execution")  # cell metadata that holds times and run ids
TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
HEADING = re.compile(r"^(#{2,3}) +(.+?)\s*$", re.MULTILINE)


def execute(source: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Run `source` in its own folder, as a reader in Jupyter would; returns the normalised notebook.

    Raises InputError when there is no such notebook, or naming the cell when one fails.
    """
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / source.name
        try:
            papermill.execute_notebook(
                str(source),
                str(target),
                parameters=dict(parameters),
                cwd=str(source.parent),
                kernel_name=KERNEL["name"],
                progress_bar=False,
                extra_arguments=[QUIET],
            )
        except papermill.PapermillExecutionError as error:
            raise InputError(f"{source}, cell {error.exec_count}: {error.ename}: {error.evalue}") from None
        notebook = nbformat.read(target, as_version=4)
    return normalise(notebook)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Drop times, random ids, versions and folders; keep cells, outputs and order. Works in place."""
    notebook.metadata = NotebookNode(kernelspec=KERNEL, language_info=NotebookNode(name="python"))
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"
        for key in STAMPED:
            cell.metadata.pop(key, None)
    # Printed lines arrive in random chunks.
    joined, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
    nbformat.validate(joined)
    return NotebookNode(joined)


def as_text(notebook: NotebookNode) -> str:
    """The notebook as the text of an .ipynb file."""
    return nbformat.writes(notebook) + "\n"


def contents(notebook: NotebookNode) -> list[dict[str, Any]]:
    """Level, title and anchor of the second- and third-level headings, in reading order."""
    entries = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for marks, title in HEADING.findall(cell.source):
                entries.append({"level": len(marks), "title": title, "anchor": title.replace(" ", "-")})
    return entries


def as_html(notebook: NotebookNode) -> str:
    """One HTML page with a table of contents, styles and figures inside; nothing is fetched.

    Its title is the first heading.
    """
    page = nbformat.from_dict(notebook)
    words = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    heading = TITLE.search(words)
    page.metadata["title"] = heading[1] if heading else "Review notebook"
    page.metadata["contents"] = contents(notebook)
    exporter = HTMLExporter(
        template_file=str(TEMPLATE), mathjax_url="", require_js_url="", embed_images=True, anchor_link_text=""
    )
    html, _ = exporter.from_notebook_node(page)
    return str(html)


def copies(source: Path) -> tuple[str, str]:
    """The texts of the executed notebook and of its HTML page, with its own parameters."""
    notebook = execute(source, {})
    return as_text(notebook), as_html(notebook)
