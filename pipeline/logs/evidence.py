"""What a power log shows about its meters: intervals, and what makes its sums wrong.

All is judged on a probe: rows of some stretches of the log (of a small log all of them), in a pandas table
with node, scope, device, start_us, watts (blank where not usable). A finding that leaves no number refuses
the log; one that may be right is a flag.
"""

import re
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.assumptions import Limits
from pipeline.logs.contract import Flag

METER = ["node", "scope", "device"]
MANY_AT_ONCE = 0.2  # share of gaps far below the meter's own, from which it is several meters
NEAR = 0.25  # of the longer gap: a second sample so soon is of another meter
STRETCH = 30  # intervals, in which samples at one time are counted
LEAST_SAMPLES = 20  # of a meter, to judge how it behaves
STILL_BUSY = 0.3  # of the others' power
DEAD_W = 0.03  # of the others' power: no card of a kind idles so low
STUCK = 0.98  # share of samples of one value, from which a meter stands still
FROZEN = 0.1  # of a meter's samples in one run of one value, above its floor, while the others change
CHANGES = 0.8  # share of samples that differ from the one before, of a meter that is not rounded
# times the median and the samples around; a server at the wall does not jump so for a second, but may in what
# is read less often
SPIKES = {"gpu": 8.0, "node_wall": 4.0}
UNSURE_SPIKES = 2.5  # times both: so far an accelerator may jump, with its load
SPIKE_INTERVAL_S = 5.0
TURNS = 16  # meters that may take turns under one name
LEAST_TURNS = 8  # of which chance does not make one like the other
TURNS_SHARE = 0.6  # of the variance, by turns
TURNS_APART = 0.15  # of the mean, between their levels
TURNS_ERRORS, SAME_TURNS = 6.0, 0.8  # between levels, in standard errors; correlation between parts of a log
AGREE = 0.1  # between the sums of two sets of meters that read the same
TOTAL = re.compile(r"(grand |sub)?(total|sum|all|overall|aggregate|chassis|system)(?![a-z]).*", re.I)
DEAD_SHARE = 0.5  # of a meter's samples without power, from which it is dead
DEFAULT_INTERVAL_S = 1.0


@dataclass(frozen=True)
class Spikes:
    """Samples of a meter that stand out (at_us), and the share of its energy that is above what is around
    them."""

    node: str
    label: str
    at_us: np.ndarray
    interval_us: float
    share: float


@dataclass
class Evidence:
    """Interval of each meter (columns of METER, interval_us), flags, and spikes to be judged by the load."""

    intervals: pd.DataFrame
    flags: list[Flag] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spikes: list[Spikes] = field(default_factory=list)


def read_evidence(
    probe: pd.DataFrame, meters: pd.DataFrame, name: str, limits: Limits, may_stand_still: bool = False
) -> Evidence:
    """What the meters show; raises InputError where their sum cannot be known.

    meters: all meters of the log, columns of METER, samples, usable (rows of each).
    """
    probe = probe.sort_values([*METER, "start_us"], ignore_index=True)
    # accelerators of a node that is whole at the wall are not needed: what is wrong with them is no matter
    walls = meters[
        (meters["scope"] == "node_wall") & (meters["usable"] > (1 - DEAD_SHARE) * meters["samples"])
    ]
    needed = [
        table[(table["scope"] != "gpu") | ~table["node"].isin(set(walls["node"]))]
        for table in (probe, meters)
    ]
    found = Evidence(_intervals(probe, meters, name))
    _refuse_counters(probe, name)
    _refuse_turns(needed[0], name)
    _refuse_dead(needed[1], name)
    _refuse_totals(needed[1], name)
    _refuse_two_sets(needed[1], name)
    _refuse_repeats_between(needed[0], found.intervals, name)
    found.flags += _flag_turns(needed[0])
    found.flags += [] if may_stand_still else _stuck(needed[0])  # the energy of runs is spread evenly
    flags, found.spikes = _spikes(needed[0], found.intervals, limits)
    found.flags += flags
    if len(needed[1]) < len(meters):
        found.notes.append(
            "nodes with a meter at the wall: what their accelerators' meters show is not judged"
        )
    return found


def _label(node: object, scope: object, device: object) -> str:
    return f"meter {device!r} of node {node!r}" if device else f"the {scope} meter of node {node!r}"


