"""Which distribution do token lengths have? Maximum likelihood on bins, scored on requests left out.

Log-likelihood of a part with n_b requests in bin b: sum_b n_b ln(F(to_b) - F(from_b)), divided by the
number of requests. ServeGen counts and the half hours of a trace are large, so the choice between families
rests on what a fit to the other parts says about a part, not on the number of parameters.

ln of the mean length of a service is taken as normal within a class of traffic. Each service is left out in
turn: the others give its centre and, with Student's t for as few as they are, its 90 % interval.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import OptimizeResult, minimize
from scipy.stats import t as student
from statsmodels.tools.numdiff import approx_fprime

from pipeline.core.units import QUANTITIES, Array
from pipeline.lengths.model.contract import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_SERVICES, LENGTH_TRAFFIC
from pipeline.lengths.model.families import FAMILIES, LEAST_LN_SIGMA, bin_probabilities, by_median, starts

PROBABILITIES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
MIDPOINTS = (np.arange(20000) + 0.5) / 20000
BENCHMARK = "chat_benchmark"
LEAST_PROBABILITY = 1e-12  # a bin that a family rules out costs much, not everything


@dataclass(frozen=True)
class Histogram:
    """Requests per bin [low, high) of whole tokens; arrays of one length."""

    low: Array
    high: Array
    requests: Array

    @property
    def total(self) -> float:
        """All requests."""
        return float(self.requests.sum())

    def mean(self) -> float:
        """Mean with every bin at the middle of its whole tokens."""
        return float(np.average((self.low + self.high - 1) / 2, weights=self.requests))

    def quantiles(self, probabilities: Array) -> Array:
        """Lengths below which the given shares lie, requests spread evenly over the tokens of a bin.

        Bins may leave gaps and, pooled from sources with bins of their own, overlap.
        """
        edges = np.unique(np.r_[self.low, self.high])
        inside = np.clip((edges[:, None] - self.low) / (self.high - self.low), 0.0, 1.0)
        return np.interp(probabilities, inside @ self.requests / self.total, edges)


@dataclass(frozen=True)
class Fit:
    """One family at its best parameters; `standard_errors` are nan where the information is singular."""

    family: str
    theta: Array
    standard_errors: Array
    log_likelihood: float

    def quantiles(self, probabilities: Array) -> Array:
        """Lengths at the given probabilities, tokens."""
        return FAMILIES[self.family].ppf(self.theta, probabilities)

    def mean(self, upper: float) -> float:
        """Mean length, tokens, cut at `upper`: the tail beyond what a service allows has no meaning."""
        return float(np.minimum(self.quantiles(MIDPOINTS), upper).mean())


def pooled(parts: list[Histogram]) -> Histogram:
    """All parts together; equal bins are added up, others stay beside each other."""
    bins = np.concatenate([np.stack([part.low, part.high], axis=1) for part in parts])
    requests = np.concatenate([part.requests for part in parts])
    unique, inverse = np.unique(bins, axis=0, return_inverse=True)
    return Histogram(unique[:, 0], unique[:, 1], np.bincount(inverse.ravel(), weights=requests).astype(float))


def log_likelihood(family: str, theta: Array, data: Histogram) -> float:
    """Per request, nats."""
    cdf = FAMILIES[family].cdf
    probability = cdf(theta, data.high) - cdf(theta, data.low)
    return float(data.requests @ np.log(np.maximum(probability, LEAST_PROBABILITY)) / data.total)


def fit(family: str, data: Histogram, start: Array | None = None) -> Fit:
    """Maximum likelihood from several starts (or one given), with standard errors.

    Parameters are rounded to four decimals, below every standard error, and components stand in the order of
    their medians, so that processors agree on them.
    """

    def cost(theta: Array) -> float:
        return -log_likelihood(family, theta, data)

    def cost_and_slope(theta: Array) -> tuple[float, Array]:
        probability, slope = bin_probabilities(theta, data.low, data.high)
        share = data.requests / np.maximum(probability, LEAST_PROBABILITY) / data.total
        return cost(theta), -share @ slope

    names = FAMILIES[family].parameters
    bounds = [(LEAST_LN_SIGMA, 3.0) if "sigma" in name else (-20.0, 20.0) for name in names]
    points = [start] if start is not None else _starts(family, data)
    if FAMILIES[family].components:
        search = partial(minimize, cost_and_slope, jac=True, method="L-BFGS-B", bounds=bounds)
        found = [search(point, options={"ftol": 1e-12, "gtol": 1e-8, "maxiter": 200}) for point in points]
        best = search(_least(found), options={"ftol": 0.0, "gtol": 1e-10, "maxiter": 500}).x
    else:  # slopes by differences would stop short of the maximum
        exact = {"xatol": 1e-7, "fatol": 1e-13, "maxiter": 1000}
        best = _least([minimize(cost, x0, method="Nelder-Mead", options=exact) for x0 in points])
    theta = np.round(by_median(family, best), 4)
    return Fit(family, theta, standard_errors(family, theta, data), -cost(theta))


def _least(found: list[OptimizeResult]) -> Array:
    return np.asarray(min(found, key=lambda result: float(result.fun)).x)


def _starts(family: str, data: Histogram) -> list[Array]:
    return starts(family, lambda p: np.log(np.maximum(data.quantiles(p), 1.0)), float(np.log(data.mean())))


def standard_errors(family: str, theta: Array, data: Histogram) -> Array:
    """From the information matrix sum_b n_b s_b s_b', s_b = d ln p_b / d theta; nan where it is singular
    and for a spread at its lower bound.

    Requests are taken as independent, so this is the least error of a trace, not of a service.
    """

    def probabilities(at: Array) -> Array:
        cdf = FAMILIES[family].cdf
        return np.asarray(cdf(at, data.high) - cdf(at, data.low))

    score = approx_fprime(theta, probabilities, centered=True).reshape(len(data.low), len(theta))
    score = score / np.maximum(probabilities(theta), LEAST_PROBABILITY)[:, None]
    information = (score * data.requests[:, None]).T @ score
    held = np.array(["sigma" in name for name in FAMILIES[family].parameters]) & (
        theta < LEAST_LN_SIGMA + 1e-3
    )
    free = (np.diag(information) > 0) & ~held
    errors = np.full(len(theta), np.nan)
    if np.linalg.cond(information[np.ix_(free, free)]) < 1 / np.finfo(float).eps:
        errors[free] = np.sqrt(np.diag(np.linalg.inv(information[np.ix_(free, free)])))
    return np.array([float(f"{error:.2g}") for error in errors])


def quantile_error(fitted: Fit, data: Histogram) -> float:
    """Root mean square of ln(fitted / observed) over the five percentiles."""
    ratio = np.log(fitted.quantiles(PROBABILITIES) / np.maximum(data.quantiles(PROBABILITIES), 1.0))
    return float(np.sqrt(np.mean(ratio**2)))


def compare(parts: list[Histogram]) -> tuple[pd.DataFrame, dict[str, Fit]]:
    """Score every family on the pooled parts and on each part left out; one row a family.

    Columns as LENGTH_FITS without traffic and quantity; chosen = best held-out likelihood.
    """
    data = pooled(parts)
    fits = {family: fit(family, data) for family in FAMILIES}
    rows = [_scores(fitted, data, parts) for fitted in fits.values()]
    table = pd.DataFrame(rows)
    best = table["held_out_log_likelihood"].idxmax()
    return table.assign(chosen=np.where(table.index == best, "yes", "no")), fits


def _scores(fitted: Fit, data: Histogram, parts: list[Histogram]) -> dict[str, object]:
    size = len(fitted.theta)
    unseen = [
        (fit(fitted.family, pooled(parts[:i] + parts[i + 1 :]), fitted.theta), parts[i])
        for i in range(len(parts))
    ]
    held_out = [log_likelihood(one.family, one.theta, part) for one, part in unseen]
    named = zip((5, 25, 50, 75, 95), data.quantiles(PROBABILITIES), strict=True)
    fitted_at = zip((5, 25, 50, 75, 95), fitted.quantiles(PROBABILITIES), strict=True)
    return {
        "family": fitted.family,
        "parameters": size,
        "requests": data.total,
        "log_likelihood_per_request": fitted.log_likelihood,
        "aic_per_request": 2 * size / data.total - 2 * fitted.log_likelihood,
        "held_out_log_likelihood": float(np.mean(held_out)),
        "quantile_error": quantile_error(fitted, data),
        "held_out_quantile_error": float(np.mean([quantile_error(one, part) for one, part in unseen])),
        "observed_mean": data.mean(),
        "fitted_mean": fitted.mean(float(data.high[-1])),
        **{f"observed_p{q}": float(value) for q, value in named},
        **{f"fitted_p{q}": float(value) for q, value in fitted_at},
    }


Parts = dict[tuple[str, str], list[Histogram]]


def to_histogram(table: pd.DataFrame) -> Histogram:
    """The bins of one part, in order."""
    table = table.sort_values("from_tokens")
    return Histogram(*(table[name].to_numpy(float) for name in ("from_tokens", "to_tokens", "requests")))


def collect(parts: pd.DataFrame, histograms: pd.DataFrame, lengths: pd.DataFrame) -> Parts:
    """Parts by traffic and quantity: the split traces, and one part a model of the chat benchmark.

    parts: TOKEN_LENGTH_PARTS; histograms: TOKEN_LENGTH_HISTOGRAMS; lengths: TOKEN_LENGTHS.
    """
    found: Parts = {}
    for (traffic, quantity, _), group in parts.groupby(["traffic", "quantity", "part"]):
        found.setdefault((str(traffic), str(quantity)), []).append(to_histogram(group))
    benchmark = lengths[lengths["traffic"] == BENCHMARK]
    models = histograms.merge(benchmark[["key", "quantity", "requests"]], on=["key", "quantity"])
    models["requests"] *= models["share"]
    for (quantity, _), group in models.groupby(["quantity", "key"]):
        found.setdefault((BENCHMARK, str(quantity)), []).append(to_histogram(group))
    return found


def fit_all(parts: Parts, lengths: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of LENGTH_FITS, LENGTH_PARAMETERS and LENGTH_TRAFFIC by name."""
    scores, parameters, upper = [], [], {}
    for (traffic, quantity), histograms in sorted(parts.items()):
        table, fits = compare(histograms)
        scores.append(table.assign(traffic=traffic, quantity=quantity))
        parameters.append(_parameters(fits).assign(traffic=traffic, quantity=quantity))
        upper[traffic, quantity] = float(pooled(histograms).high[-1])
    return {
        "length_fits": pd.concat(scores, ignore_index=True)[list(LENGTH_FITS.columns)],
        "length_parameters": pd.concat(parameters, ignore_index=True)[list(LENGTH_PARAMETERS.columns)],
        "length_traffic": _traffic(upper, lengths)[list(LENGTH_TRAFFIC.columns)],
    }


