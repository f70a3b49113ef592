"""Token lengths of queries under a scenario: fitted shapes, levels between services, rank correlation.

    input  = L_in  F_in^-1(v_1),   output = L_out F_out^-1(v_2),   (v_1, v_2) Gaussian copula with r,

r = 2 sin(pi rho_s / 6) from the rank correlation rho_s. F is the fit to one trace, cut at the longest length
seen there and brought to its mean; the levels L say how much longer or shorter the requests of another
service are on average: not known, so one an epistemic sample, while v varies from query to query. Services
with long prompts have long answers: ln L_in and ln L_out are correlated too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from pipeline.core.assumption import Distribution
from pipeline.core.draws import Design
from pipeline.core.errors import InputError
from pipeline.core.units import QUANTITIES, Array
from pipeline.lengths.model.families import FAMILIES
from pipeline.lengths.model.settings import FixedTraffic, Lengths, TracedTraffic

LEVELS = ("input level", "output level", "length correlation")  # of an epistemic sample
OF_A_SERVICE = (*LEVELS, "level correlation")  # the last is paired with the others at random
QUERY = ("query input", "query output")  # of a query
PERCENTS = (5, 25, 50, 75, 95)
OUTER, INNER = 256, 4096  # epistemic samples of the table, and queries in each


@dataclass(frozen=True)
class Shape:
    """The fitted distribution of one quantity, cut at `upper` tokens, then times `scale`.

    `scale` gives it the mean of the trace, which levels are stated over; a fit need not have it.
    """

    family: str
    theta: Array
    upper: float
    scale: float = 1.0

    def ppf(self, uniforms: Array) -> Array:
        """Tokens at the given probabilities, any shape."""
        return self.scale * np.minimum(FAMILIES[self.family].ppf(self.theta, uniforms), self.upper)


@dataclass(frozen=True)
class Traffic:
    """Shapes of one kind of traffic; `spearman` is nan where no source gives requests with both lengths."""

    input_tokens: Shape
    output_tokens: Shape
    spearman: float


def read_traffic(fits: pd.DataFrame, parameters: pd.DataFrame, traffic: pd.DataFrame) -> dict[str, Traffic]:
    """Chosen shapes of the kinds with both quantities; LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC."""
    best = fits[fits["chosen"] == "yes"].set_index(["traffic", "quantity"])
    chosen, scales = best["family"].to_dict(), (best["observed_mean"] / best["fitted_mean"]).to_dict()
    values = parameters.set_index(["traffic", "quantity", "family", "parameter"])["value"].to_dict()

    def shape(kind: str, quantity: str, upper: float) -> Shape:
        family = chosen[kind, quantity]
        theta = [values[kind, quantity, family, name] for name in FAMILIES[family].parameters]
        return Shape(family, np.array(theta), upper, scales[kind, quantity])

    found = {}
    for row in traffic.to_dict("records"):
        kind = row["traffic"]
        if (kind, "input_tokens") in chosen:
            sides = {side: shape(kind, side, row[f"upper_{side}"]) for side in QUANTITIES}
            found[kind] = Traffic(**sides, spearman=row["spearman_input_output"])
    return found


def median_service(lengths: Lengths, fits: pd.DataFrame, regime: str = "short") -> dict[str, float]:
    """Mean tokens, whole, of requests of the service in production whose levels are the medians; LENGTH_FITS.

    What a length means that nobody states.
    """
    service = getattr(lengths.production, regime)
    means = fits[fits["chosen"] == "yes"].set_index(["traffic", "quantity"])["observed_mean"]
    levels = {"input_tokens": service.input_level, "output_tokens": service.output_level}
    return {
        side: float(np.rint(level.distribution.median() * means[service.traffic, side]))
        for side, level in levels.items()
    }


@dataclass(frozen=True)
class LengthScenario:
    """Lengths of one scenario and regime, ready to sample."""

    settings: FixedTraffic | TracedTraffic
    traffic: Traffic | None
    level_correlation: Distribution
    unmeasured_correlation: Distribution

    def sample(self, queries: Array, levels: Array) -> tuple[Array, Array]:
        """Input and output tokens, whole and at least 1.

        queries: uniforms (..., 2) of QUERY; levels: uniforms (..., 4) of OF_A_SERVICE. Axes before broadcast:
        (1, n, 2) with (m, 1, 4) gives two arrays of shape (m, n).
        """
        first, second = queries[..., 0], queries[..., 1]
        level_in, level_out = self.levels(levels)
        if isinstance(self.settings, FixedTraffic):
            shape = np.broadcast_shapes(first.shape, level_in.shape)
            pair = [
                np.broadcast_to(side.distribution.ppf(u), shape)
                for side, u in ((self.settings.input_tokens, first), (self.settings.output_tokens, second))
            ]
        else:
            assert self.traffic is not None
            second = coupled(first, second, of_scores(self.correlation(levels[..., 2])))
            pair = [
                shape.ppf(u) * level.distribution.ppf(w)
                for shape, u, level, w in (
                    (self.traffic.input_tokens, first, self.settings.input_level, level_in),
                    (self.traffic.output_tokens, second, self.settings.output_level, level_out),
                )
            ]
        shape = np.broadcast_shapes(pair[0].shape, pair[1].shape)
        whole = [np.broadcast_to(np.maximum(1.0, np.rint(side)), shape) for side in pair]
        return whole[0], whole[1]

    def levels(self, levels: Array) -> tuple[Array, Array]:
        """Uniforms of the input and the output level, which go together; levels: as of `sample`."""
        level_in, level_out, _, between = (levels[..., i] for i in range(len(OF_A_SERVICE)))
        return level_in, coupled(level_in, level_out, self.level_correlation.ppf(between))

    def correlation(self, uniforms: Array) -> Array:
        """Rank correlation of input and output in each epistemic sample."""
        assert self.traffic is not None
        if np.isfinite(self.traffic.spearman):
            return np.full_like(uniforms, self.traffic.spearman)
        return self.unmeasured_correlation.ppf(uniforms)


def of_scores(spearman: Array) -> Array:
    """Correlation of normal scores that goes with a rank correlation."""
    return np.asarray(2 * np.sin(np.pi * spearman / 6))


def coupled(first: Array, second: Array, r: Array) -> Array:
    """Uniforms that go with `first`: a Gaussian copula.

    Parameters
    ----------
    first, second : independent uniforms inside (0, 1).
    r : correlation of the normal scores, -1 to 1. All three broadcast.

    Returns
    -------
    Uniforms inside (0, 1).

    Examples
    --------
    >>> first, second = np.array([0.9]), np.array([0.2])
    >>> coupled(first, second, np.array(0.0)).round(6).item()  # independent
    0.2
    >>> coupled(first, second, np.array(1.0)).round(6).item()  # the same
    0.9
    """
    return np.asarray(ndtr(r * ndtri(first) + np.sqrt(1 - r**2) * ndtri(second)))


def length_scenario(
    lengths: Lengths, traffic: dict[str, Traffic], scenario: str, regime: str
) -> LengthScenario:
    """The scenario "published" or "production", regime "short" or "long"; raises InputError for others."""
    if scenario not in ("published", "production") or regime not in ("short", "long"):
        raise InputError(f"lengths {scenario!r}, {regime!r}: expected published or production, short or long")
    settings = getattr(getattr(lengths, scenario), regime)
    shapes = None
    if isinstance(settings, TracedTraffic):
        if settings.traffic not in traffic:
            raise InputError(f"no fitted lengths of {settings.traffic!r} traffic, expected {sorted(traffic)}")
        shapes = traffic[settings.traffic]
    production = lengths.production
    correlations = (production.level_correlation, production.unmeasured_correlation)
    return LengthScenario(settings, shapes, *(one.distribution for one in correlations))


def quantile_table(
    lengths: Lengths, traffic: dict[str, Traffic], fits: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """LENGTH_QUANTILES; `fits` (LENGTH_FITS) has the observed values of the traces."""
    from pipeline.lengths.model.contract import LENGTH_QUANTILES, SCENARIOS  # what predictions do without

    design = Design(seed, 1, OUTER, INNER, together=LEVELS)
    levels = np.stack([design.uniforms(name) for name in OF_A_SERVICE], axis=-1)
    queries = np.stack([design.within(name) for name in QUERY], axis=-1)
    rows = []
    for scenario in SCENARIOS:
        for regime in ("short", "long"):
            chosen = length_scenario(lengths, traffic, scenario, regime)
            sides = chosen.sample(queries, levels[:, None])
            for quantity, tokens in zip(QUANTITIES, sides, strict=True):
                labels = {"scenario": scenario, "regime": regime, "quantity": quantity}
                traced = _traced(chosen.settings, fits, quantity)
                rows += [labels | row for row in _statistics(tokens, traced)]
    return pd.DataFrame(rows)[list(LENGTH_QUANTILES.columns)]


def _traced(settings: object, fits: pd.DataFrame, quantity: str) -> dict[str, float]:
    if not isinstance(settings, TracedTraffic):
        return {}
    row = fits[(fits["traffic"] == settings.traffic) & (fits["quantity"] == quantity)].iloc[0]
    observed = {f"p{percent}": float(row[f"observed_p{percent}"]) for percent in PERCENTS}
    return observed | {"mean": float(row["observed_mean"])}


def _statistics(tokens: Array, traced: dict[str, float]) -> list[dict[str, Any]]:
    """Rows for the mean and each percentile over queries (last axis), over epistemic samples (first)."""
    over_queries = {"mean": (np.nan, tokens.mean(axis=1))}
    for percent in PERCENTS:
        over_queries[f"p{percent}"] = (percent / 100, np.quantile(tokens, percent / 100, axis=1))
    rows = []
    for statistic, (probability, values) in over_queries.items():
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        rows.append(
            {
                "statistic": statistic,
                "probability": probability,
                "tokens_p5": low,
                "tokens_p50": middle,
                "tokens_p95": high,
                "traced_tokens": traced.get(statistic, np.nan),
            }
        )
    return rows
