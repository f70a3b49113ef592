"""The tables that come out: energy by model and hour, nodes, meters, time, and all that was assumed."""

from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from pipeline.core.read import validate
from pipeline.core.units import JOULES_PER_WH
from pipeline.logs.contract import HOURS, MODELS
from pipeline.logs.engines import Engine
from pipeline.logs.meters import ON_BOARDS, PowerLog
from pipeline.logs.node_ratio import most_idle_w
from pipeline.logs.places import USUAL_SPEED, Loads
from pipeline.logs.prices import BANDS, Prices
from pipeline.logs.queries import QUANTILES
from pipeline.logs.rows import SHARE
from pipeline.logs.settings import FACTORS, UJ_PER_WH, UNITS_PER_TOKEN, Settings, TokenWeights
from pipeline.logs.windows import COVERED, total

PICTURED = 240  # points of a picture over time


def idle_of_models(idle: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """hour, model, idle_uj: a node's idle energy of an hour to the models that it served in it, by token
    weight.

    Of an hour without queries, to those that the node served at any time; of a node without any, to a blank
    model.
    """
    keys = ["node", "hour"]
    shares = weights.assign(share=weights["weight"] / weights.groupby(keys)["weight"].transform("sum"))
    ever = weights.groupby(["node", "model"], as_index=False)["weight"].sum()
    ever = ever.assign(share=ever["weight"] / ever.groupby("node")["weight"].transform("sum"))
    here = idle.merge(shares[[*keys, "model", "share"]], on=keys, how="left")
    found, rest = here[here["model"].notna()], here[here["model"].isna()].drop(columns=["model", "share"])
    later = rest.merge(ever[["node", "model", "share"]], on="node", how="left")
    table = pd.concat([found, later], ignore_index=True)
    table = table.assign(
        idle_uj=table["idle_uj"].astype("float64") * table["share"].fillna(1.0).astype("float64")
    )
    return table.assign(model=table["model"].fillna(""))[["node", "hour", "model", "idle_uj"]]


def with_idle(found: pd.DataFrame, idle: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Add idle_uj to sums by hour and model, or by model.

    What a model's nodes idled in hours without a query of it is in the table by model only.
    """
    sums = idle.groupby(by, as_index=False)["idle_uj"].sum()
    return found.merge(sums, on=by, how="left").fillna({"idle_uj": 0.0})


def table(
    found: pd.DataFrame,
    hour: str | None,
    settings: Settings,
    weights: TokenWeights,
    measured: dict[str, float],
    bands: pd.DataFrame,
) -> pd.DataFrame:
    """The columns of contracts HOURS and MODELS from sums in microjoules at the node; bands: of prices."""
    names = found["model"].astype("str")
    node_wh = found["energy_uj"] / UJ_PER_WH
    under_power = found["share"] / SHARE
    node_mean_wh = node_wh / under_power
    pue = settings.pue
    # the tokens of a query count with the same share as the query
    part = under_power / found["queries"]
    tokens = (found["output_tokens"] * part).where(found["output_tokens"] > 0)
    of = [spread(settings, measured, bands[name].loc[list(names)].to_numpy()) for name in BANDS]
    (low, high), (low_in, high_in), (low_out, high_out) = of
    prices = [weights.price(model) for model in names]
    # the weight of whole queries, as their energy is for whole queries
    wh_per_weight = node_wh * pue / found["weight"] * UNITS_PER_TOKEN * 1000
    columns: dict[str, Any] = {
        "model": names,
        "queries": found["queries"].astype("int64"),
        "input_tokens": found["input_tokens"].astype("int64"),
        "output_tokens": found["output_tokens"].astype("int64"),
        "node_mean_wh": node_mean_wh,
        "mean_wh": node_mean_wh * pue,
        **{f"{name}_wh": found[f"{name}_uj"].astype("float64") / UJ_PER_WH * pue for name in QUANTILES},
        "idle_wh": found["idle_uj"] / UJ_PER_WH / under_power * pue,
        "j_per_output_token": node_wh * JOULES_PER_WH * pue / tokens,
        # L/kWh is mL/Wh
        "onsite_ml": node_mean_wh * settings.wue_l_per_kwh,
        "offsite_ml": node_mean_wh * pue * settings.electricity_l_per_kwh,
        "queries_under_power": under_power.astype("float64"),
        "low_wh": node_mean_wh * pue * low,
        "high_wh": node_mean_wh * pue * high,
        "carbon_g": node_mean_wh * pue * settings.carbon_g_per_kwh / 1000,
        "wh_per_1000_input": wh_per_weight * [price[0] for price in prices],
        "wh_per_1000_cached": wh_per_weight
        * [
            price[0] * weights.cached_price(model, settings.deployment)
            for model, price in zip(names, prices, strict=True)
        ],
        "wh_per_1000_output": wh_per_weight * [price[1] for price in prices],
    }
    for name, least, most in (("input", low_in, high_in), ("output", low_out, high_out)):
        value = columns[f"wh_per_1000_{name}"]
        columns |= {f"low_wh_per_1000_{name}": value * least, f"high_wh_per_1000_{name}": value * most}
    if hour is None:
        bases = [weights.of(model) for model in names]
        columns |= {"weight_input": [w for w, _ in bases], "weight_basis": [basis for _, basis in bases]}
        columns |= {"weight_output": [price[1] for price in prices]}
        return validate(pd.DataFrame(columns).sort_values("model", ignore_index=True), MODELS, "models.csv")
    start = pd.to_datetime(found[hour].astype("int64") * 3600, unit="s").dt.strftime("%Y-%m-%dT%H:00:00Z")
    result = pd.DataFrame({"hour": start.astype("str")} | columns)
    return validate(result.sort_values(["hour", "model"], ignore_index=True), HOURS, "hours.csv")


def spread(
    settings: Settings, measured: dict[str, float], of_prices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """P5 and P95 of energies over what is stated: of the line from accelerators to node and of prices (n, 2).

    The two are independent, and near enough to log-normal for their distances in ln to add up in squares.
    """
    total_wh = measured["wall_wh"] + measured["gpu_node_wh"]
    share = measured["gpu_node_wh"] / total_wh if total_wh else 0.0
    assert settings.node is not None
    of_line = 1 + share * (np.array(settings.node.spread) - 1)
    below, above = np.hypot(np.log(of_line), np.log(of_prices)).T
    return np.exp(-below), np.exp(above)


def measured(engine: Engine, power: PowerLog) -> dict[str, float]:
    """Wh of the windows that count: read at the wall; at accelerators; and their nodes by the model."""
    chosen = power.power.filter(_.chosen & (_.fault == COVERED))
    rows = engine.fetch(chosen.group_by("scope").agg(node=total(_.energy_uj), device=total(_.device_uj)))
    by = rows.set_index("scope")
    node, device = (by[name].astype("float64") / UJ_PER_WH for name in ("node", "device"))
    return {
        "wall_wh": float(node.get("node_wall", 0.0)),
        "accelerators_wh": float(device.get("gpu", 0.0)),
        "gpu_node_wh": float(node.get("gpu", 0.0)),
    }


def nodes(engine: Engine, of_grid: ir.Table, prices: ir.Table, power: PowerLog) -> pd.DataFrame:
    """node, wh, idle_wh, set_aside_wh, serving_share (of windows), requests, requests_used: one row a
    place."""
    energy = of_grid.group_by("node").agg(
        wh=total(_.energy_uj) / UJ_PER_WH,
        idle_wh=total((_.outcome == "idle").ifelse(_.energy_uj, 0)) / UJ_PER_WH,
        serving_wh=total((_.outcome == "serving").ifelse(_.energy_uj, 0)) / UJ_PER_WH,
        serving_device_wh=total((_.outcome == "serving").ifelse(_.device_uj, 0)) / UJ_PER_WH,
        windows=total(_.powered),
        serving=total((_.outcome == "serving").cast("int64")),
    )
    weight = _.weight_first + _.weight_last + _.weight_between * (_.last - _.first - 1).clip(0, None)
    asked = prices.group_by("node").agg(
        requests=total(_.requests),
        requests_used=total(_.outcome.isin(["used", "partly_under_power"]).ifelse(_.requests, 0)),
        weight=total(weight),
        weight_used=total(_.outcome.isin(["used", "partly_under_power"]).ifelse(weight, 0)),
    )
    found = engine.fetch(energy.order_by("node")).merge(engine.fetch(asked), on="node", how="outer").fillna(0)
    return found.sort_values("node", ignore_index=True)


def timeline(engine: Engine, of_grid: ir.Table, settings: Settings) -> pd.DataFrame:
    """start (s since 1970), seconds, node_w, weight_per_s, idle_share: about PICTURED points over the log."""
    ends = engine.fetch(of_grid.filter(_.powered == 1).agg(first=_.window.min(), last=_.window.max())).iloc[0]
    several = max(1, -(-int(ends["last"] - ends["first"] + 1) // PICTURED))
    seconds = several * settings.window_us / 1e6
    points = (
        of_grid.filter(_.powered == 1)
        .group_by(point=(_.window // several).cast("int64"))
        .agg(
            uj=total(_.energy_uj),
            weight=total(_.weight),
            idle_uj=total((_.outcome == "idle").ifelse(_.energy_uj, 0)),
            windows=total(_.powered),
        )
    )
    found = engine.fetch(points.order_by("point"))
    return pd.DataFrame(
        {
            "start_s": found["point"] * seconds,
            "seconds": seconds,
            "node_w": found["uj"] / 1e6 / seconds,
            "output_tokens_per_s": found["weight"] / UNITS_PER_TOKEN / seconds,
            "idle_share": (found["idle_uj"] / found["uj"].where(found["uj"] > 0)).fillna(0.0),
        }
    )


def meters(power: PowerLog) -> pd.DataFrame:
    """node, scope, device, samples, usable, interval_s, mean_w: one row a meter."""
    found = power.meters.merge(power.intervals, on=["node", "scope", "device"], how="left")
    mean_w = found["milliwatts"] / found["usable"].where(found["usable"] > 0) / 1000
    return found.assign(interval_s=found["interval_us"] / 1e6, mean_w=mean_w)[
        ["node", "scope", "device", "samples", "usable", "interval_s", "mean_w"]
    ]


def notes(settings: Settings, loads: Loads, by_chance: int, failed_uj: int, power: PowerLog) -> list[str]:
    """Words on what the result rests on."""
    said = []
    assert settings.node is not None
    if settings.several > 1:
        said.append(f"windows are {settings.window_us / 1e6:g} s long: a meter is not read more often")
    if by_chance:
        said.append(
            f"{by_chance} requests look like others (equal times and lengths) as so coarse stamps make "
            f"expect: all count"
        )
    if not loads.has_end:
        said.append(
            "requests have no ends of their own: how many are in flight is taken from their rate, at "
            f"{USUAL_SPEED} tokens/s an answer"
        )
    for node, models in list(loads.shared_nodes().items())[:5]:
        said.append(
            f"node {node} is shared by {', '.join(models)}: its energy is divided by the prices of their "
            f"tokens"
        )
    if failed_uj:
        said.append(
            f"failed requests that gave tokens hold {failed_uj / UJ_PER_WH:.4g} Wh at the node; they are no "
            f"queries"
        )
    if settings.shift_us:
        said.append(f"the requests are moved by {settings.shift_us / 1e6:+g} s")
    return said


def assumed(
    settings: Settings,
    prices: Prices,
    measured_wh: dict[str, float],
    shift: tuple[float, float, float] | None,
) -> pd.DataFrame:
    """quantity, value, source: all that the logs did not say."""
    rows: list[tuple[str, object, str]] = [
        (name, getattr(settings, name), settings.sources.get(name, "")) for name in FACTORS
    ]
    if measured_wh["gpu_node_wh"]:
        assert settings.node is not None
        line, basis = settings.node.any_node, settings.node.basis
        rows += [
            ("node_w_per_accelerator", line.fixed_w, basis),
            ("node_w_per_accelerator_w", line.slope, basis),
        ]
    for row in prices.assumed.to_dict("records"):
        what = "{gpus} x {gpu}, {precision}, {engine}, {concurrency:g} in flight".format_map(row)
        rows.append(
            (
                f"tokens of {row['name']} priced as on",
                what,
                "model of serving; deployment.yaml may say otherwise",
            )
        )
    rows += [
        (
            f"price of a cached token of {model}, in input tokens",
            prices.weights.cached_price(model, settings.deployment),
            "deployment.yaml, or the model of serving" if cached else "no column of cached tokens",
        )
        for model, cached in prices.cached_tokens.items()
    ]
    if shift is not None:
        rows.append(
            ("clocks: shift seen, s", shift[0], f"correlation {shift[1]:.2f}, {shift[2]:.2f} without")
        )
    return pd.DataFrame(rows, columns=pd.Index(["quantity", "value", "source"])).astype({"value": "object"})


def taken_as_whole(
    nodes: pd.DataFrame, settings: Settings, power: PowerLog, told: bool, counted: bool, clocks: bool
) -> list[dict[str, str]]:
    """what, evidence: all that the logs are taken to hold; a blank evidence: nothing in them tells.

    told: watts follow the tokens; counted: requests are numbered; clocks: their shift could be found.
    """
    given, of_meters = settings.deployment, meters(power)
    follows = "the watts of its busiest nodes move with the tokens that are logged" if told else ""
    numbers = "their numbers have no gaps" if counted else ""
    rows = [("the requests: every one that these nodes served", numbers or follows)]
    if told:  # tokens of such a sample rise and fall as those of all do, and the watts with them
        rows.append(("the requests: no sample that takes every second or third in turn", numbers))
    for node, of in list(of_meters.groupby("node"))[:5]:
        if (of["scope"] == "node_wall").any():
            names = ", ".join(sorted({str(name) for name in of[of["scope"] == "node_wall"]["device"]} - {""}))
            rows.append(
                (f"the power of node {node}: all that it takes from the wall{names and f' ({names})'}", "")
            )
        else:
            stated = f"deployment.yaml says {given.gpus}" if given.gpus else ""
            all_ = (
                "its one meter has all" if (of["device"] == "").all() else f"the {len(of)} that have meters"
            )
            said = f"the accelerators of node {node}: {all_}"
            rows.append(
                (said, stated or ("boards of 8" if len(of) == 8 and ON_BOARDS.search(power.gpu) else ""))
            )
    idles = bool(most_idle_w(given.gpu or power.gpu)) and bool((nodes["idle_wh"] > 0).all())
    as_type = "without requests they draw no more than their type does" if idles else ""
    rows.append(("the nodes: nothing else draws power there while they serve", as_type))
    agree = "their correlation is best where they stand" if clocks else ""
    rows.append(("the clocks of both logs: they agree", "--shift" if settings.shift_stated else agree))
    return [{"what": what, "evidence": evidence} for what, evidence in rows]