def _intervals(probe: pd.DataFrame, meters: pd.DataFrame, name: str) -> pd.DataFrame:
    """Median time between samples of each meter; several samples at one time mean several meters."""
    rows = []
    for (node, scope, device), group in probe.groupby(METER, sort=True):
        gaps = np.diff(group["start_us"].to_numpy())
        if len(gaps) == 0:
            continue
        longer = np.median(gaps[gaps >= np.quantile(gaps, 0.9) * NEAR]) if gaps.max() else 0.0
        if not longer or _mostly_near(group["start_us"].to_numpy()[1:], gaps, float(longer)):
            _refuse_several(group, gaps, longer, _label(node, scope, device), name)
        rows.append({"node": node, "scope": scope, "device": device, "interval_us": float(longer)})
    known = pd.DataFrame(rows, columns=[*METER, "interval_us"])
    every = meters[METER].drop_duplicates().merge(known, on=METER, how="left")
    usual = every.groupby("scope")["interval_us"].transform("median")
    every["interval_us"] = every["interval_us"].fillna(usual).fillna(DEFAULT_INTERVAL_S * 1e6)
    return every.astype({"interval_us": "float64"})


def _mostly_near(times: np.ndarray, gaps: np.ndarray, longer: float) -> bool:
    """Whether most stretches of the log have many samples far closer than the meter's interval.

    In a few stretches it is a clock that was set back, or rows that stand twice.
    """
    stretch = ((times - times[0]) / (STRETCH * longer)).astype(int)
    near = pd.Series(gaps < NEAR * longer).groupby(stretch).mean()
    return bool((near > MANY_AT_ONCE).mean() > 0.5)


def _refuse_several(group: pd.DataFrame, gaps: np.ndarray, longer: float, label: str, name: str) -> None:
    times = int((gaps >= NEAR * longer).sum()) + 1 if longer else 1
    at_once = len(group) / times
    missing = (
        "the column `device` is missing" if (group["device"] == "").all() else "`device` names several as one"
    )
    raise InputError(
        f"{name}: {label} has {at_once:.3g} samples at each time (of {len(group)} looked at): it is several "
        f"meters and "
        f"{missing} (nvidia-smi: index), or a log that stands several times; expected one sample of a meter "
        f"at a time"
    )


