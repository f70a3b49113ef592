"""How much of the watts of a node, and of each of its accelerators, tokens in progress explain.

Watts that move and that no token explains are of requests that the log does not have, or of something else on
the node. All is judged on bins of some seconds of the probe (`shifts.py`): of few bins, of a load that stands
still or of requests without ends nothing can be said, and a note says so.
"""

import numpy as np
import pandas as pd

from pipeline.logs.contract import Flag
from pipeline.logs.shifts import BIN_S, US, Probe, in_progress, scope_of

FINE_BINS, COARSE_BINS = (1, 3, 12), (3, 6, 12, 24)  # of BIN_S, in a bin of a scale
LEAST_BINS, LEAST_COARSE_BINS = 40, 8
SEED = 20260105
SMALL_STEPS = 0.7  # of the steps of the load
MISSING_ODDS = 0.35  # requests that are missing, over those that are there, from which it is flagged
LEAST_MOVES = 0.03  # of the mean watts: what the unexplained part must move by
LASTS = 0.3  # correlation of what is unexplained with itself a bin later: noise of a meter has none
FOLLOWS, STRANGER = 0.4, 0.1  # explained shares of an accelerator that serves, and of one that does not
IDLE_PART = 0.3  # of the power of those that serve: below it an accelerator idles
LEVELS_APART = 1.25  # between two groups of accelerators of a node, each of which keeps to its own level
ALIKE = 1.1  # within a group
MODELS = 4  # whose tokens are told apart
AROUND_S = 60  # power may be a mean over so long


def unexplained(
    probe: Probe, watts: dict[str, pd.DataFrame], intervals: pd.DataFrame, limit: float
) -> tuple[list[Flag], list[str]]:
    """Flags where watts do not follow tokens, and a note on each node of which it cannot be told.

    watts: by node, a row a bin, a column a meter (scope, device); limit: share of energy that may be strange.
    """
    flags, notes = [], []
    for node, table in watts.items() if probe.has_end else ():
        until = probe.until_us[node]
        table = table if until is None else table[table.index * BIN_S * US < until]
        table = table.reindex(range(int(table.index.min()), int(table.index.max()) + 1))
        interval_us = float(intervals[intervals["node"] == node]["interval_us"].max())
        scale = next((bins for bins in FINE_BINS if bins * BIN_S * US >= interval_us), None)
        loads = _loads(probe.of(node), table)
        if scale is None or len(table) < LEAST_BINS * scale or not _moves(loads[0]):
            notes.append(
                f"node {node}: the load is too short or too even to tell whether requests are missing, or "
                "whether something else draws power there"
            )
            flags += _two_levels(node, table)
            continue
        scopes = table.columns.get_level_values("scope")
        whole = scope_of(table, scopes.max()).sum(axis=1, min_count=1)
        chance = _by_chance(probe.of(node), table)
        if found := _node_flag(node, whole.to_numpy(float), loads, chance, scale):
            flags.append(found)
            continue
        if (_explained(whole.to_numpy(float), loads, max(scale, COARSE_BINS[0])) or 0.0) < FOLLOWS:
            notes.append(
                f"node {node}: its power hardly moves with the tokens, and does not tell whether requests "
                "are missing"
            )
            flags += _two_levels(node, table)
        if (scopes == "gpu").sum() > 1:
            flags += _strangers(node, scope_of(table, "gpu"), loads, scale, limit)
    return flags[:1], notes


