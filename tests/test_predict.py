"""`python -m pipeline.predict`: what it writes, how fast, and every way its input can be wrong."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions import load
from pipeline.errors import InputError
from pipeline.estimate.predictions import SERVERS, at_sites
from pipeline.estimate.water.draws import TERMS
from pipeline.estimate.water.scenarios import Sites
from pipeline.predict import predictions
from tests.estimate.water.test_draws import FACTORS, SETTINGS, scenario

HEADER = "model,total_params_b,active_params_b,gpu,gpus,precision,concurrency,input_tokens,output_tokens"
GOOD = "Llama 3.1 70B,70.6,70.6,H100,4,bf16,32,511,303"
QUANTITIES = (
    "output_tokens_per_s", "gpu_w", "gpu_j_per_output_token", "node_wh_per_query", "facility_wh_per_query",
    "onsite_ml_per_query", "offsite_ml_per_query", "total_ml_per_query",
)  # fmt: skip


def table(*lines: str, header: str = HEADER) -> pd.DataFrame:
    rows = [line.split(",") for line in lines]
    return pd.DataFrame(rows, columns=pd.Index(header.split(",")), dtype="str").replace("", pd.NA)


def run(folder: Path, text: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    (folder / "configs.csv").write_text(text, encoding="utf-8", newline="")
    out = folder / "predictions.csv"
    command = [sys.executable, "-m", "pipeline.predict", str(folder / "configs.csv"), "-o", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False), out


@pytest.mark.parametrize("place", ["", "file/predictions.csv"])
def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "configs.csv").write_text("no header that is known\n")
    command = [sys.executable, "-m", "pipeline.predict", str(tmp_path / "configs.csv"), "-o"]
    done = subprocess.run([*command, str(tmp_path / place)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith(f"error: {tmp_path / place.split('/')[0]}: ")


def test_columns_and_order_of_quantiles() -> None:
    result = predictions(table(GOOD, ",300,20,H200,8,fp8,64,,"))
    names = [f"{name}_{quantile}" for name in QUANTITIES for quantile in ("p5", "p50", "p95")]
    assert list(result.columns) == [*HEADER.split(","), *names, "basis"]
    for name in QUANTITIES:
        assert (result[f"{name}_p5"] < result[f"{name}_p50"]).all()
        assert (result[f"{name}_p50"] < result[f"{name}_p95"]).all()
    assert result["basis"].tolist() == ["measured configuration", "pooled"]
    assert (result["facility_wh_per_query_p50"] > result["node_wh_per_query_p50"]).all()
    gpu_wh = result["gpu_j_per_output_token_p50"] * result["output_tokens"] / 3600
    assert (result["node_wh_per_query_p50"] > gpu_wh).all()


def test_a_measured_row_is_predicted_by_itself() -> None:
    measured = pd.read_csv("data/telemetry/serving_measurements.csv")
    own = measured[measured["key"] == "v3/meta-llama/Llama-3.1-70B-Instruct/H100x4/32"]
    if own.empty:
        own = measured[(measured["source"] == "mlenergy_v3") & (measured["model"] == "Llama 3.1 70B")].head(1)
    row = own.iloc[0]
    line = (
        f"{row['upstream_model']},,,{row['gpu']},{int(row['gpus'])},{row['precision']},"
        f"{row['average_batch']},200,{row['output_tokens']}"
    )
    result = predictions(table(line)).iloc[0]
    assert result["basis"] == "measured configuration"
    assert result["gpu_w_p5"] < row["gpu_w"] < result["gpu_w_p95"]
    assert result["output_tokens_per_s_p5"] < row["output_tokens_per_s"] < result["output_tokens_per_s_p95"]


def test_known_models_need_no_sizes_and_spelling_does_not_matter() -> None:
    spellings = [
        "meta-llama/Llama-3.1-405B-Instruct-FP8", "Llama 3.1 405B", "llama-3.1-405b", "llama-3_1-405b"
    ]  # fmt: skip
    result = predictions(table(*[f"{name},,,h100,8,FP8,64,511,303" for name in spellings]))
    assert (result["total_params_b"] == 405).all()
    assert (result["gpu"] == "H100").all()
    assert len(set(result["output_tokens_per_s_p50"])) == 1


def test_blank_lengths_are_the_short_production_scenario() -> None:
    settings, lengths = load("assumptions.re_estimate.serving", "assumptions.re_estimate.lengths")
    traced = lengths.production.short
    trace = pd.read_csv("data/telemetry/token_lengths.csv").set_index(["key", "quantity"])["mean"]
    for name in ("input", "output"):
        level = getattr(traced, f"{name}_level").distribution.median()
        mean = trace["azure_llm_2023/conv", f"{name}_tokens"]
        stated = getattr(settings.blank_lengths, f"{name}_tokens").distribution.median()
        assert stated == pytest.approx(level * mean, rel=0.02)
    blank = predictions(table("Llama 3.1 70B,,,H100,4,bf16,32,,")).iloc[0]
    assert (blank["input_tokens"], blank["output_tokens"]) == (1180, 295)


def test_weights_published_in_four_bits_run_on_any_accelerator() -> None:
    assert len(predictions(table("openai/gpt-oss-120b,,,H100,1,fp4,8,501,301"))) == 1


def test_weights_that_the_chip_must_widen_are_predicted_as_extrapolated() -> None:
    wide, narrow, more_memory = (
        predictions(table(f"Llama 3.1 70B,,,{chip},500,300")).iloc[0]
        for chip in ("H100,4,bf16,8", "H100,4,fp4,8", "A100,4,fp8,8")
    )
    assert wide["basis"] == "measured configuration"
    assert narrow["basis"] == more_memory["basis"] == "extrapolated"
    assert narrow["output_tokens_per_s_p50"] > wide["output_tokens_per_s_p50"]  # a quarter of the bytes


def test_a_spreadsheets_line_ends_and_mark_change_nothing_and_own_columns_come_through(
    tmp_path: Path,
) -> None:
    plain, out = run(tmp_path, f"id,{HEADER}\n7,{GOOD}\n")
    assert "carried through, not used: id" in plain.stderr
    written = out.read_text()
    assert written.splitlines()[0].startswith(f"id,{HEADER},") and written.splitlines()[1].startswith("7,")
    exported, out = run(tmp_path, f"\ufeffid,{HEADER}\r\n7,{GOOD}\r\n\r\n")
    assert exported.returncode == 0, exported.stderr
    assert out.read_text() == written


def test_cells_that_tools_write_for_what_is_missing_are_blanks() -> None:
    blank, written = (predictions(table(f"Llama 3.1 70B,{a},{a},H100,4,bf16,32,{a},{a}")) for a in ("", "NA"))
    assert written["input_tokens"].iloc[0] == blank["input_tokens"].iloc[0]
    assert written["output_tokens_per_s_p50"].equals(blank["output_tokens_per_s_p50"])


def test_round_lengths_are_lengths_like_others() -> None:
    found = predictions(table(*[f"Llama 3.1 8B,,,H100,1,bf16,64,1000,{o}" for o in (999, 1000, 1001)]))
    assert set(found["basis"]) == {"measured configuration"}
    for name in QUANTITIES:
        steps = np.diff(np.log(found[f"{name}_p50"]))
        assert np.abs(steps).max() < 0.003


def test_energy_of_an_answer_grows_with_its_length_and_speed_with_requests() -> None:
    outputs = np.unique(np.geomspace(20, 20_000, 60).astype(int))
    longer = predictions(table(*[f"Llama 3.1 405B,,,H100,8,fp8,32,1000,{o}" for o in outputs]))
    assert (np.diff(longer["facility_wh_per_query_p50"]) > 0).all()
    batches = np.unique(np.geomspace(1, 4000, 60).astype(int))
    more = predictions(table(*[f"gpt-oss-120b,,,B200,2,fp4,{b},1000,1000" for b in batches]))
    assert (np.diff(more["output_tokens_per_s_p50"]) > -1e-9).all()
    assert (np.diff(more["gpu_j_per_output_token_p50"]) < 1e-9).all()


def test_what_no_memory_holds_and_what_no_fit_has_seen_is_extrapolated() -> None:
    rows = [
        "Llama 3.1 405B,,,H100,8,fp8,1,1000000,100",  # the cache of one request does not fit
        "Llama 3.1 70B,,,GB200,72,fp8,64,1000,500",  # more accelerators than were measured
        "Llama 3.1 70B,,,GB200,4,fp8,64,1000,500",
    ]
    assert predictions(table(*rows))["basis"].tolist() == ["extrapolated", "extrapolated", "same model"]


def test_a_model_of_which_only_the_size_is_known_is_less_certain() -> None:
    named, sized = "Qwen2.5 32B,32.5,32.5", ",32.5,32.5"
    found = predictions(table(*[f"{model},H100,2,bf16,32,511,303" for model in (named, sized)]))
    width = found["output_tokens_per_s_p95"] / found["output_tokens_per_s_p5"]
    assert width.iloc[1] > 1.1 * width.iloc[0]


def test_the_command_writes_nothing_on_error(tmp_path: Path) -> None:
    result, out = run(tmp_path, f"{HEADER}\n{GOOD}\n{GOOD.replace('H100', 'H1000')}\n")
    assert result.returncode == 1
    assert "configs.csv, row 3, column 'gpu': 'H1000'" in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_a_thousand_rows_take_seconds_and_come_out_the_same_twice(tmp_path: Path) -> None:
    batches = np.random.default_rng(1).integers(1, 500, 1000)
    lines = "\n".join(GOOD.replace(",32,", f",{batch},") for batch in batches)
    first, out = run(tmp_path, f"{HEADER}\n{lines}\n")
    assert first.returncode == 0, first.stderr
    written = out.read_bytes()
    assert len(written.splitlines()) == 1001
    run(tmp_path, f"{HEADER}\n{lines}\n")
    assert out.read_bytes() == written
    start = time.process_time()  # processor time: other work on the machine does not count
    predictions(table(*lines.splitlines()))
    assert time.process_time() - start < 3


def test_water_is_that_of_the_rows_scenario_and_no_other_row_matters() -> None:
    header = f"{HEADER},site_scenario"
    rows = [f"{GOOD},", f"{GOOD},microsoft_today", f"{GOOD},zero_water", f"{GOOD},google"]
    found = predictions(table(*rows, header=header))
    alone = predictions(table(f"{GOOD},google", header=header))
    pd.testing.assert_frame_equal(found.iloc[[3]].reset_index(drop=True), alone)
    assert found["total_ml_per_query_p50"].iloc[0] == found["total_ml_per_query_p50"].iloc[1]
    zero, google = found.iloc[2], found.iloc[3]
    assert zero["onsite_ml_per_query_p95"] == 0 < zero["offsite_ml_per_query_p50"]
    assert google["onsite_ml_per_query_p50"] / google["node_wh_per_query_p50"] == pytest.approx(1.15, rel=0.1)
    sums = found["onsite_ml_per_query_p95"] + found["offsite_ml_per_query_p95"]
    assert (found["total_ml_per_query_p95"] <= sums * (1 + 1e-9)).all()


def test_energy_and_water_of_a_row_are_those_of_one_site() -> None:
    """At one PUE every quantile is that many times the servers'; blank is the headline."""
    header = f"{HEADER},site_scenario"
    headline = load("assumptions.water.headline")
    rows = [f"{GOOD},zero_water", f"{GOOD},world_average", f"{GOOD},", f"{GOOD},{headline}"]
    found = predictions(table(*rows, header=header))
    pue = pd.read_csv("data/published/pue.csv").set_index("key")["value"]
    for row, key in ((0, "ms_design"), (1, "uptime_2025")):
        for quantile in ("p5", "p50", "p95"):
            facility, node = (
                found.loc[row, f"{part}_wh_per_query_{quantile}"] for part in ("facility", "node")
            )
            assert facility / node == pytest.approx(pue[key], rel=1e-9)
    pd.testing.assert_series_equal(found.loc[2], found.loc[3], check_names=False)
    assert found.loc[0, "facility_wh_per_query_p50"] < found.loc[2, "facility_wh_per_query_p50"]


