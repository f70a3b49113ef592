"""Logs of tools with known truth, whole, as people have them: the right number, or a doubt and no number."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.logs.__main__ import FLAGGED, main
from tests.logs.conftest import write
from tests.logs.situations import IDLE_W, START, Service, service, stamped

MODEL = "meta-llama/Llama-3.1-70B-Instruct"
BESIDE = "Qwen2.5 7B"
ZONE = {"time_zone": "UTC"}


def made(**changes) -> Service:
    return service(**{"costs": {MODEL: 1.0}, "minutes": 6} | changes)


def wall(of: Service, folder: Path, **columns) -> None:
    write(of.drawn.assign(**columns), folder / "power.csv")


def vllm(of: Service, folder: Path) -> None:
    """A run saved in detail; its clock is local, its starts are monotonic."""
    asked = of.requests
    begin, end = float(asked["time"].min()), float(asked["end"].max())
    run = {
        "date": pd.Timestamp(START + end, unit="s").strftime("%Y%m%d-%H%M%S"),
        "model_id": MODEL,
        "duration": end - begin,
        "input_lens": asked["input_tokens"].tolist(),
        "output_lens": asked["output_tokens"].tolist(),
        "start_times": (asked["time"] + 9876).tolist(),
        "ttfts": [0.1] * len(asked),
        "itls": [[last - first - 0.1] for first, last in zip(asked["time"], asked["end"], strict=True)],
        "errors": [""] * len(asked),
    }
    (folder / "run.json").write_text(json.dumps(run))
    wall(of, folder)


def codecarbon(of: Service, folder: Path) -> None:
    write(of.asked, folder / "requests.csv")
    seconds, kwh = len(of.power), of.power["watts"].sum() / 3.6e6
    ended = pd.Timestamp(START + seconds, unit="s").isoformat()
    (folder / "emissions.csv").write_text(
        f"timestamp,run_id,duration,energy_consumed\n{ended},a,{seconds},{kwh}\n"
    )


def counters(of: Service, folder: Path) -> None:
    """Counters of DCGM in mJ, each of which begins anew once."""
    write(of.asked, folder / "requests.csv")
    cards = of.cards(4).assign(watts=lambda table: table["watts"] * 1000)
    lines = ["timestamp,gpu,energy_mj"]
    for card, table in cards.groupby("device"):
        counted = (5e9 + table["watts"].cumsum() - table["watts"]).to_numpy(copy=True)
        counted[150:] -= counted[150]
        lines += [f"{START + k},{card},{counted[k]:.0f}" for k in range(0, len(table), 5)]
    (folder / "energy.csv").write_text("\n".join(lines) + "\n")


def board(of: Service, folder: Path) -> None:
    """A small board, below 15 W at the wall most of the time."""
    write(of.asked, folder / "requests.csv")
    of.power["watts"] = 5 + (of.power["watts"] - IDLE_W) / 40
    wall(of, folder)


def local_pdu(of: Service, folder: Path) -> None:
    """Decimal commas, day-first dates, another zone than the requests'."""
    write(of.asked, folder / "requests.csv")
    local = pd.to_datetime(START + of.power["time"] + 3600, unit="s").dt.strftime("%d.%m.%Y %H:%M:%S")
    watts = of.power["watts"].map("{:.1f}".format).str.replace(".", ",")
    rows = [f"{time};A1;{value}" for time, value in zip(local, watts, strict=True)]
    (folder / "pdu.csv").write_text("\n".join(["Zeit;Outlet;Active Power (W)", *rows]) + "\n")


def windows_shell(of: Service, folder: Path) -> None:
    """What a shell of Windows redirects is UTF-16; the requests are packed by zstd."""
    packed = write(of.asked, folder / "requests.jsonl").read_bytes()
    (folder / "requests.jsonl.zst").write_bytes(pa.compress(packed, codec="zstd", asbytes=True))
    (folder / "requests.jsonl").unlink()
    rows = [
        f"{row.time:%Y/%m/%d %H:%M:%S}.000, {row.device}, NVIDIA H100 80GB HBM3, {row.watts:.2f} W\r\n"
        for row in of.cards().sort_values(["time", "device"]).itertuples()
    ]
    header = "timestamp, index, name, power.draw [W]\r\n"
    (folder / "gpus.csv").write_bytes("".join([header, *rows]).encode("utf-16"))


def local_requests(of: Service, folder: Path) -> None:
    """Our own columns in local time without a zone, and a meter in UTC."""
    there = {
        name: [
            f"{time.tz_localize('UTC').tz_convert('America/New_York'):%Y-%m-%d %H:%M:%S.%f}"
            for time in of.asked[name]
        ]
        for name in ("time", "end")
    }
    of.asked.assign(**there).to_csv(folder / "requests.csv", index=False)
    wall(of, folder)