def _parameters(fits: dict[str, Fit]) -> pd.DataFrame:
    rows = [
        {"family": family, "parameter": name, "value": value, "standard_error": error}
        for family, one in fits.items()
        for name, value, error in zip(
            FAMILIES[family].parameters, one.theta, one.standard_errors, strict=True
        )
    ]
    return pd.DataFrame(rows)


def _traffic(upper: dict[tuple[str, str], float], lengths: pd.DataFrame) -> pd.DataFrame:
    correlation = lengths.groupby("traffic")["spearman_input_output"].first()
    rows = [
        {
            "traffic": traffic,
            "upper_input_tokens": upper.get((traffic, "input_tokens"), float("nan")),
            "upper_output_tokens": upper[traffic, "output_tokens"],
            "spearman_input_output": correlation.get(traffic, float("nan")),
        }
        for traffic in sorted({traffic for traffic, _ in upper})
    ]
    return pd.DataFrame(rows)


UPPER = 0.95  # the end of a 90 % interval


def length_services(services: pd.DataFrame) -> pd.DataFrame:
    """LENGTH_SERVICES from SERVICE_LENGTHS."""
    rows = [
        row
        for kind, group in services.groupby("class", sort=False)
        for quantity in QUANTITIES
        for row in _left_out(str(kind), quantity, group.dropna(subset=[quantity]))
    ]
    return pd.DataFrame(rows)[list(LENGTH_SERVICES.columns)]


def _left_out(kind: str, quantity: str, group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    ln = np.log(group[quantity].to_numpy(float))
    for at, key in enumerate(group["key"]):
        others = np.delete(ln, at)
        centre, spread = others.mean(), others.std(ddof=1)
        half = student.ppf(UPPER, len(others) - 1) * spread * np.sqrt(1 + 1 / len(others))
        yield {
            "class": kind,
            "quantity": quantity,
            "key": key,
            "tokens": float(np.exp(ln[at])),
            "services": len(ln),
            "class_centre_tokens": float(np.exp(ln.mean())),
            "class_ln_spread": float(ln.std(ddof=1)),
            "left_out_p5": float(np.exp(centre - half)),
            "left_out_p50": float(np.exp(centre)),
            "left_out_p95": float(np.exp(centre + half)),
            "left_out_ln_error": float(ln[at] - centre),
            "inside_90": "yes" if abs(ln[at] - centre) <= half else "no",
        }
