"""Where a request ran and what a meter measures: a node, some accelerators of it, or an instance over
several nodes.

Energy is shared inside a place. It is a node, unless requests name the accelerators that serve them
(`device`), or
deployment.yaml or the request itself names the nodes of an instance that runs over several.
"""

import re
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.deployment import Deployment
from pipeline.logs.engines import Engine

REST = "other accelerators"
SEVERAL = re.compile(r"\s*[,+;]\s*")
CARD = re.compile(r"^(gpu|card|device|nvidia)[ _:-]*", re.I)


@dataclass(frozen=True)
class Places:
    """Place of (node, devices as the request writes them), of nodes, and of (node, meter)."""

    of_pair: dict[tuple[str, str], str] = field(default_factory=dict)
    of_node: dict[str, str] = field(default_factory=dict)
    of_meter: dict[tuple[str, str], str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)

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
    of_pair, of_meter = _by_device(
        pairs, engine.fetch(power.filter(power.scope == "gpu").select("node", "device").distinct())
    )
    if of_meter:
        notes.append(
            "requests name their accelerators: each gets the energy of its own, from meters of "
            "accelerators; a "
            "meter of their whole node is left out"
        )
    return Places(of_pair, of_node, of_meter, places.instances), notes


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
            sets[str(text)] = frozenset(_card(part) for part in SEVERAL.split(str(text).strip("[] ")) if part)
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


def _card(label: str) -> str:
    return CARD.sub("", label.strip())