def _refuse_counters(probe: pd.DataFrame, name: str) -> None:
    for (node, scope, device), group in probe.groupby(METER, sort=True):
        watts = group["watts"].dropna().to_numpy()
        steps = np.diff(watts)
        if len(watts) < LEAST_SAMPLES or watts[0] == watts[-1]:
            continue
        falls = int((steps < 0).sum())
        # power wanders up and down; a counter falls only when it begins anew, and then far
        resets = falls <= max(1, len(steps) // 50) and bool((steps[steps < 0] < -0.5 * np.ptp(watts)).all())
        rises = (steps > 0).sum() >= 0.02 * len(steps) and (watts[-1] > watts[0] or falls)
        # of a counter that counts in large steps, a few are in the log
        steps_up = not falls and len(watts) >= 3 * LEAST_SAMPLES and np.ptp(watts) < 0.05 * watts.mean()
        if resets and (rises or steps_up):
            raise InputError(
                f"{name}: {_label(node, scope, device)} only rises, from {watts.min():.7g} to "
                f"{watts.max():.7g} in "
                f"{len(watts)} samples: it counts energy, expected power, or the column named energy_kwh, "
                f"energy_wh, "
                "energy_j or energy_mj"
            )


def _refuse_turns(probe: pd.DataFrame, name: str) -> None:
    """Samples of several meters in turn under one name, told by levels that come back every k-th sample."""
    for (node, scope, device), group in probe.groupby(METER, sort=True):
        watts = group["watts"].dropna().to_numpy()
        if len(watts) < 2 * LEAST_SAMPLES:
            continue
        for k in range(2, min(TURNS, len(watts) // LEAST_TURNS) + 1):
            around = np.convolve(watts, np.ones(k) / k, "valid")
            rest = watts[k // 2 :][: len(around)] - around
            turn = np.arange(len(rest)) % k
            turns = np.bincount(turn, rest) / np.bincount(turn)
            apart = np.ptp(turns) > TURNS_APART * watts.mean()
            if apart and turns.var() > TURNS_SHARE * rest.var():
                raise InputError(
                    f"{name}: {_label(node, scope, device)} goes through {k} levels from sample to sample: "
                    f"several meters in turn; the column `device` is missing"
                )


def _flag_turns(probe: pd.DataFrame) -> list[Flag]:
    """A meter of accelerators without a name whose samples differ in turn, little but all along."""
    for (node, scope, device), group in probe[probe["scope"] == "gpu"].groupby(METER, sort=True):
        watts = group["watts"].dropna().to_numpy()
        if device or len(watts) < 4 * LEAST_SAMPLES:
            continue
        for k in (2, 4, 8):
            smooth = np.convolve(watts, np.ones(k) / k, "valid")
            rest = watts[: len(smooth)] - smooth
            quarters = [part[: len(part) // k * k].reshape(-1, k) for part in np.array_split(rest, 4)]
            # each quarter of the log begins at its own place in the turn
            begins = np.cumsum([0] + [len(part) for part in np.array_split(rest, 4)])[:4] % k
            levels = np.array([np.roll(q.mean(axis=0), b) for q, b in zip(quarters, begins, strict=True)])
            if np.ptp(levels, axis=1).min() <= 1e-9 * watts.mean():
                continue
            error = rest.std() / np.sqrt(len(rest) / k)
            same = np.corrcoef(levels)[np.triu_indices(4, 1)].min() > SAME_TURNS
            if same and np.ptp(levels.mean(axis=0)) > TURNS_ERRORS * error:
                text = f"{_label(node, scope, device)} goes through {k} levels from sample to sample: several"
                return [Flag("meters in turn", f"{text} meters in turn? Expected the column `device`")]
    return []


def _refuse_totals(meters: pd.DataFrame, name: str) -> None:
    for (node, _scope), group in meters.groupby(["node", "scope"], sort=True):
        sums = [label for label in group["device"] if TOTAL.fullmatch(str(label))]
        if sums and len(sums) < len(group):
            raise InputError(
                f"{name}: meter {sums[0]!r} of node {node!r} stands beside {len(group) - len(sums)} others, "
                "and its name says that it is their sum: expected the total or its parts"
            )


def _refuse_two_sets(meters: pd.DataFrame, name: str) -> None:
    """Meters of a node that are named in two ways and read the same power: two exporters."""
    for (node, _scope), group in meters.groupby(["node", "scope"], sort=True):
        group = group.assign(
            kind=[_kind_of_label(label) for label in group["device"]],
            watts=group["milliwatts"] / group["usable"].clip(lower=1),
        )
        sets = [
            (len(part), float(part["watts"].sum()), str(part["device"].iloc[0]))
            for _kind, part in group.groupby("kind", sort=True)
        ]
        for (n, watts, one), (m, others, other) in combinations(sets, 2):
            if n == m > 1 and abs(watts - others) < AGREE * max(watts, others):
                raise InputError(
                    f"{name}: node {node!r} has {n} meters named as {one!r} and as many as {other!r}, with "
                    f"the same power: each meter twice, expected one name for each"
                )


def _kind_of_label(label: object) -> str:
    """How a meter is named: digits and the characters of long ids do not count."""
    text = str(label).lower()
    if re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text):
        return "uuid"
    return (
        "bus"
        if re.fullmatch(r"([0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}[.][0-9]", text)
        else re.sub(r"[0-9]+", "", text)
    )


def _refuse_dead(meters: pd.DataFrame, name: str) -> None:
    """A meter without power beside others that have some: what it should have counted is not in the log."""
    for (node, scope), group in meters.groupby(["node", "scope"], sort=True):
        dead = group[group["usable"] < (1 - DEAD_SHARE) * group["samples"]]
        if len(dead) and len(dead) < len(group):
            row = dead.iloc[0]
            shown = row["samples"] - row["usable"]
            raise InputError(
                f"{name}: {_label(node, scope, row['device'])} reads no power in {shown} of its "
                f"{row['samples']} samples "
                f"(0, blank or N/A) while {len(group) - len(dead)} others do: what it drew is not in the "
                f"log, expected "
                "its power, or a meter of the whole node"
            )


def _refuse_repeats_between(probe: pd.DataFrame, intervals: pd.DataFrame, name: str) -> None:
    """Meters of a node that show the same series, or one that is the sum of the others."""
    steps = intervals.groupby(["node", "scope"])["interval_us"].max()
    for (node, scope), group in probe.groupby(["node", "scope"], sort=True):
        if (group["device"] == group["device"].iloc[0]).all():
            continue
        step = max(float(steps.get((node, scope), 1.0)), 1.0)
        # the probe may hold stretches far apart: the number of the step is the key
        table = group.assign(step=(group["start_us"] / step).round()).pivot_table(
            index="step", columns="device", values="watts", aggfunc="mean"
        )
        table = table.loc[:, table.notna().sum() >= LEAST_SAMPLES]
        if table.shape[1] < 2:
            continue
        moving = [c for c in table if table[c].std() > 1e-3 * abs(table[c].mean())]
        for k, one in enumerate(moving):
            for other in moving[k + 1 :]:
                both = table[[one, other]].dropna()
                if len(both) >= LEAST_SAMPLES and _same(
                    both[one], both[other], _kind_of_label(one) == _kind_of_label(other)
                ):
                    raise InputError(
                        f"{name}: meters {one!r} and {other!r} of node {node!r} show the same series: one "
                        f"meter twice "
                        "(slices of a card, two exporters), expected each once"
                    )
        for total in moving if table.shape[1] > 2 else []:
            rest = table.drop(columns=total).sum(axis=1, min_count=table.shape[1] - 1)
            both = pd.DataFrame({"total": table[total], "rest": rest}).dropna()
            if (
                len(both) >= LEAST_SAMPLES
                and (both["total"] - both["rest"]).abs().mean() < 0.01 * both["total"].mean()
            ):
                raise InputError(
                    f"{name}: {_label(node, scope, total)} is the sum of its {table.shape[1] - 1} other "
                    f"meters: "
                    "counted twice, expected the total or its parts"
                )


def _same(one: pd.Series, other: pd.Series, alike: bool) -> bool:
    """Whether two series are of one meter: equal, or nearly so while both move far.

    alike: named in one way, as the accelerators of a model are that share its load and draw nearly the same.
    """
    apart = (one - other).abs().mean() / one.mean()
    moves = one.std() > 0.05 * one.mean()
    return bool(apart < 1e-3 or (not alike and moves and apart < 0.01 and one.corr(other) > 0.99))


def _stuck(probe: pd.DataFrame) -> list[Flag]:
    """Meters that show one value all along, though others of their node move or there are none; or from
    some moment on."""
    flags = []
    for (node, scope), group in probe.groupby(["node", "scope"], sort=True):
        still, moving, frozen = [], [], []
        for device, one in group.groupby("device", sort=True):
            watts = one["watts"].dropna().to_numpy()
            if len(watts) < LEAST_SAMPLES:
                continue
            if np.isclose(watts, np.median(watts), rtol=1e-12).mean() >= STUCK:
                still.append((device, float(np.median(watts))))
            else:
                moving.append(float(np.median(watts)))
                frozen += [device] if _freezes(watts) else []
        # one that is far below the others idles, and may well stand still
        busy = [
            device
            for device, watts in still
            if not moving or not DEAD_W * np.median(moving) < watts < STILL_BUSY * np.median(moving)
        ]
        for device, what in [(d, "shows one value all along") for d in busy[:1]] + [
            (d, "shows one value for a long time, and changes from sample to sample before or after")
            for d in frozen[:1]
        ]:
            flags.append(Flag("meter stands still", f"{_label(node, scope, device)} {what}"))
    return flags


def _freezes(watts: np.ndarray) -> bool:
    """Whether one long run of one value, above the floor, stands in a series that otherwise changes."""
    edges = np.flatnonzero(np.r_[True, np.diff(watts) != 0, True])
    lengths = np.diff(edges)
    longest = int(lengths.argmax())
    rest = len(watts) - lengths[longest]
    if lengths[longest] < max(LEAST_SAMPLES, FROZEN * len(watts)) or rest < LEAST_SAMPLES:
        return False
    above = watts[edges[longest]] > watts.min() + 0.1 * np.ptp(watts)
    return bool(above and (len(lengths) - 1) / rest > CHANGES)


def _spikes(probe: pd.DataFrame, intervals: pd.DataFrame, limits: Limits) -> tuple[list[Flag], list[Spikes]]:
    """Samples, alone or in twos, far above the meter's median and what is around them; and those that only
    their load can tell from sound ones."""
    flags, spikes = [], []
    intervals_us = {tuple(row[:3]): row[3] for row in intervals[[*METER, "interval_us"]].to_numpy()}
    for (node, scope, device), group in probe.groupby(METER, sort=True):
        there = group.dropna(subset="watts")
        watts, interval_us = there["watts"].to_numpy(), intervals_us[node, scope, device]
        if len(watts) < LEAST_SAMPLES:
            continue
        seldom = interval_us > SPIKE_INTERVAL_S * 1e6
        times = max(SPIKES.values()) if seldom else SPIKES[str(scope)]
        padded = np.r_[0, 0, watts, 0, 0]
        around = np.maximum(padded[:-4], padded[4:])
        above = watts / np.maximum(np.maximum(np.median(watts), around), 1e-9)
        far, some = above > times, above > UNSURE_SPIKES
        label = _label(node, scope, device)
        share, rest = watts[far].sum() / watts.sum(), (watts - around)[some].sum() / watts.sum()
        if share > limits.single_spikes:
            flags.append(
                Flag("single spikes",
                f"{label}: {int(far.sum())} single samples of up to {watts.max():.4g} W at a median of "
                f"{np.median(watts):.4g} W hold {share:.0%} of its energy"),
            )  # fmt: skip
        elif rest > limits.single_spikes and not seldom:
            at_us = there["start_us"].to_numpy()[some]
            spikes.append(Spikes(str(node), label, at_us, float(interval_us), float(rest)))
    return flags, spikes
