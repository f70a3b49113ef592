"""The command as people run it: folders of tools' files, deployment.yaml, doubts, the report and the files
beside it."""

import json
import os
import re
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.user_table import read_user_table
from pipeline.deployment.model.measured import calibrated
from pipeline.logs.__main__ import FLAGGED, main
from pipeline.logs.deployment import read_deployment
from pipeline.predict import predictor
from tests.logs.conftest import ROOT, write
from tests.logs.situations import Service, service

MLPERF = Path(os.environ.get("TELEMETRY_MIRROR", ROOT / ".." / "shared" / "mirror")) / (
    "mlperf_v5.1/Lenovo/SR780a_V3_B200SXMx8_TRT/llama3.1-405b/Server"
)


@pytest.fixture
def command(monkeypatch):
    """Run the command; its exit code."""

    def go(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["pipeline.logs", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return go


def tools(made: Service, folder: Path, cards: int = 8) -> Path:
    """The service as nvidia-smi and LiteLLM write it."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = made.cards(cards).sort_values(["time", "device"])
    lines = [
        f"{row.time:%Y/%m/%d %H:%M:%S}.{row.time.microsecond // 1000:03d}, {row.device}, NVIDIA H100 80GB "
        f"HBM3, {row.watts:.2f} W"
        for row in drawn.itertuples()
    ]
    header = "timestamp, index, name, power.draw [W]"
    (folder / "gpus.csv").write_text("\n".join([header, *lines]) + "\n")
    asked = made.asked.assign(
        request_id=[f"r{k}" for k in range(len(made.requests))],
        status="success",
        api_base="http://n1:8000/v1",
    ).rename(
        columns={
            "time": "startTime",
            "end": "endTime",
            "input_tokens": "prompt_tokens",
            "output_tokens": "completion_tokens",
        }
    )
    asked.drop(columns="node").to_csv(folder / "spend.csv", index=False, date_format="%Y-%m-%d %H:%M:%S.%f")
    return folder


def test_a_folder_of_tools_files_gives_a_whole_report(tmp_path, command, capsys):
    made = service(costs={"meta-llama/Llama-3.1-70B-Instruct": 1.0}, minutes=5)
    folder = tools(made, tmp_path / "logs")
    (folder / "deployment.yaml").write_text("gpu_to_node: 1.0\npue: 1.25\ngrid: FRA\ngpus: 8\n")
    os.umask(0o027)
    assert command(folder, "-o", tmp_path / "out") == 0
    os.umask(0o022)
    assert "gpus.csv: power, nvidia-smi --query-gpu, CSV" in capsys.readouterr().out
    models = pd.read_csv(tmp_path / "out" / "models.csv")
    idle = models["idle_wh"].item() / 1.25
    assert models["node_mean_wh"].item() + idle == pytest.approx(made.wh, rel=5e-3) and idle < 0.05 * made.wh
    assert models["mean_wh"].item() == pytest.approx(1.25 * models["node_mean_wh"].item(), rel=1e-5)
    assert models["carbon_g"].item() == pytest.approx(models["mean_wh"].item() * 0.04418, rel=1e-4)
    assert models["model"].item() == "meta-llama/Llama-3.1-70B-Instruct"
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert content["headline_given"] and content["prediction"] and content["levers"]
    assert content["energy_read_wh"]["wall"] == 0 < content["energy_read_wh"]["accelerators"]
    page = (tmp_path / "out" / "report.html").read_text()
    first = page[: page.index("<h2>")]  # whoever opens it reads the answer first
    assert (
        f"takes <strong>{models['mean_wh'].item():.3g} Wh</strong> at the facility (nothing modelled)"
        in first
    )
    assert "Read at the wall" not in page and "Read at accelerators" in page
    assert stat.S_IMODE((tmp_path / "out" / "models.csv").stat().st_mode) == 0o640
    measured = pd.read_csv(tmp_path / "out" / "measured.csv")
    assert measured["gpus"].item() == 8 and np.isnan(measured["node_wh_per_query"].item())
    assert measured["gpu_j_per_output_token"].item() == pytest.approx(
        models["node_mean_wh"].item() * 3600 * models["queries"].item() / models["output_tokens"].item(),
        rel=1e-3,
    )


def test_what_was_measured_calibrates_the_prediction(tmp_path, command):
    """The calibration file of the command, and a table of one's own that has J per token alone."""
    folder = tools(service(costs={"Llama-3.1-70B": 1.0}, minutes=5), tmp_path / "logs")
    (folder / "deployment.yaml").write_text("gpus: 8\nengine: vLLM\n")
    assert command(folder, "-o", tmp_path / "out") == 0
    measured = pd.read_csv(tmp_path / "out" / "measured.csv")
    joules = "gpu_j_per_output_token"
    asked = measured.drop(columns=["output_tokens_per_s", "gpu_w", joules, "node_wh_per_query"])
    asked.to_csv(tmp_path / "asked.csv", index=False)
    asked.assign(**{joules: measured[joules]}).to_csv(tmp_path / "joules.csv", index=False)
    tool, table = predictor(), read_user_table(tmp_path / "asked.csv")
    told = [
        calibrated(tool, read_user_table(path), path)
        for path in (tmp_path / "joules.csv", tmp_path / "out" / "measured.csv")
    ]
    found = [one.predict(table, "asked.csv")[f"{joules}_p50"].item() for one in (tool, *told)]
    apart = np.abs(np.log(np.array(found) / measured[joules].item()))
    assert apart[2] < 0.5 * apart[0] and apart[1] < 0.7 * apart[0]


def test_the_page_needs_no_network_and_no_script(tmp_path, command):
    folder = tools(
        service(costs={"=HYPERLINK(1)<script>alert(1)</script>": 1.0}, minutes=3), tmp_path / "logs"
    )
    assert command(folder, "-o", tmp_path / "out", "--accept") == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert (
        "default-src 'none'" in page
        and "<script" not in page
        and "http" not in page.replace("http-equiv", "")
    )
    assert not re.search(r"(src|href)=", page)
    assert pd.read_csv(tmp_path / "out" / "models.csv")["model"].item().startswith("'=")


def test_doubts_keep_the_number_back_unless_accepted(tmp_path, command, capsys):
    made = service(minutes=4)
    asked = made.asked.assign(node=np.where(np.arange(len(made.asked)) % 4 == 0, "elsewhere", "n1"))
    paths = [write(asked, tmp_path / "r.csv"), write(made.drawn, tmp_path / "p.csv")]
    assert command(*paths, "-o", tmp_path / "out", "--accept") == 0
    assert (tmp_path / "out" / "models.csv").exists()
    assert command(*paths, "-o", tmp_path / "out") == FLAGGED
    said = capsys.readouterr().err
    assert "flagged: " in said and "--accept" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "account.csv",
        "report.html",
        "report.json",
    ]
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert not content["headline_given"] and "models" not in content and content["flags"]
    assert "No headline number" in (tmp_path / "out" / "report.html").read_text()


def test_the_fitted_line_of_the_server_brings_its_interval(tmp_path, command):
    folder = tools(service(minutes=4, costs={"Llama-3.1-70B": 1.0}), tmp_path / "logs")
    assert command(folder, "-o", tmp_path / "out") == 0
    row = pd.read_csv(tmp_path / "out" / "models.csv").iloc[0]
    assert row["low_wh"] < row["mean_wh"] < row["high_wh"]
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert any("H100 servers" in str(one["source"]) for one in content["assumed"])
    read = content["energy_read_wh"]
    assert read["nodes_of_accelerators"] > 1.15 * read["accelerators"]


def test_prices_of_models_that_share_a_node_have_an_interval(tmp_path, command):
    made = service(costs={"Llama-3.1-70B": 6.0, "Qwen2.5 7B": 1.0}, minutes=4)
    paths = [write(made.asked, tmp_path / "r.csv"), write(made.drawn, tmp_path / "p.csv")]
    assert command(*paths, "-o", tmp_path / "out", "--accept") == 0
    models = pd.read_csv(tmp_path / "out" / "models.csv")
    for name in ("wh", "wh_per_1000_input", "wh_per_1000_output"):
        middle = models["mean_wh" if name == "wh" else name]
        assert (1.02 * models[f"low_{name}"] < middle).all() and (
            1.02 * middle < models[f"high_{name}"]
        ).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pue: 0.5", "key 'pue'"), ("peu: 1.2", "expected one of node, model"), ("- 1", "`key: value`"),
        ("time_zone: Mars/Olympus", "time_zone"), ("a: [", "not valid YAML"), ("grid: XXX", "key 'grid'"),
        ("price_ratios: {m: 2, other: 1}\nstarts: 3", "key 'starts'"),
    ],
)  # fmt: skip
def test_a_wrong_deployment_is_refused_by_key(tmp_path, command, text, expected):
    (tmp_path / "deployment.yaml").write_text(text)
    if text.startswith("grid"):
        made = service(minutes=2)
        paths = [write(made.asked, tmp_path / "r.csv"), write(made.drawn, tmp_path / "p.csv")]
        with pytest.raises(InputError, match=re.escape(expected)):
            command(*paths, "-o", tmp_path / "out")
        return
    with pytest.raises(InputError, match=re.escape(expected)):
        read_deployment(tmp_path / "deployment.yaml")


