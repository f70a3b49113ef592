"""How much of each model a request log has: rows, tokens, seconds in progress; what prices and checks rest
on."""

from dataclasses import dataclass, field, replace

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.logs.engines import Engine
from pipeline.logs.prices import Load
from pipeline.logs.rows import MAXIMUM_TOKENS, TOKENS
from pipeline.logs.settings import MICROSECONDS_PER_SECOND, Settings
from pipeline.logs.typed import number, time

CACHED = "cached_input_tokens"


@dataclass(frozen=True)
class Loads:
    """table: node, model, requests, input_tokens, cached_input_tokens, output_tokens, seconds (in progress),
    in_flight; sums of the raw log.

    has_end: whether the log says when requests ended; without it in_flight is that of params.yaml.
    """

    table: pd.DataFrame
    has_end: bool  # of single requests
    has_status: bool = False
    has_cached: bool = False
    gpus: dict[str, int] = field(default_factory=dict)  # of an instance, by model, where the log says so

    @property
    def nodes(self) -> list[str]:
        """Nodes that the requests name."""
        return sorted(set(self.table["node"]))

    @property
    def models(self) -> list[str]:
        """Models that the requests name, the most frequent first."""
        return [load.model for load in self.of_models]

    @property
    def of_models(self) -> list[Load]:
        """One load a model, over all nodes, each node with its share of the requests."""
        rows = []
        for model, group in self.table.groupby("model", sort=True):
            n = float(group["requests"].sum())
            in_flight = float((group["in_flight"] * group["requests"]).sum() / n)
            given, taken = (float(group[name].sum()) / n for name in TOKENS)
            rows.append((n, Load(str(model), in_flight, given, taken, self.gpus.get(str(model)))))
        return [load for _, load in sorted(rows, key=lambda row: (-row[0], row[1].model))]

    def shared_nodes(self) -> dict[str, list[str]]:
        """Nodes with several models, and these."""
        several = self.table.groupby("node")["model"].agg(lambda names: sorted(set(names)))
        return {str(node): names for node, names in several.items() if len(names) > 1}


def read_loads(engine: Engine, raw: ir.Table, settings: Settings, of_runs: bool = False) -> Loads:
    """Sums by node and model of the rows that can be counted; `of_runs`: times are those of whole runs."""
    has_end = "end" in raw.columns and not of_runs
    table = raw.select(
        "node",
        "model",
        **(
            number(raw, "reasoning_tokens")
            if "reasoning_tokens" in raw.columns and settings.deployment.output_includes_reasoning is False
            else {}
        ),
        **(number(raw, "gpus") if "gpus" in raw.columns else {}),
        **(number(raw, CACHED) if CACHED in raw.columns else {}),
        **time(engine, raw, "time", "start_us"),
        **(time(engine, raw, "end", "end_us") if has_end else {}),
        **number(raw, "input_tokens"),
        **number(raw, "output_tokens"),
    )
    table = table.filter(_.node.notnull() & _.model.notnull() & (_.node != "") & (_.model != ""))
    if "reasoning_tokens" in table.columns:
        table = table.mutate(output_tokens=_.output_tokens + _.reasoning_tokens.fill_null(0))
    for name in TOKENS:  # NaN is greater than any number
        table = table.filter(table[name].between(0, MAXIMUM_TOKENS))
    table = table.filter(_.start_us.notnull())
    seconds = (
        ((table.end_us - table.start_us).clip(0, None) / MICROSECONDS_PER_SECOND)
        if has_end
        else table.start_us * 0.0
    )
    cached = (
        table[CACHED].fill_null(0).clip(0, table.input_tokens)
        if CACHED in raw.columns
        else table.input_tokens * 0
    )
    sums = (
        table.mutate(seconds=seconds.fill_null(0.0).cast("float64"))
        .group_by(["node", "model"])
        .agg(
            requests=_.count(),
            input_tokens=_.input_tokens.cast("float64").sum(),
            output_tokens=_.output_tokens.cast("float64").sum(),
            cached_input_tokens=cached.cast("float64").sum(),
            answered=(_.output_tokens > 0).sum(),
            seconds=_.seconds.sum(),
            **({"gpus": _.gpus.max()} if "gpus" in raw.columns else {}),
            first_us=_.start_us.min(),
            last_us=(_.end_us if has_end else _.start_us).max(),
        )
    )
    found = engine.fetch(sums.order_by(["node", "model"]))
    if found.empty:
        found = found.assign(in_flight=pd.Series(dtype="float64"))
        return Loads(found, has_end)
    ends = found.groupby("node").agg(first=("first_us", "min"), last=("last_us", "max"))
    span_s = ((ends["last"] - ends["first"]) / MICROSECONDS_PER_SECOND).reindex(found["node"]).to_numpy()
    in_flight = found["seconds"] / pd.Series(span_s).clip(lower=1.0).to_numpy()
    found["in_flight"] = in_flight.round(1).clip(lower=1.0) if has_end else settings.requests_in_flight
    stated = found.dropna(subset="gpus").groupby("model")["gpus"].max() if "gpus" in found else pd.Series()
    gpus = {str(model): int(count) for model, count in stated.items() if count >= 1}
    return Loads(found, has_end, "status" in raw.columns, CACHED in raw.columns, gpus)


def with_reasoning(engine: Engine, raw: ir.Table, settings: Settings) -> tuple[Settings, list[str]]:
    """The settings, told whether output tokens hold the reasoning tokens: not where these are more."""
    given = settings.deployment
    if given.output_includes_reasoning is not None or "reasoning_tokens" not in raw.columns:
        return settings, []
    table = raw.select(**number(raw, "output_tokens"), **number(raw, "reasoning_tokens"))
    more = table.filter(
        _.reasoning_tokens.between(1, MAXIMUM_TOKENS) & (_.reasoning_tokens > _.output_tokens)
    )
    apart = bool(int(engine.fetch(more.limit(1).count())))
    said = "beside the output tokens" if apart else "part of the output tokens"
    given = given.model_copy(update={"output_includes_reasoning": not apart})
    return replace(settings, deployment=given), [f"reasoning tokens are taken as {said}"]
