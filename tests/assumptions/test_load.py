"""Every way params.yaml can be wrong gives one message that names the file and the key."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline.assumptions.load import PARAMS, load, read
from pipeline.errors import InputError
from pipeline.ingest.bibliography import BIBLIOGRAPHY
from pipeline.stages import check_assumptions
from pipeline.stages.check_assumptions import SECTIONS

BASE = "assumptions.as_published.base"
VARIANTS = "assumptions.as_published.variants"


def section_of(data: Any, key: str) -> tuple[Any, Any]:
    """The container of a dotted key and its last part."""
    *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for part in path:
        data = data[part]
    return data, last


CONSTANT = {"distribution": {"family": "constant", "value": 0.5}, "unit": "", "source": "x", "reason": "y"}


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
    (f"{BASE}.pue.distribution", {"family": "constant", "value": 0.9}, f"{BASE}.pue: ", "at least 1"),
    (f"{BASE}.pue.unit", "percent", f"{BASE}.pue: ", "expected 'ratio'"),
    (f"{BASE}.pue.source", "", f"{BASE}.pue.source: ", "at least 1 character"),
    (f"{BASE}.peu", {}, f"{BASE}.peu: ", "unknown key, did you mean 'pue'?"),
    (f"{BASE}.colour", {}, f"{BASE}.colour: ", "unknown key"),
    (f"{BASE}.node_power_8xh100.distribution.value", 1e9,
     f"{BASE}.node_power_8xh100: ", "value 1e+09, expected at most 1000 kW"),
    (f"{BASE}.pue.distribution.p95", 13, f"{BASE}.pue: ", "p95 13, expected at most 10 ratio"),
    (f"{BASE}.output_tokens_short.distribution", {"family": "exponential", "median": 1e9},
     f"{BASE}.output_tokens_short: ", "median 1e+09, expected at most 1e+08 tokens"),
    (f"{BASE}.trim.outer", [95, 5], f"{BASE}.trim.outer: ", "must be below"),
    (f"{BASE}.trim.inner", [10, 101], f"{BASE}.trim.inner.1: ", "less than or equal to 100"),
    (f"{BASE}.input_tokens.distribution", {"family": "uniform", "low": 1, "high": 9},
     f"{BASE}.input_tokens: ", "expected 'constant'"),
    (f"{BASE}.long_share.distribution.value", "much", f"{BASE}.long_share.distribution.value: ", "number"),
    (f"{BASE}.long_share.distribution.value", float("nan"),
     f"{BASE}.long_share.distribution.value: ", "finite"),
    (f"{BASE}.overheads_short.1.distribution.value", 0.5, f"{BASE}.overheads_short.1: ", "at least 1"),
    (f"{VARIANTS}.v1.node_power_8xh100.distribution.value", -1,
     f"{VARIANTS}.v1.node_power_8xh100: ", "at least 0"),
    (f"{VARIANTS}.v1.node_powr", {}, f"{VARIANTS}.v1.node_powr: ", "unknown key, did you mean 'node_power_"),
    ("assumptions.as_published.models.0.throughput", "spline",
     "assumptions.as_published.models.0.throughput: ", "'regression'"),
    ("assumptions.as_published.models.1.name", "Llama 3.1 405B", "assumptions.as_published: ", "twice"),
    ("assumptions.as_published.authors_stream.fleet", "v3", "assumptions.as_published: ", "'v3' is none of"),
    ("logs.weight_input", "guessed", "logs.weight_input: ", "'fitted', found 'guessed'"),
    ("logs.weight_input", 0.2, "logs.weight_input: ", "valid dictionary"),
    ("logs.weight_input", CONSTANT | {"unit": "tokens"}, "logs.weight_input: ", "expected 'ratio'"),
    ("logs.requests_in_flight", CONSTANT | {"unit": "requests"}, "logs.requests_in_flight: ", "at least 1"),
    ("simulation.replicates", 2.5, "simulation.replicates: ", "integer"),
    ("simulation.draws_per_replicate", 1000, "simulation.draws_per_replicate: ", "power of two"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "where", "what"), WRONG)
def test_a_wrong_value_is_refused_with_its_key(
    changed: Callable[..., Path], key: str, value: Any, where: str, what: str
) -> None:
    path = changed(key, value)
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    assert message.count("\n") == 0, "one mistake, one line"
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
    key = "assumptions.as_published.models.1.source"
    path = changed(key, "nosuchkey2026")
    (path.parent / "paper").mkdir()
    shutil.copy(BIBLIOGRAPHY, path.parent / "paper")
    monkeypatch.chdir(path.parent)
    expected = f"params.yaml, {key}: 'nosuchkey2026', expected a key of paper/references.bib"
    with pytest.raises(InputError, match=expected):
        check_assumptions.main()
    assert not SECTIONS.exists()


def test_two_mistakes_give_two_lines(changed: Callable[..., Path], tmp_path: Path) -> None:
    first = changed(f"{BASE}.pue.unit", "percent")
    yaml = YAML(typ="safe")
    data = yaml.load(first)
    data["assumptions"]["as_published"]["base"]["blend"]["models"] = 0
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
        (b"", "valid dictionary"),
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
    published = load("assumptions.as_published")
    base, v1 = published.base, published.variants["v1"]
    assert published.variants["v2"] == base
    assert v1.node_power_8xh100.distribution.value == 11.3
    assert v1.pue == base.pue
    assert published.variants["v2_untrimmed"].trim is None


def test_a_changed_base_reaches_the_variants(changed: Callable[..., Path]) -> None:
    path = changed(f"{BASE}.pue.distribution.p95", 1.4)
    variants = load("assumptions.as_published.variants", path=path)
    assert {variant.pue.distribution.p95 for variant in variants.values()} == {1.4}


def test_several_keys_come_in_their_order() -> None:
    simulation, models = load("simulation", "assumptions.as_published.models")
    assert simulation.seed >= 0
    assert models[0].name == "Llama 3.1 405B"


def test_the_stage_leaves_what_was_there_when_params_are_wrong(
    changed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(f"{BASE}.pue.distribution.p95", 1.0)
    monkeypatch.chdir(tmp_path)
    before = tmp_path / SECTIONS / "logs.json"
    before.parent.mkdir(parents=True)
    before.write_text("{}\n")
    with pytest.raises(InputError, match=r"^params\.yaml, .*pue\.distribution: "):
        check_assumptions.main()
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


def test_an_experiment_changes_only_its_own_lines(tmp_path: Path) -> None:
    """The file stands as `dvc exp run -S` writes it."""
    copy = tmp_path / "params.yaml"
    copy.write_bytes(PARAMS.read_bytes())
    asked = ["simulation.seed=1", "scenario.what_if.pue=1.12", f"{BASE}.pue.distribution.p95=1.4"]
    apply_overrides(copy, asked)
    before, after = (path.read_text(encoding="utf-8").splitlines() for path in (PARAMS, copy))
    changed = [line.strip() for line, was in zip(after, before, strict=True) if line != was]
    assert changed == ["seed: 1", "distribution: {family: lognormal, p5: 1.05, p95: 1.4}", "pue: 1.12"]