def mixed_units(of: Service, folder: Path) -> None:
    """Watts and kW in the cells of one column, day-first dates."""
    write(of.asked, folder / "requests.csv")
    cells = [f"{w / 1000:.4f} kW" if w >= 1000 else f"{w:.1f} W" for w in of.power["watts"]]
    rows = [f"{time:%d/%m/%Y %H:%M:%S};A;{cell}" for time, cell in zip(of.drawn["time"], cells, strict=True)]
    (folder / "pdu.csv").write_text("\n".join(["Time;Outlet;Active Power", *rows]) + "\n")


def rolling(of: Service, folder: Path) -> None:
    """Counters in mJ of 32 bits that roll over."""
    write(of.asked, folder / "requests.csv")
    lines = ["timestamp,gpu,energy_mj"]
    for card, table in of.cards(4).groupby("device"):
        counted = (2**32 - 3e7 + (table["watts"].cumsum() - table["watts"]) * 1000).to_numpy() % 2**32
        lines += [f"{START + k},{card},{counted[k]:.0f}" for k in range(0, len(table), 5)]
    (folder / "energy.csv").write_text("\n".join(lines) + "\n")


RIGHT: dict[str, tuple[Callable[[Service, Path], None], Service, dict[str, object]]] = {
    "a run of vLLM in local time": (vllm, made(), {**ZONE, "node": "n1"}),
    "CodeCarbon's energy of a run": (codecarbon, made(), ZONE),
    "counters that begin anew": (counters, made(), {"gpu_to_node": 1.0, "node": "n1"}),
    "UTF-16 and zstd": (windows_shell, made(), {"gpu_to_node": 1.0, "node": "n1", "time_zone": "UTC"}),
    "requests in local time": (local_requests, made(), {"time_zone": "America/New_York"}),
    "W and kW in one column": (mixed_units, made(), {**ZONE, "node": "n1", "dates": "day_first"}),
    "counters that roll over": (rolling, made(), {"gpu_to_node": 1.0, "node": "n1"}),
    "a small board": (board, made(costs={"llama3.2-1b": 1.0}, a_second=0.2, stream=20), {}),
    "a meter in local time": (local_pdu, made(), {"time_zone": "Europe/Berlin"}),
}


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, object]) -> tuple[int, str]:
    """Exit code of the command on a folder, and what it said of doubts."""
    (folder / "deployment.yaml").write_text(json.dumps(facts))
    monkeypatch.setattr("sys.argv", ["logs", str(folder), "-o", str(folder.parent / "out")])
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            main()
        except InputError as error:
            return 1, str(error)
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
    return 0, said.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


@pytest.mark.parametrize("name", RIGHT)
def test_logs_of_tools_give_the_right_number(folder, monkeypatch, name):
    spoil, of, facts = RIGHT[name]
    spoil(of, folder)
    code, said = run(folder, monkeypatch, {"pue": 1.0, **facts})
    assert code == 0, said
    models = pd.read_csv(folder.parent / "out" / "models.csv").iloc[0]
    truth = float(of.power["watts"].sum() / 3600 / len(of.requests))
    assert models["node_mean_wh"] + models["idle_wh"] == pytest.approx(truth, rel=0.01)


def in_turn(of: Service, folder: Path) -> None:
    """Two equal cards, read in turn under no name."""
    write(of.asked, folder / "requests.csv")
    write(of.drawn.assign(scope="gpu", watts=of.power["watts"] / 2), folder / "power.csv")


def three_of_four(of: Service, folder: Path) -> None:
    write(of.asked, folder / "requests.csv")
    cards = of.cards(4)
    cards["device"] = "00000000:0" + cards["device"] + ":00.0"
    write(cards[cards["device"] != "00000000:03:00.0"], folder / "power.csv")


def glitches(of: Service, folder: Path) -> None:
    """One sample in twenty reads three times the power, whatever the load."""
    write(of.asked, folder / "requests.csv")
    wall(of, folder, watts=of.power["watts"] * np.where(of.power.index % 20 == 0, 3.2, 1.0))


def agents(of: Service, folder: Path) -> None:
    """Prompts of one of two models come from a cache, and nothing says so."""
    many = np.where(of.requests["model"] == MODEL, 20, 1)
    write(of.asked.assign(input_tokens=of.requests["input_tokens"] * many), folder / "requests.csv")
    wall(of, folder)


def rack(of: Service, folder: Path) -> None:
    write(of.asked, folder / "requests.csv")
    wall(of, folder, watts=of.power["watts"] * 0.015)


