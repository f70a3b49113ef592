"""The account: every row and every joule of the logs, used or set aside, by reason."""

import pandas as pd

from pipeline.core.read import validate
from pipeline.logs.contract import ACCOUNT
from pipeline.logs.settings import UJ_PER_WH

SERVED = {"serving", "idle"}
# requests that hold energy: whole, in part, or without being queries
GIVEN = {"used", "partly_under_power", "failed_with_tokens"}


def account(
    requests: dict[str, int],
    request_uj: dict[str, int],
    samples: dict[str, int],
    sample_uj: dict[str, int],
    rows_in: dict[str, int],
    energy_in_uj: int,
) -> pd.DataFrame:
    """The table of contract ACCOUNT from rows and microjoules by reason (or use: used, serving, idle)."""
    rows = [_row("requests", "in", "", rows_in["requests"], None)]
    rows += [
        _row("requests", *_outcome(name, GIVEN), count, request_uj.get(name))
        for name, count in sorted(requests.items())
    ]
    rows.append(_row("power_series", "in", "", rows_in["power_series"], energy_in_uj))
    rows += [
        _row("power_series", *_outcome(name, SERVED), count, sample_uj.get(name))
        for name, count in sorted(samples.items())
    ]
    columns = ["log", "outcome", "reason", "rows", "node_wh"]
    table = pd.DataFrame(rows, columns=pd.Index(columns)).astype({"node_wh": "float64"})
    order = {"requests": 0, "power_series": 1, "in": 0, "used": 1, "set_aside": 2}
    table = table.sort_values(
        ["log", "outcome", "reason"],
        key=lambda column: column if column.name == "reason" else column.map(order),
        ignore_index=True,
    )
    return validate(table, ACCOUNT, "account.csv")


def _outcome(name: str, uses: set[str]) -> tuple[str, str]:
    if name not in uses:
        return "set_aside", name
    return "used", "" if name == "used" else name


def _row(log: str, outcome: str, reason: str, rows: int, energy_uj: int | None) -> list[object]:
    return [log, outcome, reason, int(rows), None if energy_uj is None else energy_uj / UJ_PER_WH]
