"""Small logs by hand, written in any format and run through the estimate."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.settings import from_params
from pipeline.logs.assumptions import Logs
from pipeline.logs.engines import connect
from pipeline.logs.estimate import EnergyFromLogs, energy_from_logs
from pipeline.logs.node_ratio import NodeRatio
from pipeline.logs.settings import Settings, TokenWeights

ROOT = Path(__file__).parents[2]
START = pd.Timestamp("2026-01-05T00:00:00")


@cache
def params() -> Logs:
    return from_params("logs", path=ROOT / "params.yaml")


def settings(weight_input: float = 0.0, weights: TokenWeights | None = None, **changes: float) -> Settings:
    weights = weights or TokenWeights(weight_input)
    base = Settings.of(params(), weights)
    plain = {
        "pue": 1.0,
        "wue_l_per_kwh": 1.0,
        "electricity_l_per_kwh": 3.0,
        "gpu_to_node": 1.5,
    } | changes
    ratio = plain.pop("gpu_to_node")
    return replace(base, node=NodeRatio.constant(float(ratio)), **plain)


def estimate(
    requests: Path, power: Path, engine: str = "duckdb", memory_mb: int = 300, **changes
) -> EnergyFromLogs:
    with connect(engine, memory_mb) as opened:
        return energy_from_logs(opened, str(requests), str(power), settings(**changes))


def power(minutes: int = 3, node: str = "a", watts: float = 3600.0, scope: str = "node_wall") -> pd.DataFrame:
    """A sample a second: by default 60 Wh a minute."""
    time = START + pd.to_timedelta(range(minutes * 60), unit="s")
    return pd.DataFrame({"time": time.as_unit("us"), "node": node, "watts": watts, "scope": scope})


def swinging(table: pd.DataFrame) -> pd.DataFrame:
    """The same power, give or take a hundredth: a meter that shows one value all along is flagged."""
    return table.assign(watts=table["watts"] * (1 + 0.01 * (-1) ** table.index))


def requests(*rows: tuple[float, str, str, float, float]) -> pd.DataFrame:
    """Rows of (second, node, model, input tokens, output tokens)."""
    table = pd.DataFrame(rows, columns=["time", "node", "model", "input_tokens", "output_tokens"])
    time = START + pd.to_timedelta(table["time"], unit="s")
    return table.assign(time=time.dt.as_unit("us"))


def write(table: pd.DataFrame, path: Path) -> Path:
    """Write Parquet, CSV or JSON lines by the name; times in text as ISO 8601 in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".parquet"):
        table.to_parquet(path, index=False)
        return path
    times = [column for column in ("time", "end") if column in table]
    text = table.assign(
        **{
            c: [t if isinstance(t, str) else t.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for t in table[c]]
            for c in times
        }
    )
    if ".csv" in path.name:
        content = text.to_csv(index=False, lineterminator="\n")
    else:
        content = "".join(json.dumps(row) + "\n" for row in text.to_dict("records"))
    data = content.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def rows(result: EnergyFromLogs, log: str, reason: str, outcome: str = "set_aside") -> int:
    """Rows of one line of the account; 0 when there is no such line."""
    table = result.account
    found = table[(table["log"] == log) & (table["outcome"] == outcome) & (table["reason"] == reason)]
    return int(found["rows"].sum())


def assert_balanced(result: EnergyFromLogs) -> None:
    """Rows in = used + set aside; energy in = serving + idle + set aside; serving = what requests got."""
    table = result.account
    for log in ("requests", "power_series"):
        of = table[table["log"] == log].groupby("outcome")["rows"].sum()
        assert of["in"] == of.get("used", 0) + of.get("set_aside", 0)
    power_wh = table[table["log"] == "power_series"].groupby("outcome")["node_wh"].sum()
    tolerance = 1e-9 * table["rows"].sum()
    assert power_wh["in"] == pytest.approx(
        power_wh.get("used", 0) + power_wh.get("set_aside", 0), abs=tolerance
    )
    serving = table.loc[table["reason"] == "serving", "node_wh"].sum()
    given = table.loc[(table["log"] == "requests") & (table["outcome"] != "in"), "node_wh"].sum()
    assert given == pytest.approx(serving, abs=tolerance)
    used = (result.hours["node_mean_wh"] * result.hours["queries_under_power"]).sum()
    queries = table["reason"].isin(["", "partly_under_power"]) & (table["outcome"] == "used")
    reached = table.loc[(table["log"] == "requests") & queries, "node_wh"].sum()
    assert used == pytest.approx(reached, rel=1e-9)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., EnergyFromLogs]:
    """Write two tables as CSV (or by `suffix`), estimate, check the balance."""

    def go(asked: pd.DataFrame, drawn: pd.DataFrame, suffix: str = "csv", **changes) -> EnergyFromLogs:
        result = estimate(
            write(asked, tmp_path / f"requests.{suffix}"),
            write(drawn, tmp_path / f"power.{suffix}"),
            **changes,
        )
        assert_balanced(result)
        return result

    return go