def sampled(of: Service, folder: Path) -> None:
    write(of.asked[::4].assign(sample_rate=0.25), folder / "requests.csv")
    wall(of, folder)


def half_of_eight(of: Service, folder: Path) -> None:
    """Requests run on eight cards; power has the first four."""
    write(of.asked.assign(device="0,1,2,3,4,5,6,7"), folder / "requests.csv")
    write(of.cards()[of.cards()["device"] < "4"], folder / "power.csv")


def busy_when_idle(of: Service, folder: Path) -> None:
    """A steady job beside the service, on a node whose type is known."""
    write(of.asked, folder / "requests.csv")
    wall(of, folder, watts=of.power["watts"] + 4500)


def half_of_a_board(of: Service, folder: Path) -> None:
    """The first four of eight cards, and nothing states their number."""
    write(of.asked, folder / "requests.csv")
    cards = of.cards()[of.cards()["device"] < "4"]
    write(cards.assign(gpu="NVIDIA H100 80GB HBM3"), folder / "power.csv")


def half_by_name(of: Service, folder: Path) -> None:
    write(of.asked.assign(node="p5.48xlarge-7"), folder / "requests.csv")
    write(of.cards()[of.cards()["device"] < "4"].assign(node="p5.48xlarge-7"), folder / "power.csv")


def one_of_eight(of: Service, folder: Path) -> None:
    write(of.asked, folder / "requests.csv")
    write(of.cards()[of.cards()["device"] == "0"], folder / "power.csv")


def one_supply(of: Service, folder: Path) -> None:
    write(of.asked, folder / "requests.csv")
    wall(of, folder, watts=of.power["watts"] / 2, device="PSU1")


def every_other(of: Service, folder: Path) -> None:
    write(of.asked.assign(request=[f"r{k}" for k in range(len(of.asked))])[::2], folder / "requests.csv")
    wall(of, folder)


