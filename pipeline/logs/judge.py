"""The account, judged: what is set aside, what has no energy or no requests, and whether the result can be.

Each function gives flags. With one, the command gives no headline number unless it is accepted.
"""

import re
from typing import TYPE_CHECKING

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.core.units import JOULES_PER_WH
from pipeline.logs.contract import Flag
from pipeline.logs.engines import Engine
from pipeline.logs.meters import ON_BOARDS, PowerLog
from pipeline.logs.node_ratio import fitted_ratio, most_idle_w, type_of
from pipeline.logs.settings import Settings

if TYPE_CHECKING:
    from pipeline.logs.estimate import EnergyFromLogs

USUAL_PART = 0.6  # of the node's energy, what accelerators have, where the log does not say
FOLLOWS, LEAST_SERVED = 0.5, 12  # correlation of watts with tokens, and windows, for their slope to tell
SAME = 1.03  # times what a node draws without requests, that it must draw with some
ABOVE = 1.15  # times what a type draws at most at a load
BUSY = 1.3  # times what it idles at, that a node must draw when it serves, for the two to be told apart
SMALL_NODE_W = 100.0  # at the wall: what draws less needs at least SMALL_NODE_J for a token
SMALL_NODE_J = 0.1
SPEEDS_APART = 5.0  # times, of answers of two models of a node, beyond what their sizes explain
CACHED = 0.9  # of input tokens, in the prefix cache of an agent
CACHED_FROM = 4000  # tokens of a mean prompt; shorter ones are hardly those of agents
CACHE_MOVES = 1.5  # times, that one model's share of a node may move beside another's by it
HALF_A_BOARD = 4
GRACE = re.compile("g[bh]200", re.I)  # four of them are a node
FEWEST_BITS = 0.25  # of the bits of bf16, that weights may have
FEW_BITS = re.compile("int4|q4|fp4|awq|gptq|w4a16|4.?bit", re.I)
NOT_JUDGED = {"failed_request", "failed_with_tokens", "other_scope_used"}


def flags(result: "EnergyFromLogs", measured: dict[str, float], gpu: str) -> list[Flag]:
    """All doubts about a result; gpu: the accelerator that the power log names, or blank."""
    assert result.settings and result.prices and result.loads
    limit = result.settings.most_set_aside
    found = _set_aside(result.account, limit) + _nodes(result.nodes, limit)
    found += (
        _unknown_prices(result) + _hidden_cache(result) + _unanswered(result, limit) + _hidden_tokens(result)
    )
    found += _too_few_cards(result, gpu) + _against_prediction(result, measured)
    return found + above_its_load(result, gpu) + _no_less_idle(result, limit)


def busy_without_requests(engine: Engine, of_grid: ir.Table, limit: float) -> list[Flag]:
    """A flag where a node draws as when it serves in windows without requests, and less in others."""
    there = of_grid.filter(_.outcome.isin(["idle", "serving"])).mutate(watts=_.energy_uj.cast("float64"))
    levels = there.group_by("node").agg(
        floor=_.watts.quantile(0.05, where=_.outcome == "idle"),
        served=_.watts.quantile(0.5, where=_.outcome == "serving"),
    )
    idle = there.filter(_.outcome == "idle").inner_join(levels, "node")
    busy = idle.filter((_.served > BUSY * _.floor) & (_.watts > (_.floor + _.served) / 2))
    found = engine.fetch(busy.group_by("node").agg(uj=_.watts.sum(), windows=_.count()).order_by("node"))
    whole = float(engine.fetch(there.agg(uj=_.watts.sum()))["uj"].iloc[0] or 0.0)
    share = float(found["uj"].sum()) / whole if whole else 0.0
    if share <= limit:
        return _as_busy_as_served(engine, of_grid, limit * whole)
    return [
        Flag("power without requests",
        f"{share:.1%} of the energy is of windows without requests in which nodes ("
        f"{', '.join(map(str, found['node'].head(5)))}) draw as when they serve: are requests missing?"),
    ]  # fmt: skip


