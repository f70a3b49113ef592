"""The package that others install: as near to predictions as it says, quick, alone, and the same bytes."""

import doctest
import importlib
import json
import resource
import subprocess
import sys
import time
import zipfile
from functools import reduce
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.core.parse import read_citation
from pipeline.core.settings import from_params
from pipeline.predict import predictor
from pipeline.present.release.wheel import AXES, WH, deployments, package_data, predicted, write_wheel

MODELS = ["Llama 3.1 8B", "Llama 3.1 70B", "Qwen3 235B-A22B", "gpt-oss-120b", "Gemma 3 27B", "DeepSeek-V3"]
CLASSES = {"large mixture-of-experts": ["Qwen3 235B-A22B", "DeepSeek-R1"], "mid": ["Llama 3.1 70B"],
           "small": ["Llama 3.1 8B"], "large dense": ["Llama 3.1 70B"]}  # fmt: skip
FACTORS, ENERGY = from_params("factors", "energy")
BANDS = [band.high for band in FACTORS.contexts]
SERVICES = pd.read_csv("data/published/closed_services.csv")
TOOL = predictor()


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return package_data(TOOL, FACTORS, CLASSES, SERVICES, "9.9.9", MODELS)


@pytest.fixture(scope="module")
def wheel(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wheel(data, FACTORS.package, read_citation(), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


@pytest.fixture(scope="module")
def perquery(installed: Path) -> Any:
    sys.path.insert(0, str(installed))
    yield importlib.import_module("perquery")
    sys.path.remove(str(installed))
    for name in [name for name in sys.modules if name.split(".")[0] == "perquery"]:
        del sys.modules[name]


def test_its_example_comes_out_as_it_stands(perquery: Any) -> None:
    found = doctest.testmod(perquery)
    assert found.attempted and not found.failed


def grid() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    context = np.exp(rng.uniform(np.log(20), np.log(131_000), 80))
    answer = np.maximum(1, np.rint(context * np.exp(rng.uniform(np.log(0.003), np.log(0.6), 80))))
    prompt = np.maximum(1, np.rint(context - answer))
    cached = np.rint(prompt * np.clip(rng.uniform(-0.5, 1, 80), 0, 0.97))
    return pd.DataFrame({"input_tokens": prompt, "cached_input_tokens": cached, "output_tokens": answer})


def test_estimates_are_predictions_of_the_deployment_that_they_name(perquery: ModuleType) -> None:
    served = deployments(TOOL, MODELS, FACTORS.package)
    theirs = predicted(TOOL, served, grid(), FACTORS.package)
    theirs["on"] = np.repeat(served["gpu"].to_numpy(), len(grid()))
    assert (theirs["status"] == "ok").all()
    columns = [name.replace("node_wh", "facility_wh") for name in WH]
    off, sides = [], []
    for row, expected in zip(theirs.to_dict("records"), theirs[columns].to_numpy(float), strict=True):
        context = row["input_tokens"] + row["output_tokens"]
        if context > TOOL.known.models.loc[row["model"], "max_context_tokens"]:
            continue
        lengths = (row["input_tokens"], row["output_tokens"], row["cached_input_tokens"])
        found = perquery.estimate(row["model"], *lengths, precision=row["precision"])
        sides.append((found.evidence == "extrapolated") == (row["basis"] == "extrapolated"))
        assert found.deployment == f"{row['on']} in {row['precision']}, 64 requests in flight"
        off.append([context, *(np.array(found.wh) / expected - 1)])
    context, *each = np.array(off).T
    p5, p50, p95 = np.abs(each)
    assert len(context) > 400
    assert np.mean(sides) > 0.99  # of what was measured; those on the edge go by rounding
    assert p50.max() < 0.10 and np.median(p50) < 0.02
    for outer in (p5, p95):
        assert outer.max() < 0.25 and np.quantile(outer, 0.95) < 0.10 and np.median(outer) < 0.05
    said = perquery._data()["error"]
    assert list(map(float, said)) == BANDS
    assert max(of[1] for of in said.values()) < 0.10 and max(map(max, said.values())) < 0.25
    short = context <= BANDS[0]
    assert 0.005 < p50[short].max() < 1.5 * next(iter(said.values()))[1]  # found on other loads


def test_water_and_carbon_are_those_of_the_site(perquery: ModuleType) -> None:
    columns = {"wh": "facility_wh", "onsite_ml": "onsite_ml", "total_ml": "total_ml", "gco2e": "carbon_g"}
    assert list(perquery.sites()) == list(TOOL.known.scenarios)
    for site in TOOL.known.scenarios:
        row = {"model": "Llama 3.1 70B", "gpu": "4xH100", "precision": "bf16", "concurrency": 64}
        row |= {"input_tokens": 1024, "output_tokens": 512, "site_scenario": site}
        theirs = TOOL.predict(pd.DataFrame([row])).iloc[0]
        found = perquery.estimate("Llama 3.1 70B", 1024, 512, site=site)
        for field, name in columns.items():
            expected = [theirs[f"{name}_per_query_{q}"] for q in ("p5", "p50", "p95")]
            if getattr(found, field) is None:
                assert np.isnan(expected).all()
            elif expected[2] == 0:
                assert tuple(getattr(found, field)) == (0, 0, 0)
            else:
                assert np.array(getattr(found, field)) == pytest.approx(
                    expected, rel=0.15, abs=expected[1] / 50
                )


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 800}},
        {"input_tokens": 1000, "output_tokens": 200, "input_tokens_details": {"cached_tokens": 800}},
        {"input_tokens": 150, "output_tokens": 200, "cache_read_input_tokens": 800,
         "cache_creation_input_tokens": 50},
        {"input_tokens": 200, "output_tokens": 200, "cache_read_input_tokens": 800},
        {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_cache_hit_tokens": 800},
        {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 800},
         "cache_read_input_tokens": 800, "cache_creation_input_tokens": 50},
        {"model": "x", "usage": {"prompt_tokens": 1000, "completion_tokens": 200,
                                 "prompt_tokens_details": {"cached_tokens": 800}}},
        SimpleNamespace(prompt_tokens=1000, completion_tokens=200,
                        prompt_tokens_details=SimpleNamespace(cached_tokens=800)),
    ],
)  # fmt: skip
def test_usage_of_every_api_is_the_same_query(perquery: ModuleType, usage: Any) -> None:
    assert perquery.tokens_of(usage) == (1000, 800, 200)
    stated = perquery.estimate("Llama 3.1 70B", 1000, 200, 800)
    assert perquery.estimate("Llama 3.1 70B", usage=usage) == stated
    assert stated.wh.p50 < perquery.estimate("Llama 3.1 70B", 1000, 200).wh.p50


