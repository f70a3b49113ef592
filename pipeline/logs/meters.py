"""The power log, read and judged: samples of each meter and window, intervals, what its sums mean."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from pipeline.core.catalogue import find
from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.logs import refuse
from pipeline.logs.contract import POWER_REASONS, POWER_SERIES, REFUSED_POWER, Flag
from pipeline.logs.engines import Engine
from pipeline.logs.evidence import METER, Evidence, Spikes, read_evidence
from pipeline.logs.node_ratio import NodeRatio, fitted_ratio
from pipeline.logs.places import CARD, Places
from pipeline.logs.rows import MILLIWATTS_PER_WATT, power_rows, without_duplicate_samples
from pipeline.logs.settings import Settings
from pipeline.logs.sources import Source
from pipeline.logs.typed import read_log
from pipeline.logs.windows import in_windows, meters, node_power, powered_spans, suspected_meters, total

PROBED_ROWS = 300_000
SAMPLES_A_WINDOW = 3
STRETCHES = 6  # of the log, that a probe looks at
MOST_OF_A_CARD_W = 1500.0  # what no single accelerator draws; more is the sum of several
# cards of boards with 4 or 8 of them, and with 8 only
ON_BOARDS = re.compile(r"hbm3|sxm|hgx|oam|[gh]?b[23]00|mi3\d\d", re.I)
ON_BOARDS_OF_8 = re.compile(r"mi3\d\d|(?<!g)b[23]00", re.I)
INSTANCES = Path("data/published/cloud_instances.csv")
OF_8 = 8  # accelerators of a DGX or an HGX
DIVISORS = [k for k in range(1, 3601) if 3600 % k == 0]


@dataclass(frozen=True)
class PowerLog:
    """What is known of power. samples: rows; of_meters, powered, power: tables of windows.py; settings with
    the window's length.

    meters: one row a meter with samples, usable, milliwatts; gpu: the accelerator that the log names, or
    blank.
    """

    of_meters: ir.Table
    samples: ir.Table
    powered: ir.Table
    power: ir.Table
    meters: pd.DataFrame
    intervals: pd.DataFrame
    repeats: int
    zoned: bool | None
    settings: Settings
    gpu: str
    flags: list[Flag] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spikes: list[Spikes] = field(default_factory=list)


def read_power(engine: Engine, log: Source, settings: Settings, places: Places) -> PowerLog:
    """Read and judge the power log; raises InputError."""
    samples = engine.name(power_rows(engine, log, POWER_SERIES, settings, places))
    found = engine.keep(meters(samples, settings))
    counts = refuse.reasons(engine, found, POWER_REASONS, "samples")
    refuse.refuse_unreadable(engine, log, counts, REFUSED_POWER, POWER_SERIES)
    zoned = refuse.says_zones(engine, log, counts)
    refuse.refuse_units(engine, log, found, settings)
    every = _every_meter(engine, found)
    if not every["usable"].sum():
        raise InputError(f"{log.name}: no usable power sample, expected some")
    evidence = read_evidence(
        _probe(engine, samples, found), every, log.name, settings.limits, may_stand_still=log.of_runs
    )
    suspects = engine.keep(suspected_meters(found))
    once, repeats = without_duplicate_samples(engine, samples, suspects)
    if repeats:
        found = engine.keep(meters(once, settings))
    settings = _with_windows(settings, evidence)
    gpus = _gpu_names(engine, log, places)
    settings = _with_ratio(settings, every, gpus)
    if settings.several > 1:
        found = engine.keep(in_windows(found, settings.several))
    intervals = engine.small(evidence.intervals)
    powered = engine.keep(powered_spans(found, intervals))
    power = engine.keep(node_power(found, intervals, powered, settings))
    card = next(iter(sorted(set(gpus.values()))), "")
    flags = evidence.flags + _missing_meters(every, settings, gpus)
    flags += [Flag("meters missing", places.unmetered)] if places.unmetered else []
    return PowerLog(
        found, once, powered, power, every, evidence.intervals, repeats, zoned, settings, card, flags,
        evidence.notes + _taken_as(every, settings), evidence.spikes,
    )  # fmt: skip


def _every_meter(engine: Engine, found: ir.Table) -> pd.DataFrame:
    there = found.filter(_.node.notnull() & _.window.notnull())
    table = there.group_by(
        METER).agg(samples=total(_.samples), usable=total(_.reason.isnull().ifelse(_.samples, 0)),
        milliwatts=total(_.milliwatts), first=_.window.min(), last=_.window.max(),
    )  # fmt: skip
    return engine.fetch(table.order_by(METER))


def _probe(engine: Engine, samples: ir.Table, found: ir.Table) -> pd.DataFrame:
    """Rows of the log, all of a small one, else some stretches of windows: METER, start_us, watts."""
    of_windows = (
        found.filter(_.node.notnull() & _.window.notnull()).group_by("window").agg(n=total(_.samples))
    )
    ends = engine.fetch(
        of_windows.agg(first=_.window.min(), last=_.window.max(), n=_.n.sum(), most=_.n.max())
    ).iloc[0]
    rows = samples.filter(_.start_us.notnull() & _.node.notnull())
    if ends["n"] > PROBED_ROWS:
        each = max(int(PROBED_ROWS / max(int(ends["most"]), 1) / STRETCHES), 1)
        starts = np.linspace(
            int(ends["first"]), max(int(ends["last"]) - each, int(ends["first"])), STRETCHES
        ).astype(int)
        rows = rows.filter(
            ibis.or_(*(_.window.between(int(start), int(start) + each - 1) for start in starts))
        )
    table = engine.fetch(rows.select(*METER, "start_us", "usable", "milliwatts"))
    watts = table["milliwatts"] / MILLIWATTS_PER_WATT
    return table.assign(watts=watts.where(table["usable"])).drop(columns=["usable", "milliwatts"])


def _with_windows(settings: Settings, evidence: Evidence) -> Settings:
    """Windows as long as the rarest meter needs: a divisor of an hour, of whole base windows."""
    longest = evidence.intervals["interval_us"].max() / 1e6
    base = settings.window_seconds
    # with fewer samples in a window, one that comes a little late leaves it empty
    fits = [length for length in DIVISORS if length % base == 0 and length >= SAMPLES_A_WINDOW * longest]
    if not fits:
        raise InputError(
            f"a meter has one sample in {longest:.0f} s, expected at least {SAMPLES_A_WINDOW} an hour"
        )
    return replace(settings, several=fits[0] // base)


def _gpu_names(engine: Engine, log: Source, places: Places) -> dict[str, str]:
    raw = read_log(engine, log, POWER_SERIES)
    if "gpu" not in raw.columns:
        return {}
    table = engine.fetch(
        raw.select(node=places.of_sample(raw), gpu=raw.gpu).distinct().order_by(["node", "gpu"])
    )
    named = table[table["gpu"].notna() & (table["gpu"] != "")]
    return {str(node): str(gpu) for node, gpu in zip(named["node"], named["gpu"], strict=True)}


def _with_ratio(settings: Settings, every: pd.DataFrame, gpus: dict[str, str]) -> Settings:
    of_gpu = every[(every["scope"] == "gpu") & (every["usable"] > 0)]
    if settings.node is not None or of_gpu.empty:
        return (
            settings
            if settings.node is not None
            else replace(settings, node=NodeRatio.constant(1.0, "not needed"))
        )
    mean_w = float((of_gpu["milliwatts"] / of_gpu["usable"]).mean()) / MILLIWATTS_PER_WATT
    of_all = (of_gpu["device"] == "").all() and mean_w > MOST_OF_A_CARD_W
    cards = settings.deployment.gpus or 1 if of_all else 1
    return replace(settings, node=fitted_ratio(gpus, settings.deployment.gpu, mean_w / cards).of(cards))


def _taken_as(every: pd.DataFrame, settings: Settings) -> list[str]:
    """A note on what nodes are taken to have, where no meter has the whole node and nothing states it."""
    cards = every[~every["node"].isin(set(every[every["scope"] == "node_wall"]["node"]))]
    if cards.empty or settings.deployment.gpus is not None:
        return []
    unnamed = (cards["device"] == "").all()
    counts = cards.groupby("node")["device"].nunique()
    said = ", ".join(f"{node} {count}" for node, count in list(counts.items())[:5])
    taken = "one meter without a name is taken as that of all accelerators of a node"
    return [taken if unnamed else f"nodes are taken to have the accelerators that have meters: {said}"]


def _missing_meters(every: pd.DataFrame, settings: Settings, gpus: dict[str, str]) -> list[Flag]:
    """Accelerators that are known of and not in the log, where no meter has the whole node."""
    walls = set(every[every["scope"] == "node_wall"]["node"])
    supplies = every[(every["scope"] == "node_wall") & every["device"].map(_is_supply)]
    alone = supplies[~supplies["node"].duplicated(keep=False)]
    found = [
        f"node {row.node!r} has one power supply {row.device!r} in the log, and servers have two or more"
        for row in alone.itertuples()
        if (every["node"] == row.node).sum() == 1
    ]
    cards = every[(every["scope"] == "gpu") & ~every["node"].isin(walls)]
    cards = cards[~cards["node"].astype("str").str.contains("/")]
    for name, group in cards.groupby("node", sort=True):
        named = group[group["device"] != ""]
        if named.empty:
            found += _unnamed(str(name), group.iloc[0], settings)
        elif stated := settings.deployment.gpus or _named_count(str(name)):
            count, by = len(named), "deployment.yaml" if settings.deployment.gpus else "its name"
            if count < stated:
                said = f"{stated} accelerators by {by}: the rest of its power is not known"
                found.append(f"node {name!r} has {count} meters of accelerators in the log and {said}")
        else:
            found += _gaps(str(name), named["device"].astype("str").tolist(), gpus.get(str(name), ""))
    return [Flag("meters missing", text) for text in found[:1]]


def _is_supply(device: object) -> bool:
    return bool(re.match(r"psu|power.?supply|pws|feed", str(device), re.I))


def _named_count(node: str) -> int | None:
    """Accelerators of a node named as a machine of a known size: `8xh100-3`, `a3-highgpu-8g`, `dgx1`."""
    name = node.lower()
    if found := re.search(r"(?<![0-9.])([248]|16) ?x ?[_-]?(?=[abhl]\d|mi\d|gpu)", name):
        return int(found[1])
    clouds = read_table(INSTANCES, find("cloud_instances").contract)
    sizes = dict(zip(clouds["instance"].str.lower(), clouds["gpus"], strict=True))
    if named := [instance for instance in sizes if instance in name]:
        return int(sizes[max(named, key=len)])
    return OF_8 if re.search(r"(dgx|hgx)(?!.?(spark|station))", name) else None


def _unnamed(node: str, meter: pd.Series, settings: Settings) -> list[str]:
    """One meter of accelerators without a name: of the only one, of one of several, some in turn, or all."""
    stated = settings.deployment.gpus
    mean_w = meter["milliwatts"] / max(meter["usable"], 1) / MILLIWATTS_PER_WATT
    of_several = mean_w > MOST_OF_A_CARD_W
    counted_apart = settings.node is not None and settings.node.any_node.fixed_w > 0  # by cards
    if (stated is not None and of_several == (stated > 1)) or (of_several and not counted_apart):
        return []
    return [
        f"node {node!r} has one meter of accelerators, without a name, of {mean_w:.4g} W (mean): of its only "
        "one, of one of several, of several in turn, or of all: give the column `device`, or `gpus` in "
        "deployment.yaml"
    ]


def _gaps(node: str, devices: list[str], gpu: str) -> list[str]:
    """Accelerators that are numbered, and some of whose numbers are not there; or an odd count of them."""
    labels = [CARD.sub("", device) for device in devices]
    numbers = set(map(int, labels)) if all(label.isdigit() for label in labels) else set()
    missing = sorted(set(range(max(numbers) + 1)) - numbers) if numbers else []
    # nodes have 2, 4, 8 of them; a single one is of a workstation, or of a board of 4 or 8
    odd = bool(len(devices) % 2 and (len(devices) > 1 or ON_BOARDS.search(gpu)))
    odd |= bool(1 < len(devices) < 8 and ON_BOARDS_OF_8.search(gpu))
    if not missing and not odd:
        return []
    lack = f", and none of number {', '.join(map(str, missing[:8]))}" if missing else ""
    return [
        f"node {node!r} has meters of {len(devices)} accelerators{lack}: give `gpus: {len(devices)}` in "
        "deployment.yaml if these are all, or `device` of the requests"
    ]
