import ast
import re
from pathlib import Path

import nbformat
import pytest
from ruamel.yaml import YAML

from pipeline.errors import InputError
from pipeline.present.notebook import KERNEL, as_html, as_text, contents, execute

SOURCES = sorted(Path("notebooks").glob("*.ipynb"))
FETCHED = re.compile(
    r"""<script\b[^>]*\bsrc=|<link\b[^>]*\bhref=|@import|url\(["']?https?:|src=["']https?:"""
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_sources_have_no_outputs_and_say_their_kernel(source):
    notebook = nbformat.read(source, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1


def read_by(source):
    """Files that a notebook reads through `Project`, by the literal paths and names that it gives."""
    cells = nbformat.read(source, as_version=4).cells
    tree = ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name, words = getattr(call.func, "attr", ""), [a.value for a in call.args if hasattr(a, "value")]
        if name == "figure":
            yield from (f"figures/{words[0]}.{suffix}" for suffix in ("json", "svg"))
        elif name in ("table", "text") and words and isinstance(words[0], str):
            yield words[0]


def covering(path, declared):
    """What declares a file: the folder that it is in, or itself."""
    folders = [parent.as_posix() for parent in Path(path).parents]
    return next((folder for folder in folders if folder in declared), path)


def test_every_file_that_a_notebook_reads_is_a_dependency_of_the_stage_and_no_other():
    stage = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]["run_notebooks"]
    code = ("pipeline/", "requirements.lock", "notebooks")
    declared = {dep for dep in stage["deps"] if not dep.startswith(code)}
    read = {path for source in SOURCES for path in read_by(source)} | {"data/published"}
    assert {covering(path, declared) for path in read} == declared


def test_notebooks_stand_in_the_order_of_the_argument():
    numbers = [path.name[:2] for path in SOURCES]
    titles = [nbformat.read(path, as_version=4).cells[0].source.splitlines()[0] for path in SOURCES]
    assert numbers == sorted(set(numbers))
    assert [title.split()[1] for title in titles] == [f"{int(number)}." for number in numbers]


def test_notebooks_draw_nothing_and_call_no_part_of_the_pipeline():
    for source in SOURCES:
        code = "\n".join(c.source for c in nbformat.read(source, as_version=4).cells if c.cell_type == "code")
        imported = {
            name.split(".")[0] for name in re.findall(r"^(?:import|from) ([\w.]+)", code, re.MULTILINE)
        }
        assert imported <= {"re", "sys", "pandas", "review"}, source


def write(folder, *sources):
    cells = [nbformat.v4.new_code_cell("number = 1", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells += [nbformat.v4.new_markdown_cell("# Title\n\n## What & why\n\ntext\n\n### More")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    path = folder / "review.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The same small notebook, run twice."""
    source = write(
        tmp_path_factory.mktemp("notebook"),
        "import sys\nfor n in range(50):\n    print(n, flush=True)\nprint('x', file=sys.stderr)",
        "import pandas as pd\npd.DataFrame({'a': [number]})",
    )
    return [execute(source, {"number": 7}) for _ in range(2)]


def test_two_runs_are_the_same_bytes(executed):
    assert as_text(executed[0]) == as_text(executed[1])
    assert as_html(executed[0]) == as_html(executed[1])


def test_parameters_reach_the_cells(executed):
    assert "<td>7</td>" in as_html(executed[0])


def test_nothing_of_the_run_or_the_machine_stays(executed):
    text = as_text(executed[0])
    assert not re.search(r"papermill|start_time|iopub|/tmp/|\d{4}-\d\d-\d\dT", text)


def test_html_opens_without_network(executed):
    assert not FETCHED.search(as_html(executed[0]))


def test_html_has_a_table_of_contents_that_leads_somewhere(executed):
    html = as_html(executed[0])
    assert [entry["level"] for entry in contents(executed[0])] == [2, 3]
    for anchor in re.findall(r'<li class="level-\d"><a href="#([^"]+)"', html):
        assert f'id="{anchor}"' in html


def test_html_is_named_by_the_first_heading(executed):
    assert "<title>Title</title>" in as_html(executed[0])


def test_no_such_notebook(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        execute(tmp_path / "absent.ipynb", {})


def test_a_cell_that_fails_is_named(tmp_path):
    with pytest.raises(InputError, match=r"review\.ipynb, cell \d+: AssertionError: not so"):
        execute(write(tmp_path, "assert number == 2, 'not so'"), {})