def test_what_is_written_to_a_cache_is_computed(perquery: ModuleType) -> None:
    usage = {"input_tokens": 150, "output_tokens": 200, "cache_creation_input_tokens": 50}
    assert perquery.tokens_of(usage) == (200, 0, 200)


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        ("meta-llama/Llama-3.1-70B-Instruct", "modelled"),
        ("llama3.1:70b", "modelled"),
        ("gpt-4o", "judged"),
        ("openai/gpt-4o-2024-08-06", "judged"),
        ("claude-sonnet-4-5-20250929", "judged"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "judged"),
        ("anthropic/claude-sonnet-4.5", "judged"),
        ("Claude Sonnet 4.5", "judged"),
        ("claude-sonnet-4-5@20250929", "judged"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "judged"),
        ("gemini-2.5-pro-preview-05-06", "judged"),
        ("large mixture-of-experts", "class"),
        ("Large mixture of experts", "class"),
    ],
)
def test_a_closed_service_is_one_of_a_class_with_its_date(
    perquery: ModuleType, model: str, tier: str
) -> None:
    found = perquery.estimate(model, 600, 250)
    assert found.tier == tier
    assert found.wh.p5 < found.wh.p50 < found.wh.p95
    if tier == "judged":
        assert found.reason.startswith("2026-") and found.deployment.startswith("any of")
        members = [perquery.estimate(name, 600, 250).wh for name in CLASSES["large mixture-of-experts"]]
        assert min(one.p50 for one in members) < found.wh.p50 < max(one.p50 for one in members)
        assert found.wh.p95 / found.wh.p5 > min(one.p95 / one.p5 for one in members)


