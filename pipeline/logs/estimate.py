"""From two logs to energy, water and idle energy per query: reads, refuses, matches, sums up, accounts,
judges."""

from dataclasses import dataclass, field, replace

import ibis.expr.types as ir
import pandas as pd
from ibis import _
from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.logs import judge, publish, refuse
from pipeline.logs.account import account, set_aside, totals, uneven
from pipeline.logs.contract import (
    POWER_REASONS,
    POWER_SERIES,
    REFUSED_REQUESTS,
    REQUEST_REASONS,
    REQUESTS,
    Flag,
)
from pipeline.logs.engines import Engine, first_lines, progress
from pipeline.logs.explained import unexplained
from pipeline.logs.meters import PowerLog, read_power
from pipeline.logs.places import Loads, places_of, read_loads, with_only_node, with_reasoning
from pipeline.logs.prices import Prices, priced
from pipeline.logs.queries import EXACT_UP_TO, by_bins, query_bins, summary
from pipeline.logs.rows import request_rows, without_duplicate_requests, without_repeated_ids
from pipeline.logs.settings import Settings
from pipeline.logs.shifts import (
    LEAST_PEAK,
    look_alikes,
    numbered,
    numbers_missing,
    probe_requests,
    shift_of_clocks,
    spikes_without_load,
    watts_of,
)
from pipeline.logs.sources import Source, malformed, open_source
from pipeline.logs.typed import read_log
from pipeline.logs.windows import energy_uj, grid, grid_sums, priced_spans, spans, total

STEPS = ("requests looked over", "power read", "requests read", "windows", "queries", "account")


@dataclass(frozen=True)
class EnergyFromLogs:
    """Tables of the contracts HOURS, MODELS and ACCOUNT; doubts about them, words on how they came about,
    and facts.

    nodes: one row a place with energy and requests; set_aside: shares by node, model, length;
    timeline: energy and weight over time, for pictures; assumed: what was taken from elsewhere, one row
    each; energy: Wh read, and of nodes by the model; complete: what the logs are taken to hold, and why.
    """

    hours: pd.DataFrame
    models: pd.DataFrame
    account: pd.DataFrame
    flags: list[Flag] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    nodes: pd.DataFrame = field(default_factory=pd.DataFrame)
    timeline: pd.DataFrame = field(default_factory=pd.DataFrame)
    set_aside: pd.DataFrame = field(default_factory=pd.DataFrame)
    assumed: pd.DataFrame = field(default_factory=pd.DataFrame)
    meters: pd.DataFrame = field(default_factory=pd.DataFrame)
    prices: Prices | None = None
    loads: Loads | None = None
    settings: Settings | None = None
    energy: dict[str, float] = field(default_factory=dict)
    complete: list[dict[str, str]] = field(default_factory=list)


def energy_from_logs(
    engine: Engine, requests: str | Source, power: str | Source, settings: Settings, check_clocks: bool = True
) -> EnergyFromLogs:
    """Estimate from the logs `requests` and `power` (file, folder, address or source); raises InputError."""
    request_log = open_source(requests, REQUESTS) if isinstance(requests, str) else requests
    power_log = open_source(power, POWER_SERIES) if isinstance(power, str) else power
    try:
        with progress("energy from logs", len(STEPS)) as bar:
            return _estimate(engine, request_log, power_log, settings, check_clocks, bar)
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