def _as_busy_as_served(engine: Engine, of_grid: ir.Table, least_uj: float) -> list[Flag]:
    """The same where no window is less busy: by what the tokens of a window add to its watts."""
    there = of_grid.filter(_.outcome.isin(["idle", "serving"]))
    columns = {"tokens": _.weight / 1e6, "joules": _.energy_uj / 1e6}
    there = there.select("node", idle=(_.outcome == "idle").cast("int64"), **columns)
    sums = there.group_by(["node", "idle"]).agg(
        n=_.count(), x=_.tokens.sum(), y=_.joules.sum(), xx=(_.tokens**2).sum(), yy=(_.joules**2).sum(),
        xy=(_.tokens * _.joules).sum(),
    )  # fmt: skip
    table = engine.fetch(sums).set_index(["node", "idle"]).sort_index()
    for node in sorted(set(table.index.get_level_values("node"))):
        if not {(node, 0), (node, 1)} <= set(table.index):
            continue
        idle, on = table.loc[(node, 1)], table.loc[(node, 0)]
        mean = on / on["n"]
        across, along = mean["xy"] - mean["x"] * mean["y"], mean["xx"] - mean["x"] ** 2
        follows = across > FOLLOWS * (along * max(mean["yy"] - mean["y"] ** 2, 1e-12)) ** 0.5
        added = across / max(along, 1e-12) * mean["x"]
        many = on["n"] >= LEAST_SERVED and idle["y"] * 1e6 > least_uj
        if many and follows and idle["y"] / idle["n"] > mean["y"] - added / 2:
            return [
                Flag("power without requests",
                f"node {node!r} draws in {idle['n']:.0f} windows without requests as when it serves, while "
                "its power follows the tokens in others: are requests missing?"),
            ]  # fmt: skip
    return []


def _no_less_idle(result: "EnergyFromLogs", limit: float) -> list[Flag]:
    """A flag where a node that always has a request in flight draws no less in windows without requests."""
    assert result.loads and result.settings
    seconds = result.loads.table.groupby("node")["seconds"].sum()
    for row in result.nodes.to_dict("records"):
        idle, on = row["windows"] - row["serving"], row["serving"]
        if not on or row["idle_wh"] <= limit * row["wh"] or idle < LEAST_SERVED:
            continue
        in_flight = seconds.get(row["node"], 0.0) / on / (result.settings.window_us / 1e6)
        if in_flight >= 1 and row["serving_wh"] / on < SAME * row["idle_wh"] / idle:
            return [
                Flag("power without requests",
                f"node {row['node']!r} draws no less in windows without requests than with {in_flight:.3g} "
                "in flight: are requests missing, or does something else run there?"),
            ]  # fmt: skip
    return []


def above_its_load(result: "EnergyFromLogs", gpu: str) -> list[Flag]:
    """A flag where a model's accelerators of a known type draw more than such ones do at its load."""
    assert result.prices and result.loads and result.settings
    given, meters, nodes = result.settings.deployment, result.meters, result.nodes.set_index("node")
    shared = result.loads.shared_nodes()
    if not type_of(given.gpu or gpu):
        return []
    for row in result.loads.table.to_dict("records"):
        node, most_w = row["node"], result.prices.most_gpu_w.get(str(row["model"]))
        if most_w is None or node in shared or node not in nodes.index or not nodes.loc[node, "serving"]:
            continue
        of = meters[meters["node"] == node]
        wall = bool((of["scope"] == "node_wall").any())
        cards = given.gpus if wall else (of["device"] != "").sum()
        if not cards:
            continue
        wh = nodes.loc[node, "serving_wh" if wall else "serving_device_wh"]
        watts = wh * JOULES_PER_WH / nodes.loc[node, "serving"] / (result.settings.window_us / 1e6) / cards
        if wall:
            ratio = fitted_ratio({}, given.gpu or gpu, most_w)
            most_w = (ratio.any_node.fixed_w + ratio.any_node.slope * most_w) * ratio.spread[1]
        if watts > ABOVE * most_w:
            return [
                Flag("more power than the load explains",
                f"node {node!r} draws {watts:.4g} W an accelerator while it serves {row['model']!r} with "
                f"{row['in_flight']:.3g} requests in flight, expected at most {most_w:.4g}: another job, "
                "requests that are missing, or a meter of several?"),
            ]  # fmt: skip
    return []


