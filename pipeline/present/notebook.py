"""Run a review notebook and leave two copies that are the same bytes on every run: .ipynb and .html.

Notebooks are kept as text (jupytext, percent format). Papermill sets their parameters and runs them in a
kernel that takes nothing from the user's own profile. It stamps times and random ids into what it writes;
they are removed, so that a copy changes only when the notebook or a result does. The HTML carries everything
inside and needs no network.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from pipeline.core.errors import InputError
from pipeline.core.processes import temporary_folder

TEMPLATE = Path(__file__).with_name("notebook.html.j2")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
QUIET = "--IPKernelApp.log_level=CRITICAL"  # else kernels warn of local connections, and of being shut down
STAMPED = ("papermill", "execution")  # cell metadata that holds times and run ids
TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
ASSIGNED = re.compile(r"^(\w+)\s*=", re.MULTILINE)
HEADING = re.compile(r"^(#{2,3}) +(.+?)\s*$", re.MULTILINE)


def execute(source: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Run `source` in the folder above its own with these parameters; returns the normalised notebook.

    Raises InputError when there is no such notebook, for a parameter that it does not have, and naming the
    cell when one fails.
    """
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    known = parameters_of(source)
    for name in parameters:
        if name not in known:
            raise InputError(f"{source}: no parameter {name!r}, expected one of {', '.join(known)}")
    with temporary_folder() as folder, _own_profile(str(folder)):
        paired, target = folder / "given.ipynb", folder / "executed.ipynb"
        given = jupytext.read(source)
        given.metadata = NotebookNode(kernelspec=KERNEL)
        nbformat.write(given, paired)
        try:
            papermill.execute_notebook(
                str(paired),
                str(target),
                parameters=dict(parameters),
                cwd=str(source.parent.parent),
                kernel_name=KERNEL["name"],
                progress_bar=False,
                extra_arguments=[QUIET],
            )
        except papermill.PapermillExecutionError as error:
            raise InputError(f"{source}, cell {error.exec_count}: {error.ename}: {error.evalue}") from None
        notebook = nbformat.read(target, as_version=4)
    return normalise(notebook)


def parameters_of(source: Path) -> list[str]:
    """The parameters that a notebook has, by name."""
    cells = (cell for cell in jupytext.read(source).cells if "parameters" in cell.metadata.get("tags", []))
    return [name for cell in cells for name in ASSIGNED.findall(cell.source)]


@contextmanager
def _own_profile(folder: str) -> Iterator[None]:
    """Kernels and their settings from this environment alone, whatever the user's profile would run."""
    before = dict(os.environ)
    os.environ |= {"IPYTHONDIR": folder, "JUPYTER_CONFIG_DIR": folder, "JUPYTER_DATA_DIR": folder}
    os.environ.pop("PYTHONSTARTUP", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


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


def copies(source: Path, settings: Mapping[str, Any]) -> tuple[str, str]:
    """The texts of the executed notebook and of its HTML page, with those of the settings that it takes."""
    taken = {name: settings[name] for name in parameters_of(source) if name in settings}
    notebook = execute(source, taken)
    return as_text(notebook), as_html(notebook)