@pytest.mark.parametrize("log", ["requests", "power"])
def test_half_of_the_input_gives_no_number(tmp_path, command, log):
    made = service(minutes=2)
    path = write(made.asked if log == "requests" else made.drawn, tmp_path / "log.csv")
    with pytest.raises(
        InputError, match=f"no log of {'power' if log == 'requests' else 'requests'} among the files"
    ):
        command(path, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_columns_of_ones_own_are_passed_over(tmp_path, command, capsys, kind):
    made = service(minutes=4)
    asked = made.asked.assign(user="someone", prompt="=SECRET()<b>\x07", price=0.1)
    paths = [write(asked, tmp_path / f"r.{kind}"), write(made.drawn, tmp_path / f"p.{kind}")]
    assert command(*paths, "-o", tmp_path / "out") == 0
    said = "".join(capsys.readouterr())
    assert "SECRET" not in said + "".join(path.read_text() for path in (tmp_path / "out").iterdir())


@pytest.mark.skipif(not MLPERF.exists(), reason="needs the upstream files (TELEMETRY_MIRROR)")
def test_the_walkthrough_of_mlperf_logs(tmp_path, command):
    """Wall power of a server and the detail log of its run; README has the commands."""
    facts = "model: Llama 3.1 405B\ngpu: B200\ngpus: 8\ngpus_per_instance: 8\nprecision: fp4\n"
    (tmp_path / "deployment.yaml").write_text(facts)
    given = [
        MLPERF / "spl.txt",
        MLPERF / "mlperf_log_detail.txt",
        "--deployment",
        tmp_path / "deployment.yaml",
    ]
    assert command(*given, "-o", tmp_path / "out") == 0
    row = pd.read_csv(tmp_path / "out" / "models.csv").iloc[0]
    # the mean over the timed window is what was published; windows of 10 s reach a little beyond it
    log = (MLPERF / "mlperf_log_detail.txt").read_text().splitlines()
    entries = [json.loads(line.removeprefix(":::MLLOG ")) for line in log if line.startswith(":::MLLOG ")]
    found = {entry["key"]: entry["value"] for entry in entries}
    begin, end = (
        pd.to_datetime(found[key], format="%m-%d-%Y %H:%M:%S.%f") for key in ("power_begin", "power_end")
    )
    lines = [line.split(",") for line in (MLPERF / "spl.txt").read_text().splitlines() if line.strip()]
    time = pd.to_datetime([cells[1] for cells in lines], format="%m-%d-%Y %H:%M:%S.%f")
    watts = np.array([float(cells[3]) for cells in lines])[(time >= begin) & (time < end)]
    wh = watts.mean() * (end - begin).total_seconds() / 3600
    assert row["node_mean_wh"] * row["queries"] == pytest.approx(wh, rel=3e-3)