def idle_above_its_type(
    engine: Engine, of_grid: ir.Table, power: PowerLog, settings: Settings, limit: float
) -> list[Flag]:
    """A flag where a node of a known type draws far more without requests than such a node does idle."""
    cards = power.meters[power.meters["scope"] == "gpu"].groupby("node")["device"].nunique()
    idle = of_grid.filter(_.outcome == "idle").group_by("node")
    found = engine.fetch(idle.agg(uj=_.energy_uj.cast("float64").sum(), windows=_.count()).order_by("node"))
    whole = float(engine.fetch(of_grid.agg(uj=_.energy_uj.cast("float64").sum()))["uj"].iloc[0] or 0.0)
    for row in found.to_dict("records"):
        count = settings.deployment.gpus or int(cards.get(row["node"], 0))
        most_w = most_idle_w(settings.deployment.gpu or power.gpu)
        watts = row["uj"] / row["windows"] / settings.window_us
        if most_w and count > 1 and watts > most_w * count and row["uj"] > limit * whole:
            return [
                Flag("power without requests",
                f"node {row['node']!r} draws {watts:.4g} W in windows without requests; one of its type "
                f"draws at most {most_w * count:.4g} W when it does nothing: another job, or requests "
                "that are not in the log?"),
            ]  # fmt: skip
    return []


def _set_aside(account: pd.DataFrame, limit: float) -> list[Flag]:
    found = []
    for log, of in account.groupby("log"):
        judged = of[(of["outcome"] == "set_aside") & ~of["reason"].isin(NOT_JUDGED)]
        whole = of[of["outcome"] == "in"].iloc[0]
        out = of[of["reason"].isin(NOT_JUDGED)]["rows"].sum()
        share = judged["rows"].sum() / max(whole["rows"] - out, 1)
        most = ", ".join(
            f"{row.reason} {row.rows}"
            for row in judged.sort_values("rows", ascending=False).head(3).itertuples()
        )
        if share > limit:
            found.append(Flag(f"{log} set aside", f"{share:.1%} of the rows of {log}: {most}"))
        energy = (
            judged["node_wh"].sum() / whole["node_wh"] if log == "power_series" and whole["node_wh"] else 0.0
        )
        if energy > limit and share <= limit:
            found.append(Flag(f"{log} set aside", f"{energy:.1%} of the energy of {log}: {most}"))
    return found


def _nodes(nodes: pd.DataFrame, limit: float) -> list[Flag]:
    """Nodes with power and no requests, nodes with requests and no power, and weight that found no energy."""
    found = []
    wh = nodes["wh"].sum()
    silent = nodes[(nodes["requests"] == 0) & (nodes["wh"] > 0)]
    if wh and silent["wh"].sum() > limit * wh:
        names = ", ".join(map(str, silent["node"].head(5)))
        share = silent["wh"].sum() / wh
        found.append(
            Flag("node without requests",
            f"{names}: {share:.1%} of the energy is of nodes without requests; is an "
            "instance spread over several nodes (`instances`), or its log missing?"),
        )  # fmt: skip
    weight = nodes["weight"].sum()
    lost = 1 - nodes["weight_used"].sum() / weight if weight else 0.0
    rows = 1 - nodes["requests_used"].sum() / max(nodes["requests"].sum(), 1)
    if lost > limit:
        names = ", ".join(map(str, nodes[nodes["weight_used"] < nodes["weight"]]["node"].head(5)))
        longer = ", long requests more than others" if lost > 1.5 * rows else ""
        found.append(
            Flag(
                "tokens without power", f"{lost:.1%} of the token weight has no power (nodes {names}{longer})"
            )
        )
    return found