def even(of: Service, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A load that stands still: equal requests at equal distances, and the watts of their node."""
    begin = np.arange(400) * 0.8
    asked = pd.DataFrame({"time": begin, "end": begin + 8, "node": "n1", "model": MODEL})
    watts = 1500 * np.random.default_rng(1).normal(1, 0.01, 328)
    drawn = pd.DataFrame({"time": np.arange(328.0), "node": "n1", "watts": watts.round(1)})
    return stamped(asked.assign(input_tokens=500, output_tokens=240)), stamped(
        drawn.assign(scope="node_wall")
    )


def even_and_half(of: Service, folder: Path) -> None:
    """The second half of the requests is missing, and the node is as busy then."""
    asked, drawn = even(of, folder)
    write(asked[:200], folder / "requests.csv")
    write(drawn, folder / "power.csv")


def even_beside_a_job(of: Service, folder: Path) -> None:
    asked, drawn = even(of, folder)
    write(asked, folder / "requests.csv")
    rng = np.random.default_rng(2)
    parts = [
        drawn.assign(scope="gpu", device=str(k), watts=rng.normal(190 if k < 4 else 350, 3, len(drawn)))
        for k in range(8)
    ]
    write(pd.concat(parts), folder / "power.csv")


def a_job_on_the_same(of: Service, folder: Path) -> None:
    """A steady job on accelerators of a known type that are never idle."""
    write(of.asked, folder / "requests.csv")
    cards = of.cards()
    write(cards.assign(watts=cards["watts"] + 560, gpu="NVIDIA H100 80GB HBM3"), folder / "power.csv")


def clocks_set_back(of: Service, folder: Path) -> None:
    """Local times of the hour that stands twice."""
    at = of.asked["time"] - of.asked["time"].min().floor("D") + pd.Timestamp("2026-10-25 02:30:00")
    write(
        of.asked.assign(time=at.dt.strftime("%Y-%m-%d %H:%M:%S")).drop(columns="end"), folder / "requests.csv"
    )
    wall(of, folder)


DOUBTED = {
    "on boards of 4 or 8": (half_of_a_board, made()),
    "8 accelerators by its name": (half_by_name, made()),
    "needs 2: the rest": (one_of_eight, made()),
    "one power supply 'PSU1'": (one_supply, made()),
    "50% of the numbers": (every_other, made()),
    "draws no less in windows without requests": (even_and_half, made()),
    "accelerators that do not serve": (even_beside_a_job, made()),
    "more power than the load explains": (a_job_on_the_same, made()),
    "a sample: requests.csv: column 'sample_rate'": (sampled, made()),
    "accelerators 4, 5, 6, 7 of node 'n1'": (half_of_eight, made()),
    "one of its type draws at most": (busy_when_idle, made(bursts=True)),
    "without a name": (in_turn, made()),
    "meters of 3 accelerators": (three_of_four, made()),
    "no more tokens are in progress": (glitches, made()),
    "cached tokens not said": (agents, made(costs={MODEL: 1.0, BESIDE: 1.0})),
    "far from the prediction": (rack, made()),
}


FACTS = {"one of its type draws at most": {"gpu": "H100", "gpus": 8}}


@pytest.mark.parametrize("doubt", DOUBTED)
def test_logs_that_would_mislead_give_no_number(folder, monkeypatch, doubt):
    spoil, of = DOUBTED[doubt]
    spoil(of, folder)
    code, said = run(folder, monkeypatch, {"gpu_to_node": 1.0} | FACTS.get(doubt, {}))
    assert code == FLAGGED and doubt in said, said
    assert not (folder.parent / "out" / "models.csv").exists()


def test_local_times_of_the_hour_in_which_clocks_are_set_are_refused(folder, monkeypatch):
    clocks_set_back(made(), folder)
    code, said = run(folder, monkeypatch, {"time_zone": "Europe/Berlin"})
    assert code == 1 and "with its offset where clocks are set" in said


def test_what_nothing_tells_is_said_to_be_assumed(folder, monkeypatch):
    asked, drawn = even(made(), folder)
    write(asked[::2], folder / "requests.csv")
    write(drawn, folder / "power.csv")
    code, said = run(folder, monkeypatch, {})
    assert code == 0, said
    told = json.loads((folder.parent / "out" / "report.json").read_text())["assumed_complete"]
    guessed = " ".join(row["what"] for row in told if not row["evidence"])
    assert all(
        words in guessed for words in ("the requests", "the power of node n1", "nothing else", "clocks")
    )
    assert "nothing: a guess" in (folder.parent / "out" / "report.html").read_text()


def test_every_other_request_is_a_guess_where_they_have_no_numbers(folder, monkeypatch):
    of = made()
    write(of.asked[::2], folder / "requests.csv")
    wall(of, folder)
    code, _ = run(folder, monkeypatch, {})
    told = json.loads((folder.parent / "out" / "report.json").read_text())["assumed_complete"]
    guessed = " ".join(row["what"] for row in told if not row["evidence"])
    assert code == FLAGGED or "every second or third in turn" in guessed, told


def test_cached_tokens_have_a_price_of_the_model_of_serving(folder, monkeypatch):
    of = made()
    write(of.asked.assign(cached_input_tokens=of.requests["input_tokens"] // 2), folder / "requests.csv")
    wall(of, folder)
    assert run(folder, monkeypatch, {})[0] == 0
    models = pd.read_csv(folder.parent / "out" / "models.csv").iloc[0]
    assert 0.02 < models["wh_per_1000_cached"] / models["wh_per_1000_input"] < 0.4


def test_files_of_one_log_may_have_different_columns(folder, monkeypatch):
    of = made()
    write(of.asked, folder / "requests.csv")
    write(of.drawn, folder / "wall.csv")
    write(of.cards(2).assign(watts=lambda table: table["watts"] * 0.6), folder / "cards.csv")
    assert run(folder, monkeypatch, {"pue": 1.0})[0] == 0
    models = pd.read_csv(folder.parent / "out" / "models.csv").iloc[0]
    assert models["node_mean_wh"] + models["idle_wh"] == pytest.approx(of.wh, rel=0.01)


def test_a_cache_that_is_said_to_be_empty_is_no_doubt(folder, monkeypatch):
    of = made(costs={MODEL: 1.0, BESIDE: 1.0})
    of.requests["cached_input_tokens"] = 0
    agents(of, folder)
    assert "cached tokens" not in run(folder, monkeypatch, {})[1]


def test_a_meter_of_all_accelerators_counts_them_by_the_stated_number(folder, monkeypatch):
    """The fixed power of a node is that of its accelerators, however they are metered."""
    of = made()
    of.power["watts"] = 1000 + of.power["watts"] / 4
    write(of.asked, folder / "requests.csv")
    facts = {"gpu": "H100", "gpus": 4, "pue": 1.0}
    found = []
    for drawn in (of.drawn.assign(scope="gpu"), of.cards(4)):
        write(drawn, folder / "power.csv")
        assert run(folder, monkeypatch, facts)[0] == 0
        found.append(pd.read_csv(folder.parent / "out" / "models.csv")["node_mean_wh"].item())
    assert found[0] == pytest.approx(found[1], rel=1e-3)
    assert run(folder, monkeypatch, {})[0] == 0