def test_water_of_the_electricity_is_that_of_the_energy_at_the_facility_draw_by_draw() -> None:
    named = {"both": scenario(), "wet": scenario(sites=["wet"])}
    sites = Sites.of(SETTINGS.model_copy(update={"scenarios": named}), FACTORS)
    rng = np.random.default_rng(3)
    scenarios = pd.Series([*named])
    node_wh, uniforms = rng.random((2, 50)), rng.random((TERMS, 50))
    facility, onsite, offsite, total = at_sites(scenarios, sites, node_wh, uniforms)
    drawn = {where["site_scenario"]: at for where, at in sites.draws(uniforms)}
    for row, name in enumerate(scenarios):
        at = drawn[name]
        np.testing.assert_allclose(offsite[row], facility[row] * at.electricity_l_per_kwh)
        np.testing.assert_allclose(onsite[row], node_wh[row] * at.wue_l_per_kwh)
    assert len(set((facility / node_wh)[0].round(6))) == 2  # of either site
    np.testing.assert_allclose(total, onsite + offsite)


def test_a_site_scenario_that_is_not_in_params_is_refused() -> None:
    rows = table(f"{GOOD},moon", header=f"{HEADER},site_scenario")
    with pytest.raises(InputError, match=r"row 2, column 'site_scenario': 'moon', expected one of published"):
        predictions(rows)


def test_accelerators_that_no_fit_has_seen_say_so() -> None:
    header = "model,gpu,gpus,precision,concurrency"
    rows = [f"Llama 3.1 70B,{gpu},1,fp8,32" for gpu in ("MI355X", "Ironwood", "Maia 200", "Rubin", "GB300")]
    found = predictions(table(*rows, header=header))
    assert set(found["basis"]) == {"extrapolated"}
    assert (found["node_wh_per_query_p50"] * 3600 > found["gpu_j_per_output_token_p50"]).all()
    assert found.filter(like="_p50").notna().all(axis=None)


def test_a_generation_without_a_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SERVERS, "Maia")
    with pytest.raises(InputError, match="no server is known for accelerators of generation 'Maia'"):
        predictions(table("Llama 3.1 70B,Maia 200,1,fp8,32", header="model,gpu,gpus,precision,concurrency"))