def _estimate(
    engine: Engine, request_log: Source, power_log: Source, settings: Settings, check_clocks: bool, bar: tqdm
) -> EnergyFromLogs:
    following = iter(STEPS)

    def done() -> None:
        bar.set_postfix_str(next(following), refresh=False)
        bar.update()

    raw_power = read_log(engine, power_log, POWER_SERIES)
    raw, notes = with_only_node(
        engine, read_log(engine, request_log, REQUESTS), raw_power, settings.deployment
    )
    settings, said = with_reasoning(engine, raw, settings)
    loads = read_loads(engine, raw, settings, request_log.of_runs)
    places, said_of_places = places_of(engine, raw, raw_power, loads.nodes, settings.deployment)
    notes += said + said_of_places
    done()
    power = read_power(engine, power_log, settings, places)
    done()
    settings = power.settings
    prices = _prices(loads, settings, power.gpu)
    between = engine.keep(power.powered.group_by("node").agg(t0_us=_.t0_us.min(), t1_us=_.t1_us.max()))
    rows = request_rows(engine, raw, settings, prices.weights, places, between)
    rows, again = without_repeated_ids(engine, engine.name(rows))
    rows, repeats, by_chance = without_duplicate_requests(engine, rows)
    rows = engine.name(rows)
    of_spans = engine.keep(spans(rows))
    done()
    counts = refuse.reasons(engine, of_spans, REQUEST_REASONS, "requests")
    refuse.refuse_unreadable(engine, request_log, counts, REFUSED_REQUESTS, REQUESTS)
    zoned = refuse.says_zones(engine, request_log, counts)
    refuse.refuse_zones_apart(engine, request_log, zoned, power_log, power.zoned)
    # kept apart: one large step at a time leaves room in memory
    sums = engine.keep(grid_sums(power.power, of_spans))
    of_grid = engine.keep(grid(sums, settings))
    of_prices = engine.keep(priced_spans(of_spans, of_grid))
    queries = int(engine.fetch(of_prices.agg(n=total(_.requests)))["n"].iloc[0])
    done()
    bins = engine.keep(query_bins(rows, of_prices, exact=queries <= EXACT_UP_TO))
    done()
    served = bins.filter(_.failed == 0)
    found = engine.fetch(summary(by_bins(served, ["hour", "model"]), ["hour", "model"]))
    if found.empty:
        raise refuse.logs_apart(engine, request_log, power_log, of_spans, power.of_meters, settings)
    every = totals(engine, rows)
    idle = _idle(engine, every, of_grid)
    hours = publish.with_idle(found, idle, ["hour", "model"])
    models = publish.with_idle(engine.fetch(summary(by_bins(served, ["model"]), ["model"])), idle, ["model"])
    failed_uj = int(engine.fetch(bins.filter(_.failed == 1).agg(uj=total(_.energy_uj)))["uj"].iloc[0])
    accounts = _account(
        engine, power, of_spans, of_grid, of_prices, {"duplicate": repeats, "id_again": again}, bins, idle
    )
    done()
    nodes = publish.nodes(engine, of_grid, of_prices, power)
    probe = probe_requests(engine, rows, of_spans, settings)
    watts = watts_of(engine, power, probe) if check_clocks else {}
    shift, shift_flags = shift_of_clocks(probe, watts, power, settings)
    seen = watts if loads.has_end else {}
    strange, untold = unexplained(probe, seen, power.intervals, settings.most_set_aside)
    measured = publish.measured(engine, power)
    bands = prices.bands(loads.table, settings.deployment)
    parts = set_aside(engine, every, of_prices, bins)
    result = EnergyFromLogs(
        hours=publish.table(hours, "hour", settings, prices.weights, measured, bands),
        models=publish.table(models, None, settings, prices.weights, measured, bands), account=accounts,
        notes=notes + power.notes + untold[:1] + publish.notes(settings, loads, by_chance, failed_uj,
        power), nodes=nodes, set_aside=parts, timeline=publish.timeline(engine, of_grid, settings),
        assumed=publish.assumed(settings, prices, measured, shift), meters=publish.meters(power),
        prices=prices, loads=loads, settings=settings, energy={"wall": measured["wall_wh"],
        "accelerators": measured["accelerators_wh"], "nodes_of_accelerators": measured["gpu_node_wh"]},
    )  # fmt: skip
    doubts = power.flags + look_alikes(probe, settings.most_set_aside) + numbers_missing(probe) + shift_flags
    doubts += spikes_without_load(probe, power) + strange if not shift_flags else []
    doubts += uneven(parts, settings.most_set_aside)
    limit = settings.most_set_aside
    doubts += judge.busy_without_requests(engine, of_grid, limit) or judge.idle_above_its_type(
        engine, of_grid, power, settings, limit
    )
    told, clocks = bool(seen) and not untold, shift is not None and shift[1] >= LEAST_PEAK
    return replace(
        result, flags=doubts + judge.flags(result, measured, power.gpu),
        complete=publish.taken_as_whole(nodes, settings, power, told, numbered(probe), clocks),
    )  # fmt: skip


