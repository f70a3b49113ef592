import ast
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from ruamel.yaml import YAML

from pipeline.core.errors import InputError
from pipeline.present.notebook import as_html, as_text, contents, copies, execute, parameters_of
from pipeline.present.settings import Notebooks

SOURCES = sorted(Path("notebooks").glob("[0-9]*.py"))
FETCHED = re.compile(
    r"""<script\b[^>]*\bsrc=|<link\b[^>]*\bhref=|@import|url\(["']?https?:|src=["']https?:"""
)


def code_of(source):
    return "\n".join(cell.source for cell in jupytext.read(source).cells if cell.cell_type == "code")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_parameter_is_used_and_a_wrong_value_is_refused(source):
    code = code_of(source)
    assert parameters_of(source)
    for name in parameters_of(source):
        assert len(re.findall(rf"\b{name}\b", code)) > 2
        assert f'one_of("{name}", ' in code


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_notebook_has_a_picture_and_says_what_holds(source):
    code = code_of(source)
    assert "project.figure(" in code
    assert "holds(" in code and "assert " in code


def test_boundary_kind_of_query_class_and_configuration_can_be_chosen():
    known = {name for source in SOURCES for name in parameters_of(source)}
    assert {"boundary", "regime", "service", "configuration"} <= known


def test_the_settings_of_notebooks_are_parameters_of_some():
    known = {name for source in SOURCES for name in parameters_of(source)}
    assert set(Notebooks.model_fields) <= known


def read_by(source):
    """Files that a notebook reads through `Project`, by the literal paths and names that it gives."""
    for call in (node for node in ast.walk(ast.parse(code_of(source))) if isinstance(node, ast.Call)):
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
    stage = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]["notebooks"]
    code = ("pipeline/", "requirements.lock", "notebooks", "build/params/")
    declared = {dep for dep in stage["deps"] if not dep.startswith(code)}
    read = {path for source in SOURCES for path in read_by(source)} | {"data/published"}
    assert {covering(path, declared) for path in read} == declared


def test_notebooks_stand_in_the_order_of_the_argument():
    numbers = [path.name[:2] for path in SOURCES]
    titles = [jupytext.read(path).cells[0].source.splitlines()[0] for path in SOURCES]
    assert numbers == sorted(set(numbers))
    assert [title.split()[1] for title in titles] == [f"{int(number)}." for number in numbers]


def test_notebooks_draw_nothing_and_call_no_part_of_the_pipeline():
    for source in SOURCES:
        found = re.findall(r"^(?:import|from) ([\w.]+)", code_of(source), re.MULTILINE)
        imported = {name.split(".")[0] for name in found}
        assert imported <= {"re", "sys", "pandas", "review"}, source


def write(folder, *sources):
    cells = [nbformat.v4.new_code_cell("number = 1", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells += [nbformat.v4.new_markdown_cell("# Title\n\n## What & why\n\ntext\n\n### More")]
    path = folder / "notebooks/review.py"
    path.parent.mkdir(exist_ok=True)
    jupytext.write(nbformat.v4.new_notebook(cells=cells), path, fmt="py:percent")
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
        execute(tmp_path / "absent.py", {})


def test_a_cell_that_fails_is_named(tmp_path):
    with pytest.raises(InputError, match=r"review\.py, cell \d+: AssertionError: not so"):
        execute(write(tmp_path, "assert number == 2, 'not so'"), {})


def test_a_parameter_that_it_does_not_have_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"review\.py: no parameter 'numbr', expected one of number"):
        execute(write(tmp_path), {"numbr": 2})


def test_of_the_settings_a_notebook_takes_those_that_it_has(tmp_path):
    notebook, _ = copies(write(tmp_path, "print(number)"), {"number": 3, "other": 4})
    assert "3\\n" in notebook and "other" not in notebook


def test_nothing_of_the_users_profile_runs(tmp_path, monkeypatch):
    startup = tmp_path / "home/.ipython/profile_default/startup/00.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("from_profile = True\n")
    (tmp_path / "startup.py").write_text("from_variable = True\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "home/.ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    source = write(tmp_path, "assert not {'from_profile', 'from_variable'} & set(globals())")
    assert as_text(execute(source, {}))


@pytest.mark.parametrize(
    ("notebook", "name", "expected"),
    [
        ("04_energy", "boundary", "facility, gpu, node"),
        ("04_energy", "regime", "long, short"),
        ("08_own_deployment", "configuration", ""),
    ],
)
def test_a_wrong_word_stops_a_notebook(notebook, name, expected):
    with pytest.raises(InputError, match=f"{name}: 'rack', expected one of {expected}"):
        execute(Path(f"notebooks/{notebook}.py"), {name: "rack"})


def test_another_kind_of_query_changes_what_the_cells_show():
    source = Path("notebooks/04_energy.py")
    shown = [
        [cell.get("outputs") for cell in execute(source, {"regime": regime}).cells]
        for regime in ("short", "long")
    ]
    assert sum(chat != reasoning for chat, reasoning in zip(*shown, strict=True)) >= 3
