"""From two logs to energy, water and idle energy per query: reads, refuses, matches, sums up, accounts."""

from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.contracts import validate
from pipeline.contracts.logs import (
    HOURS,
    MODELS,
    POWER_REASONS,
    POWER_SERIES,
    REFUSED_POWER,
    REFUSED_REQUESTS,
    REQUEST_REASONS,
    REQUESTS,
)
from pipeline.errors import InputError
from pipeline.logs import refuse
from pipeline.logs.account import account
from pipeline.logs.duplicates import without_duplicate_requests, without_duplicate_samples
from pipeline.logs.engines import Engine, first_lines
from pipeline.logs.queries import EXACT_UP_TO, QUANTILES, all_hours, query_bins, summary
from pipeline.logs.rows import power_rows, reason_name, request_rows
from pipeline.logs.settings import UJ_PER_WH, Settings
from pipeline.logs.sources import Source, malformed, open_source
from pipeline.logs.windows import (
    energy_uj,
    grid,
    grid_sums,
    meters,
    node_power,
    priced_spans,
    spans,
    suspected_meters,
    total,
)
from pipeline.units import JOULES_PER_WH


@dataclass(frozen=True)
class EnergyFromLogs:
    """Tables of the contracts HOURS, MODELS and ACCOUNT."""

    hours: pd.DataFrame
    models: pd.DataFrame
    account: pd.DataFrame


def energy_from_logs(engine: Engine, requests: str, power: str, settings: Settings) -> EnergyFromLogs:
    """Estimate from the logs `requests` and `power` (file, folder or address); raises InputError."""
    request_log, power_log = open_source(requests, REQUESTS), open_source(power, POWER_SERIES)
    try:
        return _estimate(engine, request_log, power_log, settings)
    except InputError:
        raise
    except Exception as error:
        # an engine stops at a row it cannot take apart; we say which, or pass on what it said
        found = engine.complaint(error) or malformed(request_log) or malformed(power_log)
        far = [log.name for log in (request_log, power_log) if not log.files]
        if found is None and (far or str(error).startswith("IO Error")):
            names = " or ".join(far or [request_log.name, power_log.name])
            found = InputError(f"{names}: cannot be read ({first_lines(error)})")
        if found is None:
            raise
        raise found from error


def _estimate(engine: Engine, request_log: Source, power_log: Source, settings: Settings) -> EnergyFromLogs:
    of_meters, sample_repeats, power_zoned = _meters(engine, power_log, settings)
    requests, of_spans, request_repeats, requests_zoned = _spans(engine, request_log, settings)
    refuse.refuse_zones_apart(engine, request_log, requests_zoned, power_log, power_zoned)
    power = engine.keep(node_power(of_meters, settings))
    # kept apart: one large step at a time leaves room in memory
    sums = engine.keep(grid_sums(power, of_spans))
    of_grid = engine.keep(grid(sums, settings))
    prices = engine.keep(priced_spans(of_spans, of_grid))
    queries = int(engine.fetch(prices.agg(n=total(_.requests)))["n"].iloc[0])
    bins = engine.keep(query_bins(requests, prices, exact=queries <= EXACT_UP_TO))
    idle = engine.fetch(of_grid.filter(_.outcome == "idle").group_by("hour").agg(idle_uj=total(_.energy_uj)))
    hours = _hours(engine.fetch(summary(bins, ["hour", "model"])), idle)
    if hours.empty:
        raise refuse.logs_apart(engine, request_log, power_log, of_spans, of_meters, settings)
    models = _models(engine.fetch(summary(all_hours(bins), ["model"])), hours)
    accounts = _account(engine, of_meters, of_spans, power, of_grid, prices, sample_repeats, request_repeats)
    return EnergyFromLogs(_published(hours, "hour", settings), _published(models, None, settings), accounts)


def _meters(engine: Engine, log: Source, settings: Settings) -> tuple[ir.Table, int, bool | None]:
    samples = power_rows(engine, log, POWER_SERIES, settings)
    found = engine.keep(meters(samples, settings))
    counts = _reasons(engine, found, POWER_REASONS, "samples")
    refuse.refuse_unreadable(engine, log, counts, REFUSED_POWER, POWER_SERIES)
    zoned = refuse.says_zones(engine, log, counts)
    refuse.refuse_units(engine, log, found, settings)
    suspects = engine.keep(suspected_meters(found))
    once, repeats = without_duplicate_samples(engine, samples, suspects)
    if repeats:
        found = engine.keep(meters(once, settings))
    refuse.refuse_interval(engine, log, found, settings)
    return found, repeats, zoned


def _spans(engine: Engine, log: Source, settings: Settings) -> tuple[ir.Table, ir.Table, int, bool | None]:
    rows = request_rows(engine, log, REQUESTS, settings)
    once, repeats = without_duplicate_requests(engine, rows)
    found = engine.keep(spans(once))
    counts = _reasons(engine, found, REQUEST_REASONS, "requests")
    refuse.refuse_unreadable(engine, log, counts, REFUSED_REQUESTS, REQUESTS)
    return once, found, repeats, refuse.says_zones(engine, log, counts)