def test_every_judged_class_is_one_of_the_analysis_and_its_models_have_tables() -> None:
    classes = {one.name: one.models for one in ENERGY.deployments.classes}
    assert set(SERVICES["model_class"]) <= set(classes)
    members = sorted({TOOL.known.names.resolve(item.model) for of in classes.values() for item in of})
    assert set(deployments(TOOL, members, FACTORS.package)["model"]) == set(members)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"model": "Llama 3.1 75B", "input_tokens": 1, "output_tokens": 1}, "nearest: Llama 3.1 "),
        ({"model": "gpt-4oo", "input_tokens": 1, "output_tokens": 1}, "gpt-4o"),
        ({"model": "mid", "input_tokens": 1e300, "output_tokens": 1}, "a number from 0 to 100,000,000"),
        ({"model": "mid", "input_tokens": 10**400, "output_tokens": 1}, "a number from 0 to 100,000,000"),
        ({"model": "mid", "input_tokens": 10**9999, "output_tokens": 1}, "a number from 0 to 100,000,000"),
        ({"model": "mid", "input_tokens": 9, "output_tokens": -1}, "'-1' tokens, expected a number from 0"),
        ({"model": ["mid"], "input_tokens": 9, "output_tokens": 1}, "expected a name"),
        ({"model": "m" * 9999, "input_tokens": 9, "output_tokens": 1}, "^.{,99}$"),
        ({"model": "m" * 99, "input_tokens": 9, "output_tokens": 1}, "^.{,120}$"),
        ({"model": "mid", "input_tokens": 9, "output_tokens": 1, "site": "s" * 9999}, "^.{,300}$"),
        ({"model": "mid", "input_tokens": float("nan"), "output_tokens": 1}, "expected a number from 0"),
        ({"model": "mid", "input_tokens": True, "output_tokens": 1}, "expected a number from 0"),
        ({"model": "mid", "input_tokens": 9, "output_tokens": 1, "cached_input_tokens": 10}, "10 cached"),
        ({"model": "Llama 3.1 8B", "input_tokens": 131_072, "output_tokens": 1}, "at most 131,072"),
        ({"model": "mid", "input_tokens": 9, "output_tokens": 1, "site": "moon"}, "expected one of"),
        ({"model": "Llama 3.1 8B", "input_tokens": 9, "output_tokens": 1, "precision": "int3"}, "one of"),
        ({"model": "mid", "input_tokens": 9}, "expected input_tokens and output_tokens, or usage"),
        ({"model": "mid", "usage": {"tokens": 9}}, "expected prompt_tokens or input_tokens"),
        ({"model": "mid", "usage": reduce(lambda one, _: {"usage": one}, range(5000))}, "expected prompt_"),
    ],
)  # fmt: skip
def test_a_wrong_query_says_what_was_expected(perquery: ModuleType, query: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        perquery.estimate(**query)


def test_an_estimate_is_written_in_the_terms_of_others(perquery: ModuleType) -> None:
    found = perquery.estimate("Llama 3.1 70B", 600, 250)
    (energy,) = found.spdx()["ai_inferenceEnergyConsumption"]
    assert float(energy["ai_energyQuantity"]) == pytest.approx(found.wh.p50 / 1000, rel=0.005)
    assert energy["ai_energyUnit"] == "kilowattHour"
    inputs = found.impact_framework()
    assert inputs == {"energy": found.wh.p50 / 1000, "carbon-operational": found.gco2e.p50}


CALL = """
import sys
sys.path.insert(0, sys.argv[1])
import perquery
perquery.estimate("Llama 3.1 70B", 600, 250)
print(*sys.modules)
"""
SLOW = {"argparse", "dataclasses", "difflib", "inspect", "pathlib", "subprocess", "urllib.parse"}


def started(code: str, *words: str) -> tuple[float, set[str]]:
    """Processor time of a Python, its start included, in which other work does not count; what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-I", "-S", "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(after[:2]) - sum(before[:2]), set(done.stdout.split())


def test_it_is_quick_and_needs_the_standard_library_alone(perquery: ModuleType, installed: Path) -> None:
    cold, bare = ([started(code, str(installed)) for _ in range(5)] for code in (CALL, "pass"))
    modules = cold[0][1]
    assert {name.split(".")[0] for name in modules} <= {"perquery", "__main__", *sys.stdlib_module_names}
    assert not modules & SLOW
    seconds, least = (min(each)[0] for each in (cold, bare))
    assert seconds < 0.1 and seconds < 6 * least, f"{seconds:.3f} s, {least:.3f} s of it for Python"
    start = time.process_time()
    for tokens in range(1000):
        perquery.estimate("Llama 3.1 70B", 600 + tokens, 250)
    assert time.process_time() - start < 1.0


def test_its_method_is_the_file_beside_it(perquery: ModuleType, installed: Path) -> None:
    assert perquery.estimate("mid", 600, 250).method == (installed / "perquery/METHOD.md").as_uri()


def test_the_wheel_has_the_same_bytes_again(data: dict[str, Any], wheel: Path, tmp_path: Path) -> None:
    again = write_wheel(data, FACTORS.package, read_citation(), tmp_path)
    assert again.name == wheel.name == f"perquery-{read_citation().version}-py3-none-any.whl"
    assert again.read_bytes() == wheel.read_bytes()


def command(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(installed), "PATH": ""}
    words = (sys.executable, "-m", "perquery", *words)
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=installed)


def test_the_command_estimates_and_reads_usage(installed: Path, perquery: ModuleType, tmp_path: Path) -> None:
    done = command(installed, "estimate", "Llama 3.1 70B", "600", "250", "--json")
    assert json.loads(done.stdout) == json.loads(
        json.dumps(perquery.estimate("Llama 3.1 70B", 600, 250).as_dict())
    )
    assert "energy, Wh" in command(installed, "estimate", "mid", "600", "250").stdout
    usage = tmp_path / "usage.jsonl"
    row = {"model": "gpt-4o", "usage": {"prompt_tokens": 600, "completion_tokens": 250}}
    usage.write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n")
    done = command(installed, "usage", str(usage))
    assert [json.loads(line)["model"] for line in done.stdout.splitlines()] == ["gpt-4o", "gpt-4o"]
    one = json.dumps(row).encode()
    for text in (
        b'{"model": "gpt-4o"}',
        b"[" * 100_000,
        b"9" * 9999,
        b"",
        b"{}",
        one + b"\n{",
        b"\0",
        b"\xff",
    ):
        usage.write_bytes(text)
        done = command(installed, "usage", str(usage))
        assert done.returncode == 1 and not done.stdout, text[:60]
        assert done.stderr.startswith(f"perquery: {usage}") and done.stderr.count("\n") == 1, text[:60]
    listed = command(installed, "models").stdout.splitlines()
    assert {"Llama 3.1 70B", "gpt-4o", "mid"} <= set(listed)
    wrong = ("gpt-9 1 1", "mid 1e400 1", "mid 1 -1", "mid 9 1 --cached 10", "mid 9 1 --site moon")
    for words in (("usage", "missing.json"), *(("estimate", *text.split()) for text in wrong)):
        done = command(installed, *words)
        assert done.returncode == 1 and done.stderr.startswith("perquery: ") and done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_tools_of_the_project_come_with_it(installed: Path, tmp_path: Path) -> None:
    for folder, words in ((".", ["pipeline.predict"]), (installed, ["perquery", "predict"])):
        out = tmp_path / f"{words[0]}.csv"
        table = Path("data/examples/configurations.csv").resolve()
        run = [sys.executable, "-m", *words, str(table), "-o", str(out)]
        subprocess.run(run, check=True, cwd=folder)
    assert (tmp_path / "perquery.csv").read_bytes() == (tmp_path / "pipeline.predict.csv").read_bytes()


def test_the_grid_has_the_ends_that_it_answers_for() -> None:
    assert AXES["context"][-1] == BANDS[-1]
    assert AXES["cached_share"] == sorted(AXES["cached_share"]) and AXES["cached_share"][-1] == 1