def _unknown_prices(result: "EnergyFromLogs") -> list[Flag]:
    """Models that share a node and whose prices beside each other nothing says."""
    assert result.settings and result.prices and result.loads
    stated = set(result.settings.deployment.price_ratios)
    for node, models in result.loads.shared_nodes().items():
        unknown = sorted(set(models) & set(result.prices.unknown) - stated)
        if unknown and not set(models) <= stated:
            return [
                Flag("prices unknown",
                f"node {node!r} is shared by {', '.join(models)}, and nothing says what a token of "
                f"{unknown[0]!r} costs beside the others: give `price_ratios` in deployment.yaml"),
            ]  # fmt: skip
    return []


def _hidden_cache(result: "EnergyFromLogs") -> list[Flag]:
    """Models that share a node, and whose shares of it a prefix cache that is not in the log would change."""
    assert result.prices and result.loads
    if result.loads.has_cached:
        return []
    loads = result.loads.table.set_index(["node", "model"]).sort_index()
    for node, models in result.loads.shared_nodes().items():
        of = loads.loc[node].loc[models]
        if (of["input_tokens"] / of["requests"]).max() < CACHED_FROM:
            continue
        price = pd.DataFrame([result.prices.weights.price(name) for name in models], index=models)
        prompts, answers = of["input_tokens"] * price[0], of["output_tokens"] * price[1]
        now, then = (prompts * part + answers for part in (1.0, 1 - CACHED))
        moves = (now / now.sum()) / (then / then.sum())
        if moves.max() > CACHE_MOVES * moves.min():
            return [
                Flag("cached tokens not said",
                f"node {node!r} is shared by {', '.join(models)}, whose prompts differ so much that "
                "their shares of its energy depend on what a prefix cache saved: expected the column "
                "cached_input_tokens (0 where there is none)"),
            ]  # fmt: skip
    return []


def _hidden_tokens(result: "EnergyFromLogs") -> list[Flag]:
    assert result.loads and result.settings
    table = result.loads.table
    if not result.loads.has_end or table.empty:
        return []
    by = table.groupby("model")[["output_tokens", "seconds", "requests"]].sum()
    speed = by["output_tokens"] / by["seconds"].where(by["seconds"] > 0)
    mean = by["output_tokens"] / by["requests"]
    slow = speed[(speed < result.settings.limits.least_tokens_per_s) & (mean >= 10)]
    assert result.prices
    for models in dict.fromkeys(tuple(models) for models in result.loads.shared_nodes().values()):
        of = speed[[*models]].dropna()
        price = pd.Series({name: result.prices.weights.price(name)[1] for name in of.index})
        # a model that costs more a token may be as much slower
        expected = of.max() / (price / price[of == of.max()].iloc[0]).clip(lower=1.0)
        slow = pd.concat([slow, of[of * SPEEDS_APART < expected]])
    return [
        Flag(
            "tokens may be hidden",
            f"answers of {model!r} have {value:.2g} tokens/s: reasoning tokens that are not counted, or "
            "times that hold more than serving",
        )
        for model, value in list(slow.items())[:1]
    ]


