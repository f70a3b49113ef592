"""The account: every row and every joule of the logs, used or set aside, by reason; and how much is set
aside by node, model and length: a mean without its long requests is none."""

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.core.read import validate
from pipeline.logs.contract import ACCOUNT, REQUEST_REASONS, Flag
from pipeline.logs.engines import Engine
from pipeline.logs.queries import LENGTH_CLASSES, USED, length_class
from pipeline.logs.settings import UJ_PER_WH, US_PER_HOUR
from pipeline.logs.windows import total

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


LEAST_ROWS = 20  # set aside, from which a part is judged


def totals(engine: Engine, rows: ir.Table) -> pd.DataFrame:
    """node, hour, model, length -> requests, weight (of all that did not fail), served (weight of those
    that can be used and are queries)."""
    failed = rows.failed if "failed" in rows.columns else ibis.literal(False)
    refused = rows.reason == REQUEST_REASONS.index("failed_request")
    table = rows.filter(~refused.fill_null(False)).mutate(
        hour=(_.start_us // US_PER_HOUR).cast("int64"),
        length=length_class(_.output_tokens),
        whole=ibis.greatest(_.weight.fill_null(0), 0).cast("int64"),
        served=ibis.ifelse(_.usable & ~failed, _.weight, 0).cast("int64"),
    )
    sums = table.group_by(["node", "hour", "model", "length"]).agg(
        requests=_.count(), weight=total(_.whole), served=total(_.served)
    )
    return engine.fetch(sums.order_by(["node", "hour", "model", "length"]))


def set_aside(engine: Engine, all_requests: pd.DataFrame, prices: ir.Table, bins: ir.Table) -> pd.DataFrame:
    """by, part -> requests, requests_set_aside, tokens_set_aside (shares): nodes, models, lengths."""
    of_node = prices.filter(_.outcome.isin(USED)).group_by("node")
    weight = _.weight_first + _.weight_last + _.weight_between * (_.last - _.first - 1).clip(0, None)
    used = {"node": engine.fetch(of_node.agg(requests=total(_.requests), weight=total(weight)))}
    for key in ("model", "length"):
        used[key] = engine.fetch(bins.group_by(key).agg(requests=total(_.queries), weight=total(_.weight)))
    parts = []
    for key, found in used.items():
        sums = all_requests.groupby(key, dropna=False)[["requests", "weight"]].sum()
        there = found.set_index(key).reindex(sums.index).fillna(0)
        shares = (1 - there / sums.where(sums > 0)).clip(lower=0).fillna(0.0)
        names = [LENGTH_CLASSES[int(name)] if key == "length" else str(name) for name in sums.index]
        parts.append(
            pd.DataFrame({"by": "output tokens" if key == "length" else key, "part": names,
            "requests": sums["requests"].to_numpy("int64"),
            "requests_set_aside": shares["requests"].to_numpy(float),
            "tokens_set_aside": shares["weight"].to_numpy(float)}),
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def uneven(shares: pd.DataFrame, limit: float) -> list[Flag]:
    """A flag where some part loses much more than its share: what is left does not stand for it."""
    lost = shares["requests"] * shares["requests_set_aside"]
    bad = shares[
        (shares[["requests_set_aside", "tokens_set_aside"]].max(axis=1) > limit) & (lost >= LEAST_ROWS)
    ]
    columns = ["requests_set_aside", "tokens_set_aside"]
    worst = bad.sort_values(columns, ascending=False, kind="stable").head(3)
    said = [
        f"{row.by} {row.part}: {row.requests_set_aside:.0%} of requests, {row.tokens_set_aside:.0%} of tokens"
        for row in worst.itertuples()
    ]
    return [Flag("a part set aside", "; ".join(said))] if said else []
