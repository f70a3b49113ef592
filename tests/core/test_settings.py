"""Every way params.yaml can be wrong gives one message that names the file and the key."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline.core.errors import InputError
from pipeline.core.parse import BIBLIOGRAPHY
from pipeline.core.settings import LAID_OUT, PARAMS, from_params, read
from pipeline.stages import assumptions

BASE = "published.base"
VARIANTS = "published.variants"


def section_of(data: Any, key: str) -> tuple[Any, Any]:
    """The container of a dotted key and its last part."""
    *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for part in path:
        data = data[part]
    return data, last


UNIFORM = {"family": "uniform", "low": 1, "high": 9}
CONSTANT = {"value": 0.5, "unit": "", "source": "x", "reason": "y"}


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """params.yaml with one key set (or, without a value, removed), as a file."""

    def change(key: str, *value: Any) -> Path:
        yaml = YAML(typ="safe")
        data = yaml.load(PARAMS)
        section, last = section_of(data, key)
        if value:
            section[last] = value[0]
        else:
            del section[last]
        path = tmp_path / "params.yaml"
        yaml.dump(data, path)
        return path

    return change


WRONG = [
    (f"{BASE}.node_power_8xh100.distribution.value", -1, f"{BASE}.node_power_8xh100: ", "at least 0"),
    (f"{BASE}.pue.distribution.p95", 1.0, f"{BASE}.pue.distribution: ", "p5 (1.05) must be below p95 (1.0)"),
    (f"{BASE}.pue.distribution.p5", 0, f"{BASE}.pue.distribution.p5: ", "greater than 0"),
    (f"{BASE}.pue.distribution.family", "lognorm", f"{BASE}.pue.distribution: ", "'lognorm'"),
    (f"{BASE}.pue.distribution.p59", 2.0, f"{BASE}.pue.distribution.p59: ", "did you mean 'p5'?"),
    (f"{BASE}.pue.distribution", {"value": 0.9, "unit": "ratio", "source": "x"},
     f"{BASE}.pue: ", "at least 1"),
    (f"{BASE}.pue.distribution.unit", "percent", f"{BASE}.pue: ", "expected 'ratio'"),
    (f"{BASE}.pue.source", "", f"{BASE}.pue.source: ", "at least 1 character"),
    (f"{BASE}.peu", {}, f"{BASE}.peu: ", "unknown key, did you mean 'pue'?"),
    (f"{BASE}.colour", {}, f"{BASE}.colour: ", "unknown key"),
    (f"{BASE}.node_power_8xh100.distribution.value", 1e9,
     f"{BASE}.node_power_8xh100: ", "value 1e+09, expected at most 1000 kW"),
    (f"{BASE}.pue.distribution.p95", 13, f"{BASE}.pue: ", "p95 13, expected at most 10 ratio"),
    (f"{BASE}.output_tokens_short.distribution", {"median": 1e9, "unit": "tokens", "source": "x"},
     f"{BASE}.output_tokens_short: ", "median 1e+09, expected at most 1e+08 tokens"),
    (f"{BASE}.trim.outer", [95, 5], f"{BASE}.trim.outer: ", "must be below"),
    (f"{BASE}.trim.inner", [10, 101], f"{BASE}.trim.inner.1: ", "less than or equal to 100"),
    (f"{BASE}.input_tokens", {"distribution": UNIFORM, "unit": "tokens", "source": "x", "reason": "y"},
     f"{BASE}.input_tokens: ", "expected 'constant'"),
    (f"{BASE}.long_share.distribution.value", "much", f"{BASE}.long_share.distribution.value: ", "number"),
    (f"{BASE}.long_share.distribution.value", float("nan"),
     f"{BASE}.long_share.distribution.value: ", "finite"),
    (f"{BASE}.overheads_short.1.value", 0.5, f"{BASE}.overheads_short.1: ", "at least 1"),
    (f"{VARIANTS}.v1.node_power_8xh100.value", -1,
     f"{VARIANTS}.v1.node_power_8xh100: ", "at least 0"),
    (f"{VARIANTS}.v1.node_powr", {}, f"{VARIANTS}.v1.node_powr: ", "unknown key, did you mean 'node_power_"),
    ("published.models.0.throughput", "spline",
     "published.models.0.throughput: ", "'regression'"),
    ("published.models.1.name", "Llama 3.1 405B", "published: ", "twice"),
    ("published.authors_stream.fleet", "v3", "published: ", "'v3' is none of"),
    ("logs.weight_input", "guessed", "logs.weight_input: ", "'fitted', found 'guessed'"),
    ("logs.weight_input", 0.2, "logs.weight_input: ", "valid dictionary"),
    ("logs.weight_input", CONSTANT | {"unit": "tokens"}, "logs.weight_input: ", "expected 'ratio'"),
    ("logs.requests_in_flight", CONSTANT | {"unit": "requests"}, "logs.requests_in_flight: ", "at least 1"),
    ("fleet.concurrency", "as energy.deployments.concurency",
     "fleet.concurrency: ", "there is no energy.deployments.concurency"),
    ("energy.deployments.models.1.instance", "8 H100",
     "energy.deployments.models.1: ", "'8 H100', expected how many, accelerator and precision"),
    ("energy.deployments.models.1.model", "Llama 3.1 504B",
     "energy.deployments.models.1: ", "expected one of data/published/models.csv, such as Llama 3.1 "),
    ("simulation.replicates", 2.5, "simulation.replicates: ", "integer"),
    ("simulation.draws_per_replicate", 1000, "simulation.draws_per_replicate: ", "power of two"),
    ("what_if.pue", 1e308, "what_if.pue", "less than or equal to 10"),
    ("fleet.base.years", 1e300, "fleet.base.years", "less than or equal to 50"),
    ("simulation.replicates", 10**9, "simulation.replicates", "less than or equal to 1024"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "where", "what"), WRONG)
def test_a_wrong_value_is_refused_with_its_key(
    changed: Callable[..., Path], key: str, value: Any, where: str, what: str
) -> None:
    path = changed(key, value)
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    also = [line.split(": ", 1)[1] for line in message.splitlines()]  # of another section that refers to it
    assert len(set(also)) == 1, "one mistake, one line"
    assert message.startswith(f"{path}, {where}")
    assert what in message


@pytest.mark.parametrize("key", [f"{BASE}.pue", f"{BASE}.pue.distribution.p5", f"{BASE}.pue.reason"])
def test_a_missing_key_is_named(changed: Callable[..., Path], key: str) -> None:
    path = changed(key)
    with pytest.raises(InputError, match="Field required") as error:
        read(path)
    assert str(error.value).startswith(f"{path}, {key}: ")


def test_a_misspelt_key_is_one_line_that_names_the_right_one(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    yaml = YAML(typ="safe")
    data = yaml.load(PARAMS)
    section, last = section_of(data, f"{BASE}.pue.distribution.p95")
    section["p_95"] = section.pop(last)
    yaml.dump(data, tmp_path / "params.yaml")
    with pytest.raises(InputError) as error:
        read(tmp_path / "params.yaml")
    expected = f"params.yaml, {BASE}.pue.distribution.p_95: unknown key, did you mean 'p95'?"
    assert str(error.value) == f"{tmp_path}/{expected}"


def test_a_source_without_a_reference_stops_the_stage(
    changed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "published.models.1.source"
    path = changed(key, "nosuchkey2026")
    (path.parent / "paper").mkdir()
    shutil.copy(BIBLIOGRAPHY, path.parent / "paper")
    monkeypatch.chdir(path.parent)
    expected = f"params.yaml, {key}: 'nosuchkey2026', expected a key of paper/references.bib"
    with pytest.raises(InputError, match=expected):
        assumptions.main()
    assert not LAID_OUT.exists()


def test_two_mistakes_give_two_lines(changed: Callable[..., Path], tmp_path: Path) -> None:
    first = changed(f"{BASE}.pue.distribution.unit", "percent")
    yaml = YAML(typ="safe")
    data = yaml.load(first)
    data["published"]["base"]["blend"]["models"] = 0
    yaml.dump(data, tmp_path / "two.yaml")
    with pytest.raises(InputError) as error:
        read(tmp_path / "two.yaml")
    assert str(error.value).count("two.yaml, ") == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a: [1\n", "not valid YAML"),
        (b"a: 1\na: 2\n", "not valid YAML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "not a params file"),
        (b"simulaton: {}\n", "unknown key, did you mean 'simulation'"),
    ],
)
def test_a_file_that_is_no_params_file(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=what) as error:
        read(path)
    assert str(path) in str(error.value)


def test_a_folder_is_no_params_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        read(tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "params.yaml")


def test_variants_replace_what_they_name_and_keep_the_rest() -> None:
    published = from_params("published")
    base, v1 = published.base, published.variants["v1"]
    assert published.variants["v2"] == base
    assert v1.node_power_8xh100.distribution.value == 11.3
    assert v1.pue == base.pue
    assert published.variants["v2_untrimmed"].trim is None


def test_a_changed_base_reaches_the_variants(changed: Callable[..., Path]) -> None:
    path = changed(f"{BASE}.pue.distribution.p95", 1.4)
    variants = from_params("published.variants", path=path)
    assert {variant.pue.distribution.p95 for variant in variants.values()} == {1.4}


def test_several_keys_come_in_their_order() -> None:
    simulation, models = from_params("simulation", "published.models")
    assert simulation.seed >= 0
    assert models[0].name == "Llama 3.1 405B"


def test_the_stage_leaves_what_was_there_when_params_are_wrong(
    changed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(f"{BASE}.pue.distribution.p95", 1.0)
    (tmp_path / "paper").mkdir()
    shutil.copy(BIBLIOGRAPHY, tmp_path / "paper")
    monkeypatch.chdir(tmp_path)
    before = tmp_path / LAID_OUT / "logs.json"
    before.parent.mkdir(parents=True)
    before.write_text("{}\n")
    with pytest.raises(InputError, match=r"^params\.yaml, .*pue\.distribution: "):
        assumptions.main()
    assert [path.name for path in before.parent.iterdir()] == ["logs.json"]


@pytest.mark.parametrize(
    "spoil", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"\n", b"\r\n")]
)
def test_a_byte_order_mark_and_carriage_returns_change_nothing(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(spoil(PARAMS.read_bytes()))
    assert read(path) == read()


@pytest.fixture
def as_dvc_writes_it(tmp_path: Path) -> Path:
    """What an experiment that changes nothing makes of the file."""
    copy = tmp_path / "params.yaml"
    copy.write_bytes(PARAMS.read_bytes())
    apply_overrides(copy, [f"simulation.seed={from_params('simulation').seed}"])
    return copy


def test_the_file_stands_as_an_experiment_writes_it(as_dvc_writes_it: Path) -> None:
    assert as_dvc_writes_it.read_text(encoding="utf-8") == PARAMS.read_text(encoding="utf-8")


def test_an_experiment_changes_only_its_own_lines(as_dvc_writes_it: Path) -> None:
    assert read(as_dvc_writes_it) == read()
    before = as_dvc_writes_it.read_text(encoding="utf-8").splitlines()
    asked = ["simulation.seed=1", "what_if.pue=1.12", f"{BASE}.pue.distribution.p95=1.4"]
    apply_overrides(as_dvc_writes_it, asked)
    after = as_dvc_writes_it.read_text(encoding="utf-8").splitlines()
    changed = [line.strip() for line, was in zip(after, before, strict=True) if line != was]
    assert changed == ["seed: 1", "distribution: {p5: 1.05, p95: 1.4, unit: ratio}", "pue: 1.12"]


def test_it_can_be_read() -> None:
    """At most 1,200 lines of 80 characters, four levels below the section."""
    lines = PARAMS.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 1_200
    assert [line for line in lines if len(line) > 80] == []
    assert [key for key in leaves(YAML(typ="safe").load(PARAMS)) if len(key) > 1 + 4] == []


def leaves(data: Any, *path: Any) -> list[tuple[Any, ...]]:
    """The path of every value."""
    if not isinstance(data, dict | list) or not data:
        return [path]
    items = data.items() if isinstance(data, dict) else enumerate(data)
    return [leaf for name, item in items for leaf in leaves(item, *path, name)]


def test_what_an_assumption_states_once_reaches_those_that_refer_to_it(changed: Callable[..., Path]) -> None:
    path = changed(f"{BASE}.output_tokens_short.distribution.median", 400)
    assert from_params("lengths.published.short.output_tokens", path=path).distribution.median() == 400
