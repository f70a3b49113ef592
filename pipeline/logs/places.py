"""Where a request ran, what a meter measures, and how much of each model a request log has.

Energy is shared inside a place: a node, some accelerators of it, or an instance over several nodes. It is a
node, unless requests name the accelerators that serve them (`device`), or deployment.yaml or the request
itself names the nodes of an instance that runs over several.
"""

import re
from dataclasses import dataclass, field, replace

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.core.errors import InputError
from pipeline.logs.deployment import Deployment
from pipeline.logs.engines import Engine
from pipeline.logs.prices import Load
from pipeline.logs.settings import MICROSECONDS_PER_SECOND, Settings
from pipeline.logs.typed import MAXIMUM_TOKENS, TOKENS, number, time

REST = "other accelerators"
USUAL_SPEED = 25  # output tokens a second, of an answer whose end is not known
LEAST_SPAN_S = 60  # of a log, to tell from its rate how many requests are in flight
SEVERAL = re.compile(r"\s*[,+;]\s*")
CARD = re.compile(r"^(gpu|card|device|nvidia)[ _:-]*", re.I)


@dataclass(frozen=True)
class Places:
    """Place of (node, devices as the request writes them), of nodes, and of (node, meter)."""

    of_pair: dict[tuple[str, str], str] = field(default_factory=dict)
    of_node: dict[str, str] = field(default_factory=dict)
    of_meter: dict[tuple[str, str], str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    unmetered: str = ""  # accelerators that requests name and no meter reads

    def of_request(self, raw: ir.Table) -> ir.Value:
        """The place of each request."""
        node = raw.node
        branches = []
        if self.instances and "instance" in raw.columns:
            branches += [
                (raw.instance == name, ibis.literal(place)) for name, place in self.instances.items()
            ]
        if self.of_pair:
            branches += [
                ((node == name) & (raw.device == devices), ibis.literal(place))
                for (name, devices), place in self.of_pair.items()
            ]
        branches += [(node == name, ibis.literal(place)) for name, place in self.of_node.items()]
        return ibis.cases(*branches, else_=node) if branches else node

    def of_sample(self, raw: ir.Table) -> ir.Value:
        """The place of each sample of power."""
        node = raw.node
        branches = [
            ((node == name) & (raw.device == device) & (raw.scope == "gpu"), ibis.literal(place))
            for (name, device), place in self.of_meter.items()
        ]
        branches += [(node == name, ibis.literal(place)) for name, place in self.of_node.items()]
        return ibis.cases(*branches, else_=node) if branches else node

    def without_shared_walls(self, raw: ir.Table) -> ir.Table:
        """The samples without those of whole nodes whose accelerators are told apart."""
        split = sorted({node for node, _ in self.of_meter})
        return raw.filter(~(raw.node.isin(split) & (raw.scope == "node_wall"))) if split else raw

    def meter_of(self, raw: ir.Table) -> ir.Value:
        """The meter of each sample; in a place of several nodes with the node before it."""
        device = raw.device.fill_null("") if "device" in raw.columns else ibis.literal("")
        places = list(self.of_node.values())
        several = [node for node, place in self.of_node.items() if places.count(place) > 1]
        return ibis.ifelse(raw.node.isin(several), raw.node + "/" + device, device) if several else device


def places_of(
    engine: Engine, requests: ir.Table, power: ir.Table, names: list[str], given: Deployment
) -> tuple[Places, list[str]]:
    """The places that the logs and deployment.yaml name, with a word on each; raises InputError.

    names: the nodes of the requests.
    """
    there = set(engine.fetch(power.select("node").distinct())["node"].dropna())
    of_node = _other_spellings(names, there)
    notes = [f"node {theirs!r} of power is {ours!r} of requests" for theirs, ours in of_node.items()]
    for name, nodes in given.instances.items():
        of_node |= dict.fromkeys(nodes, name)
        notes.append(f"instance {name} runs over the nodes {', '.join(nodes)}: their power is one")
    several = [name for name in names if len(SEVERAL.split(name)) > 1]
    for name in several:
        parts = [part for part in SEVERAL.split(name) if part]
        if len(parts) > 1 and name not in there and set(parts) <= there:
            of_node |= dict.fromkeys(parts, name)
            notes.append(f"node {name!r} of the requests is {len(parts)} nodes: their power is one")
    places = Places(of_node=of_node, instances={name: name for name in given.instances})
    if "device" not in requests.columns or "device" not in power.columns:
        return places, notes
    pairs = engine.fetch(
        requests.filter((requests.device != "") & requests.device.notnull())
        .select("node", "device")
        .distinct()
    )
    if pairs.empty:
        return places, notes
    meters = engine.fetch(power.select("node", "scope", "device").distinct())
    of_pair, of_meter = _by_device(pairs, meters[meters["scope"] == "gpu"])
    walls = set(meters[meters["scope"] == "node_wall"]["node"]) - {node for node, _ in of_meter}
    if of_meter:
        notes.append(
            "requests name their accelerators: each gets the energy of its own, from meters of "
            "accelerators; a "
            "meter of their whole node is left out"
        )
    short = _unmetered(pairs[~pairs["node"].isin(walls)], meters[meters["scope"] == "gpu"])
    return Places(of_pair, of_node, of_meter, places.instances, short), notes


def _unmetered(pairs: pd.DataFrame, meters: pd.DataFrame) -> str:
    """Accelerators that the requests of a node name and none of its meters reads."""
    for node, rows in pairs.groupby("node"):
        own = {_card(str(device)) for device in meters[meters["node"] == node]["device"].dropna()} - {""}
        missing = sorted({card for text in rows["device"] for card in _cards(text)} - own)
        if own and missing:
            return (
                f"requests name accelerators {', '.join(missing[:8])} of node {node!r}, which no meter reads"
            )
    return ""


def with_only_node(
    engine: Engine, requests: ir.Table, power: ir.Table, given: Deployment
) -> tuple[ir.Table, list[str]]:
    """The requests; those that name no node are of the one of deployment.yaml or the only one of the logs."""
    blank = requests.node.isnull() | (requests.node == "")
    if not int(engine.fetch(requests.filter(blank).limit(1).count())):
        return requests, []
    named = requests.filter(~blank).select("node").union(power.select("node")).distinct()
    there = [name for name in engine.fetch(named.order_by("node"))["node"] if isinstance(name, str) and name]
    node = given.node or (there[0] if len(there) == 1 else "")
    if not node:
        return requests, []
    return requests.mutate(node=ibis.ifelse(blank, node, requests.node)), [
        f"requests that name no node are of {node!r}"
    ]


def _other_spellings(names: list[str], there: set[str]) -> dict[str, str]:
    """Nodes of power that requests name in another way: with or without domain, in other letters."""
    mine = {_host(name): name for name in sorted(set(names) - there)}
    theirs = {_host(name): name for name in sorted(there - set(names))}
    unique = len(mine) == len(set(names) - there) and len(theirs) == len(there - set(names))
    return {theirs[host]: mine[host] for host in theirs if host in mine} if unique else {}


def _host(name: str) -> str:
    return name.strip().lower().split(":")[0].split(".")[0]


def _by_device(
    pairs: pd.DataFrame, meters: pd.DataFrame
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Places of requests and of meters; raises InputError where two models share some accelerators and not
    others."""
    of_pair: dict[tuple[str, str], str] = {}
    of_meter: dict[tuple[str, str], str] = {}
    for name, rows in pairs.groupby("node"):
        node, sets = str(name), {}
        for text in rows["device"]:
            sets[str(text)] = _cards(text)
        distinct = set(sets.values())
        if sum(map(len, distinct)) > len(frozenset().union(*distinct)):
            raise InputError(
                f"requests, column 'device': node {node!r} has sets that overlap, expected equal or "
                f"disjoint ones"
            )
        own = meters[meters["node"] == node]["device"].dropna().astype("str")
        if len(distinct) == 1 and {_card(device) for device in own} <= next(iter(distinct)):
            continue  # all meters of the node: no need to tell apart
        if own.empty:
            continue  # only a meter of the whole node: its energy is shared by prices
        for text, devices in sets.items():
            place = f"{node}/{','.join(sorted(devices))}"
            of_pair[node, text] = place
            of_meter |= {(node, device): place for device in own if _card(device) in devices}
        of_meter |= {(node, device): f"{node}/{REST}" for device in own if (node, device) not in of_meter}
    return of_pair, of_meter


def _cards(text: object) -> frozenset[str]:
    return frozenset(_card(part) for part in SEVERAL.split(str(text).strip("[] ")) if part)


def _card(label: str) -> str:
    return CARD.sub("", label.strip())


@dataclass(frozen=True)
class Loads:
    """table: node, model, requests, input_tokens, output_tokens, seconds (in progress), in_flight; sums of
    the raw log.

    has_end: whether the log says when requests ended; else in_flight follows from their rate and USUAL_SPEED.
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
            cached = float(group["cached_input_tokens"].sum()) / n
            rows.append((n, Load(str(model), in_flight, given, taken, self.gpus.get(str(model)), cached)))
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
        **time(engine, raw, "time", "start_us"),
        **(time(engine, raw, "end", "end_us") if "end" in raw.columns else {}),
        **number(raw, "input_tokens"),
        **number(raw, "output_tokens"),
        **(number(raw, "cached_input_tokens") if "cached_input_tokens" in raw.columns else {}),
    )
    if "cached_input_tokens" not in table.columns:
        table = table.mutate(cached_input_tokens=0)
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
    sums = (
        table.mutate(seconds=seconds.fill_null(0.0).cast("float64"))
        .group_by(["node", "model"])
        .agg(
            requests=_.count(),
            input_tokens=_.input_tokens.cast("float64").sum(),
            output_tokens=_.output_tokens.cast("float64").sum(),
            cached_input_tokens=_.cached_input_tokens.fill_null(0)
            .clip(0, _.input_tokens)
            .cast("float64")
            .sum()
            .fill_null(0.0),
            answered=(_.output_tokens > 0).sum(),
            seconds=_.seconds.sum(),
            **({"gpus": _.gpus.max()} if "gpus" in raw.columns else {}),
            first_us=_.start_us.min(),
            last_us=(_.end_us if "end" in raw.columns else _.start_us).max(),
        )
    )
    found = engine.fetch(sums.order_by(["node", "model"]))
    if found.empty:
        found = found.assign(in_flight=pd.Series(dtype="float64"))
        return Loads(found, has_end)
    ends = found.groupby("node").agg(first=("first_us", "min"), last=("last_us", "max"))
    span_s = ((ends["last"] - ends["first"]) / MICROSECONDS_PER_SECOND).reindex(found["node"]).to_numpy()
    in_flight = found["seconds"] / pd.Series(span_s).clip(lower=1.0).to_numpy()
    if not has_end:
        usual = found["output_tokens"] / USUAL_SPEED / pd.Series(span_s).clip(lower=1.0).to_numpy()
        in_flight = usual.where(span_s >= LEAST_SPAN_S, settings.requests_in_flight)
    found["in_flight"] = in_flight.round(1).clip(lower=1.0)
    stated = found.dropna(subset="gpus").groupby("model")["gpus"].max() if "gpus" in found else pd.Series()
    gpus = {str(model): int(count) for model, count in stated.items() if count >= 1}
    return Loads(found, has_end, "status" in raw.columns, "cached_input_tokens" in raw.columns, gpus)


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
