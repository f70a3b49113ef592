"""Whether the clocks of the two logs agree: tokens in progress against watts, over all shifts.

Both become series of BIN_S seconds of one node; where the load varies enough, their correlation has one
peak. A peak away
from zero that is clearly higher than the value there is a shift of the clocks.
"""

import numpy as np
import pandas as pd

from pipeline.logs.flags import Flag

BIN_S = 5
LEAST_BINS = 24
FEW_BINS = 120  # up to them many shifts agree by chance, so more is asked of the peak
LEAST_VARIATION = 0.25  # standard deviation over mean of the load: "varies by half"
LEAST_PEAK, LEAST_PEAK_OF_FEW = 0.6, 0.8
LEAST_GAIN = 0.15
MOST_SHIFT_S = 14 * 3600  # between the clocks of two time zones
LEAST_INSIDE = 0.95


def find_shift(
    requests: pd.DataFrame, power: pd.DataFrame, most_s: int = MOST_SHIFT_S
) -> tuple[float, float, float] | None:
    """Seconds to add to the requests' times, correlation there and at no shift; none where nothing can be
    said.

    requests: start_us, end_us, weight of one node; power: bin (of BIN_S since 1970), watts, one row a bin.
    """
    if len(power) < LEAST_BINS or requests.empty:
        return None
    first = int(power["bin"].min())
    watts = np.full(int(power["bin"].max()) - first + 1, np.nan)
    watts[(power["bin"] - first).to_numpy(int)] = power["watts"].to_numpy(float)
    watts = pd.Series(watts).interpolate(limit_direction="both").to_numpy()
    margin = most_s // BIN_S
    load = _load(requests, first - margin, len(watts) + 2 * margin)
    busy = load[load.nonzero()[0].min() : load.nonzero()[0].max() + 1] if load.any() else load
    if len(busy) < LEAST_BINS // 2 or busy.std() < LEAST_VARIATION * busy.mean() or watts.std() == 0:
        return None
    scores = _correlations(load, watts)
    at_zero = float(scores[margin])
    # moved rightly, no less of the load lies inside the power log than as it stands
    sums = np.r_[0, np.cumsum(load)]
    inside = sums[len(watts) :] - sums[: -len(watts)]
    scores = np.where(inside >= LEAST_INSIDE * inside[margin], scores, -np.inf)
    best = int(np.nanargmax(scores))
    if len(power) < FEW_BINS and scores[best] < LEAST_PEAK_OF_FEW:
        best = margin
    return (float((margin - best) * BIN_S), float(scores[best]), at_zero)


def shift_flag(node: str, found: tuple[float, float, float] | None, least_s: float) -> Flag | None:
    """A flag where the clocks differ by `least_s` or more."""
    if found is None:
        return None
    shift, peak, at_zero = found
    if abs(shift) < least_s or peak < LEAST_PEAK or peak - at_zero < LEAST_GAIN:
        return None
    return Flag(
        "clocks differ",
        f"at node {node!r} tokens and watts agree best (correlation {peak:.2f}, {at_zero:.2f} as they "
        f"stand) when the "
        f"requests are moved by {shift:+.0f} s: give --shift {shift:.0f}, or --shift 0 if the clocks are "
        f"right",
    )


def _load(requests: pd.DataFrame, first: int, bins: int) -> np.ndarray:
    """Weight in progress in each bin, each request spread evenly from its start to its end."""
    width = BIN_S * 1e6
    start = requests["start_us"].to_numpy(float) / width - first
    end = np.maximum(requests["end_us"].to_numpy(float) / width - first, start + 0.2)
    rate = requests["weight"].to_numpy(float) / (end - start)
    # the running sum at whole bins of a piecewise linear function: a ramp of `rate` from start to end
    edges = np.zeros(bins + 2)
    slope = np.zeros(bins + 2)
    for moment, sign in ((start, 1.0), (end, -1.0)):
        moment = np.clip(moment, 0, bins)
        whole = np.minimum(np.ceil(moment).astype(int), bins)
        np.add.at(edges, whole, sign * rate * (whole - moment))
        np.add.at(slope, whole, sign * rate)
    cumulative = np.cumsum(edges) + np.r_[0, np.cumsum(np.cumsum(slope))[:-1]]
    return np.diff(cumulative)[:bins]


def _correlations(load: np.ndarray, watts: np.ndarray) -> np.ndarray:
    """Pearson correlation of watts with each stretch of the load of the same length, (len(load) -
    len(watts) + 1,)."""
    n = len(watts)
    centred = watts - watts.mean()
    size = 1 << int(np.ceil(np.log2(len(load) + n)))
    products = np.fft.irfft(np.fft.rfft(load, size) * np.conj(np.fft.rfft(centred, size)), size)
    products = products[: len(load) - n + 1]
    sums = np.r_[0, np.cumsum(load)]
    squares = np.r_[0, np.cumsum(load**2)]
    mean = (sums[n:] - sums[:-n]) / n
    spread = np.sqrt(np.maximum((squares[n:] - squares[:-n]) / n - mean**2, 0))
    least = 0.1 * load[load > 0].std() if (load > 0).any() else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = products / (n * np.where(spread > least, spread, np.inf) * centred.std())
    return scores