def _prices(loads: Loads, settings: Settings, gpu: str) -> Prices:
    """Prices of tokens: those that were given, or of the model of serving."""
    stated = settings.deployment.price_ratios
    if stated and (missing := [name for name in loads.models if name not in stated]):
        raise InputError(
            f"deployment.yaml, key 'price_ratios': no ratio of model {missing[0]!r}, expected one of each"
        )
    if settings.weights is not None:
        weights = replace(settings.weights, models=tuple(loads.models))
        return Prices(weights, pd.DataFrame(), unknown=())
    assert settings.other_weights is not None
    return priced(loads.of_models, settings.other_weights, settings.deployment, gpu, settings.serving)


def _idle(engine: Engine, every: pd.DataFrame, of_grid: ir.Table) -> pd.DataFrame:
    """Idle energy of each node and hour, given to the models of that node: hour, model, idle_uj; blank
    model: none."""
    idle = engine.fetch(
        of_grid.filter(_.outcome == "idle")
        .group_by(["node", "hour"])
        .agg(idle_uj=total(_.energy_uj))
        .order_by(["node", "hour"])
    )
    weights = every[every["served"] > 0].groupby(["node", "hour", "model"], as_index=False)[["served"]].sum()
    return publish.idle_of_models(idle, weights.rename(columns={"served": "weight"}))


def _account(
    engine: Engine,
    power: PowerLog,
    of_spans: ir.Table,
    of_grid: ir.Table,
    prices: ir.Table,
    repeats: dict[str, int],
    bins: ir.Table,
    idle: pd.DataFrame,
) -> pd.DataFrame:
    samples = _counted(refuse.reasons(engine, power.of_meters, POWER_REASONS, "samples"))
    samples |= {"duplicate": power.repeats} if power.repeats else {}
    requests = _counted(refuse.reasons(engine, of_spans, REQUEST_REASONS, "requests"))
    requests |= {name: count for name, count in repeats.items() if count}
    windows = engine.fetch(
        of_grid.filter(_.outcome != "no_power")
        .group_by("outcome")
        .agg(rows=total(_.samples), energy_uj=total(_.energy_uj))
    ).set_index("outcome")
    unchosen = int(engine.fetch(power.power.filter(~_.chosen).agg(rows=total(_.samples)))["rows"].iloc[0])
    served = engine.fetch(
        prices.mutate(energy_uj=energy_uj())
        .group_by("outcome")
        .agg(rows=total(_.requests), energy_uj=total(_.energy_uj))
    ).set_index("outcome")
    failed = engine.fetch(bins.filter(_.failed == 1).agg(rows=total(_.queries), uj=total(_.energy_uj))).iloc[
        0
    ]
    rows_in = {"requests": sum(requests.values()), "power_series": sum(samples.values())}
    # rows without a fault of their own are now told apart by what became of their window or span
    samples.pop("", None)
    requests.pop("", None)
    samples |= windows["rows"].astype(int).to_dict() | ({"other_scope_used": unchosen} if unchosen else {})
    requests |= served["rows"].astype(int).to_dict()
    sample_uj = {str(name): int(value) for name, value in windows["energy_uj"].items()}
    request_uj = {str(name): int(value) for name, value in served["energy_uj"].items()}
    if failed["rows"]:
        _move(requests, request_uj, int(failed["rows"]), int(failed["uj"]))
    return account(requests, request_uj, samples, sample_uj, rows_in, sum(sample_uj.values()))


def _move(rows: dict[str, int], uj: dict[str, int], count: int, energy_uj_: int) -> None:
    """Rows of failed requests that gave tokens, out of those used."""
    for name in ("used", "partly_under_power"):
        taken = min(count, rows.get(name, 0))
        rows[name] = rows.get(name, 0) - taken
        count -= taken
        rows["failed_with_tokens"] = rows.get("failed_with_tokens", 0) + taken
    uj["failed_with_tokens"] = energy_uj_
    uj["used"] = uj.get("used", 0) - energy_uj_


def _counted(counts: pd.DataFrame) -> dict[str, int]:
    return {str(name): int(rows) for name, rows in zip(counts["reason"], counts["rows"], strict=True)}