def _reasons(engine: Engine, table: ir.Table, names: list[str], rows: str) -> pd.DataFrame:
    """Rows of the log by reason; zoned and timed count the text times with a zone, and all text times."""
    counts = engine.fetch(
        table.group_by("reason").agg(rows=total(_[rows]), zoned=total(_.zoned), timed=total(_.timed))
    )
    counts["reason"] = [reason_name(None if pd.isna(code) else code, names) for code in counts["reason"]]
    return counts


def _hours(found: pd.DataFrame, idle: pd.DataFrame) -> pd.DataFrame:
    """Add the hour's idle energy of all nodes, shared over its queries by token weight."""
    table = found.merge(idle, on="hour", how="left").fillna({"idle_uj": 0})
    share = table["weight"] / table.groupby("hour")["weight"].transform("sum")
    return table.assign(idle_uj=table["idle_uj"] * share)


def _models(found: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    return found.merge(hours.groupby("model", as_index=False)["idle_uj"].sum(), on="model")


def _published(table: pd.DataFrame, hour: str | None, settings: Settings) -> pd.DataFrame:
    """The columns of contracts HOURS and MODELS from sums in microjoules at the node."""
    node_wh = table["energy_uj"] / UJ_PER_WH
    node_mean_wh = node_wh / table["queries"]
    tokens = table["output_tokens"].where(table["output_tokens"] > 0)
    columns = {
        "model": table["model"].astype("str"),
        "queries": table["queries"].astype("int64"),
        "input_tokens": table["input_tokens"].astype("int64"),
        "output_tokens": table["output_tokens"].astype("int64"),
        "node_mean_wh": node_mean_wh,
        "mean_wh": node_mean_wh * settings.pue,
        **{
            f"{name}_wh": table[f"{name}_uj"].astype("float64") / UJ_PER_WH * settings.pue
            for name in QUANTILES
        },
        "idle_wh": table["idle_uj"] / UJ_PER_WH / table["queries"] * settings.pue,
        "j_per_output_token": node_wh * JOULES_PER_WH * settings.pue / tokens,
        # L/kWh is mL/Wh
        "onsite_ml": node_mean_wh * settings.wue_l_per_kwh,
        "offsite_ml": node_mean_wh * settings.pue * settings.electricity_l_per_kwh,
    }
    if hour is None:
        found = [settings.weights.of(model) for model in table["model"].astype("str")]
        columns |= {"weight_input": [w for w, _ in found], "weight_basis": [basis for _, basis in found]}
        return validate(pd.DataFrame(columns).sort_values("model", ignore_index=True), MODELS, "models.csv")
    start = pd.to_datetime(table[hour].astype("int64") * 3600, unit="s").dt.strftime("%Y-%m-%dT%H:00:00Z")
    result = pd.DataFrame({"hour": start.astype("str")} | columns)
    return validate(result.sort_values(["hour", "model"], ignore_index=True), HOURS, "hours.csv")


def _account(
    engine: Engine,
    of_meters: ir.Table,
    of_spans: ir.Table,
    power: ir.Table,
    of_grid: ir.Table,
    prices: ir.Table,
    sample_repeats: int,
    request_repeats: int,
) -> pd.DataFrame:
    samples = _counted(_reasons(engine, of_meters, POWER_REASONS, "samples")) | _only(
        duplicate=sample_repeats
    )
    requests = _counted(_reasons(engine, of_spans, REQUEST_REASONS, "requests")) | _only(
        duplicate=request_repeats
    )
    windows = engine.fetch(
        of_grid.filter(_.outcome != "no_power")
        .group_by("outcome")
        .agg(rows=total(_.samples), energy_uj=total(_.energy_uj))
    ).set_index("outcome")
    unchosen = engine.fetch(power.filter(~_.chosen).agg(rows=total(_.samples)))["rows"].iloc[0]
    priced = prices.mutate(energy_uj=energy_uj())
    served = engine.fetch(
        priced.group_by("outcome").agg(rows=total(_.requests), energy_uj=total(_.energy_uj))
    ).set_index("outcome")
    rows_in = {"requests": sum(requests.values()), "power_series": sum(samples.values())}
    # rows without a fault of their own are now told apart by what became of their window or span
    samples.pop("", None)
    requests.pop("", None)
    samples |= windows["rows"].astype(int).to_dict() | _only(other_scope_used=int(unchosen))
    requests |= served["rows"].astype(int).to_dict()
    sample_uj = {name: int(value) for name, value in windows["energy_uj"].items()}
    request_uj = {name: int(value) for name, value in served["energy_uj"].items()}
    return account(requests, request_uj, samples, sample_uj, rows_in, sum(sample_uj.values()))


def _counted(counts: pd.DataFrame) -> dict[str, int]:
    return {str(name): int(rows) for name, rows in zip(counts["reason"], counts["rows"], strict=True)}


def _only(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