def _loads(requests: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Requests in flight, and weight in progress by model, in the bins of `table`, (quantities, bins)."""
    first, last = int(table.index.min()), int(table.index.max())
    flight = requests.assign(weight=(requests["end_us"] - requests["start_us"]) / US)
    models = requests["model"].value_counts().index[:MODELS]
    parts = [flight, *(requests[requests["model"] == model] for model in models)]
    return np.array([in_progress(part, first, last - first + 1) for part in parts])


def _by_chance(requests: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """What chance moves in the weight in progress: requests as they are, half of them counted down."""
    first, last = int(table.index.min()), int(table.index.max())
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], len(requests))
    return in_progress(requests.assign(weight=requests["weight"] * signs), first, last - first + 1)[None]


def _moves(load: np.ndarray) -> bool:
    return bool(load.std() > 0.1 * max(load.mean(), 1e-9))


def _node_flag(
    node: str, watts: np.ndarray, loads: np.ndarray, chance: np.ndarray, scale: int
) -> Flag | None:
    """A flag where more moves in the node's watts, and lasts, than its tokens explain.

    Requests that a log does not have move the power as those that it has would by chance: what is unexplained
    over that tells how many are missing.
    """
    odds = []
    for bins in (scale, *(bins for bins in COARSE_BINS if bins > scale)):
        fine = bins == scale
        whole, rest = _residual(watts, loads if fine else loads[1:].sum(axis=0)[None], bins, around=fine)
        if whole is None or rest is None:
            continue
        lag = int(fine)  # noise of a meter does not last to the next bin; in long bins it is a mean
        left, by_chance = (_lasting(series, lag) for series in (rest, _means(chance, bins)[0]))
        if fine and (left < LASTS * rest.var() or left < (LEAST_MOVES * whole.mean()) ** 2):
            return None
        load = _means(loads[1:].sum(axis=0)[None], bins)[0]
        # of differences: where the load swings, so do the requests that are missing, and hide
        there = np.isfinite(means := _means(watts[None], bins)[0])
        steps, moved = np.diff(load[there]), np.diff(means[there])
        small = np.abs(steps) <= np.quantile(np.abs(steps), SMALL_STEPS)
        steps, moved = steps[small], moved[small]
        slope = float(steps @ moved / max(steps @ steps, 1e-12))
        odds.append(left / max(slope**2 * by_chance, 1e-12))
    if len(odds) < 2 or min(odds) < MISSING_ODDS:
        return None
    return Flag(
        "power that tokens do not explain",
        f"the power of node {node!r} moves more than its requests explain, as if many were missing: is the "
        "log a sample of them, or does something else run there (`device` tells accelerators apart)?",
    )


def _strangers(node: str, cards: pd.DataFrame, loads: np.ndarray, scale: int, limit: float) -> list[Flag]:
    """A flag where some accelerators follow the tokens, and others draw as much and do not."""
    bins = max(scale, COARSE_BINS[0])
    shares = pd.Series({card: _explained(cards[card].to_numpy(float), loads, bins) for card in cards})
    known = shares.dropna().astype("float64")
    mean_w = cards.mean()
    serving = known.index[known >= FOLLOWS]
    strange = known.index[known < STRANGER]
    if len(serving):
        strange = strange[(mean_w[strange] > IDLE_PART * mean_w[serving].mean()).to_numpy()]
    part = float(mean_w[strange].sum() / mean_w.sum())
    if not len(serving) or part <= limit:
        return []
    return [
        Flag("accelerators that do not serve",
        f"node {node!r}: accelerators {', '.join(map(str, strange[:8]))} hold {part:.0%} of its energy "
        f"and do not follow the tokens, as {', '.join(map(str, serving[:8]))} do: another job? "
        "Expected `device` of the requests"),
    ]  # fmt: skip


def _two_levels(node: str, table: pd.DataFrame) -> list[Flag]:
    """A flag where no load tells, and some accelerators of a node draw steadily more than the others."""
    if "gpu" not in table.columns.get_level_values("scope"):
        return []
    mean_w = scope_of(table, "gpu").mean().sort_values()
    if len(mean_w) < 4:
        return []
    cut = int(np.argmax(mean_w.to_numpy()[1:] / mean_w.to_numpy()[:-1])) + 1
    low, high = mean_w.iloc[:cut], mean_w.iloc[cut:]
    even = all(group.max() < ALIKE * group.min() for group in (low, high))
    apart = LEVELS_APART < high.mean() / low.mean() < 1 / IDLE_PART
    if not (even and apart and min(len(low), len(high)) > 1):
        return []
    return [
        Flag("accelerators that do not serve",
        f"node {node!r}: accelerators {', '.join(map(str, low.index[:8]))} draw {low.mean():.4g} W and "
        f"{', '.join(map(str, high.index[:8]))} {high.mean():.4g} W, all along: another job on some of "
        "them? Expected `device` of the requests"),
    ]  # fmt: skip


def _explained(watts: np.ndarray, loads: np.ndarray, bins: int) -> float | None:
    """Share of the variance that the loads explain, less what as many numbers explain by chance."""
    whole, rest = _residual(watts, loads, bins)
    if whole is None or rest is None or not whole.var():
        return None
    return float(1 - rest.var() / whole.var())


def _residual(
    watts: np.ndarray, loads: np.ndarray, bins: int, around: bool = False
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Means of `bins` bins, and what is left of them after a fit to the loads and their squares.

    around: also to the loads beside, and to their means over AROUND_S.
    """
    whole, load = _means(watts[None], bins)[0], _means(loads, bins)
    there = np.isfinite(whole)
    load = load / np.maximum(load.mean(axis=1, keepdims=True), 1e-9)
    columns = [np.ones(len(whole)), *load, *load**2]
    if around:
        width = max(AROUND_S // (BIN_S * bins), 1)
        columns += [np.roll(load[0], 1), np.roll(load[0], -1)]
        columns += [np.convolve(one, np.ones(width) / width, "same") for one in load]
    count = int(there.sum())
    if count < max(LEAST_COARSE_BINS, 2 * len(columns)):
        return None, None
    design = np.column_stack(columns)[there]
    fit, *_ = np.linalg.lstsq(design, whole[there], rcond=None)
    # as large as without the part that as many numbers explain by chance
    rest = (whole[there] - design @ fit) * np.sqrt((count - 1) / (count - len(columns)))
    return whole[there], rest


def _means(series: np.ndarray, bins: int) -> np.ndarray:
    """Means of each `bins` bins that are there, (k, bins of the scale)."""
    count = series.shape[1] // bins
    cut = series[:, : count * bins].reshape(len(series), count, bins)
    there = np.isfinite(cut)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(there, cut, 0.0).sum(axis=2) / there.sum(axis=2))


def _lasting(series: np.ndarray, lag: int) -> float:
    """Covariance of a series with itself some bins later."""
    centred = series - series.mean()
    return float(np.mean(centred[lag:] * centred[: len(centred) - lag]))