def _too_few_cards(result: "EnergyFromLogs", gpu: str) -> list[Flag]:
    """A flag where a model needs more accelerators than its node has meters of, or a board may have more."""
    assert result.prices and result.loads and result.settings
    given, meters = result.settings.deployment, result.meters
    walls = set(meters[meters["scope"] == "node_wall"]["node"])
    cards = meters[(meters["scope"] == "gpu") & (meters["device"] != "")].groupby("node")["device"].nunique()
    half = [
        str(node)
        for node, count in cards.items()
        if count == HALF_A_BOARD and node not in walls and ON_BOARDS.search(gpu) and not GRACE.search(gpu)
    ]
    if half and not (given.gpus or given.gpus_per_instance or result.loads.gpus):
        return [
            Flag("meters missing",
            f"node {half[0]!r} has meters of {HALF_A_BOARD} accelerators {gpu!r}, which stand on boards of 4 "
            f"or 8: give `gpus: {HALF_A_BOARD}` in deployment.yaml if these are all"),
        ]  # fmt: skip
    for row in result.prices.assumed.to_dict("records"):
        stated = result.loads.gpus.get(row["name"]) or given.gpus_per_instance
        # nothing says the precision: four bits may do, of which one accelerator alone is seldom all
        bits = 1.0 if given.precision else FEWEST_BITS
        for node in result.loads.table[result.loads.table["model"] == row["name"]]["node"]:
            lone = (
                node in cards and cards[node] == 1 and not (given.precision or FEW_BITS.search(row["name"]))
            )
            need = stated or row["gpus"] * (2 * FEWEST_BITS if lone else bits)
            if node in cards and node not in walls and cards[node] < need and given.gpus is None:
                return [
                    Flag("meters missing",
                    f"node {node!r} has meters of {cards[node]} accelerators, and {row['name']!r} needs "
                    f"{need:.3g}: the rest of its power is not known (`gpus` in deployment.yaml)"),
                ]  # fmt: skip
    return []


def _unanswered(result: "EnergyFromLogs", limit: float) -> list[Flag]:
    """Models some of whose requests have no output tokens, while nothing says that they failed."""
    assert result.loads
    by = result.loads.table.groupby("model")[["requests", "answered"]].sum()
    share = 1 - by["answered"] / by["requests"]
    some = share[(share > limit) & (share < 1)]
    if result.loads.has_status or some.empty:
        return []
    return [
        Flag("requests without an answer",
        f"{some.iloc[0]:.0%} of the requests of {some.index[0]!r} have no output tokens: failed "
        "ones, which are no queries? Expected a column `status`"),
    ]  # fmt: skip


def _against_prediction(result: "EnergyFromLogs", measured: dict[str, float]) -> list[Flag]:
    """J of a query against the model of serving for its model and load; of an unknown model, against any."""
    # what accelerators have of a node, from the log where both are read, else about two thirds
    part = measured["accelerators_wh"] / measured["gpu_node_wh"] if measured["gpu_node_wh"] else USUAL_PART
    assert result.prices and result.settings
    limits = result.settings.limits
    found = []
    for row in result.models.to_dict("records"):
        if not row["input_tokens"]:
            continue  # prompts were not counted, which a prediction needs
        gpu_j = float(row["node_mean_wh"]) * JOULES_PER_WH * part
        predicted = result.prices.gpu_j_per_query.get(str(row["model"]))
        if predicted is not None:
            p5, p50, p95 = predicted
            times = limits.agrees_within
            if (gpu_j > times * p50 and gpu_j > p95) or (gpu_j * times < p50 and gpu_j < p5):
                found.append(
                    Flag("far from the prediction",
                    f"a query of {row['model']!r} took {gpu_j:.3g} J at the accelerators; "
                    f"the model of serving expects {p50:.3g} ({p5:.3g} to {p95:.3g}) for its size and "
                    f"load: "
                    "watts in another unit, requests that are missing, or accelerators that others use?"),
                )  # fmt: skip
        elif result.prices.weights.models and row["output_tokens"]:
            j = gpu_j * float(row["queries"]) / float(row["output_tokens"])
            least = SMALL_NODE_J * part if _small(result) else limits.joules_per_token[0]
            if not least <= j <= limits.joules_per_token[1]:
                found.append(
                    Flag("far from any model",
                    f"an output token of {row['model']!r} took {j:.3g} J at the accelerators, "
                    f"which no model does ({least:g} to {limits.joules_per_token[1]:g})"),
                )  # fmt: skip
    return found


def _small(result: "EnergyFromLogs") -> bool:
    """Whether all nodes are metered at the wall and draw what a small computer draws."""
    meters = result.meters
    nodes = meters.groupby(["node", "scope"])["mean_w"].sum()
    return bool((meters["scope"] == "node_wall").all() and (nodes < SMALL_NODE_W).all())
