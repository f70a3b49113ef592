"""Token lengths of queries under a scenario: fitted shapes, levels between services, rank correlation.

    input  = L_in  F_in^-1(v_1),   output = L_out F_out^-1(v_2),   (v_1, v_2) Gaussian copula with r,

r = 2 sin(pi rho_s / 6) from the rank correlation rho_s. F is the fit to one trace, cut at the longest length
seen there; the levels L say how much longer or shorter another service's requests are on average: what we do
not know, drawn once per outer draw, while v varies from query to query.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pipeline.assumptions.re_estimate import FixedTraffic, Lengths, TracedTraffic
from pipeline.contracts.telemetry import QUANTITIES
from pipeline.distributions import Distribution
from pipeline.errors import InputError
from pipeline.fit.length_families import FAMILIES

Array = NDArray[np.float64]
IGNORANCE = 3  # uniforms of an outer draw: input level, output level, correlation
VARIABILITY = 2  # uniforms of a query: input, output


@dataclass(frozen=True)
class Shape:
    """The fitted distribution of one quantity, cut at `upper` tokens."""

    family: str
    theta: Array
    upper: float

    def ppf(self, uniforms: Array) -> Array:
        """Tokens at the given probabilities, any shape."""
        return np.minimum(FAMILIES[self.family].ppf(self.theta, uniforms), self.upper)


@dataclass(frozen=True)
class Traffic:
    """Shapes of one kind of traffic; `spearman` is nan where no source gives requests with both lengths."""

    input_tokens: Shape
    output_tokens: Shape
    spearman: float


def read_traffic(fits: pd.DataFrame, parameters: pd.DataFrame, traffic: pd.DataFrame) -> dict[str, Traffic]:
    """Chosen shapes of the kinds with both quantities; LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC."""
    chosen = fits[fits["chosen"] == "yes"].set_index(["traffic", "quantity"])["family"].to_dict()
    values = parameters.set_index(["traffic", "quantity", "family", "parameter"])["value"].to_dict()

    def shape(kind: str, quantity: str, upper: float) -> Shape:
        family = chosen[kind, quantity]
        theta = [values[kind, quantity, family, name] for name in FAMILIES[family].parameters]
        return Shape(family, np.array(theta), upper)

    found = {}
    for row in traffic.to_dict("records"):
        kind = row["traffic"]
        if (kind, "input_tokens") in chosen:
            sides = {side: shape(kind, side, row[f"upper_{side}"]) for side in QUANTITIES}
            found[kind] = Traffic(**sides, spearman=row["spearman_input_output"])
    return found


@dataclass(frozen=True)
class LengthScenario:
    """Lengths of one scenario and regime, ready to sample."""

    settings: FixedTraffic | TracedTraffic
    traffic: Traffic | None
    unmeasured_correlation: Distribution

    def sample(self, queries: Array, ignorance: Array) -> tuple[Array, Array]:
        """Input and output tokens, whole and at least 1.

        queries: uniforms (..., 2) of each query; ignorance: uniforms (..., 3) of each outer draw. Leading
        axes broadcast: (1, n, 2) with (m, 1, 3) gives two arrays of shape (m, n).
        """
        first, second = queries[..., 0], queries[..., 1]
        level_in, level_out, correlation = (ignorance[..., i] for i in range(IGNORANCE))
        if isinstance(self.settings, FixedTraffic):
            shape = np.broadcast_shapes(first.shape, level_in.shape)
            pair = [
                np.broadcast_to(side.distribution.ppf(u), shape)
                for side, u in ((self.settings.input_tokens, first), (self.settings.output_tokens, second))
            ]
        else:
            assert self.traffic is not None
            second = coupled(first, second, self.correlation(correlation))
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

    def correlation(self, uniforms: Array) -> Array:
        """Rank correlation of input and output in each outer draw."""
        assert self.traffic is not None
        if np.isfinite(self.traffic.spearman):
            return np.full_like(uniforms, self.traffic.spearman)
        return self.unmeasured_correlation.ppf(uniforms)


def coupled(first: Array, second: Array, spearman: Array) -> Array:
    """Uniforms that go with `first` at the given rank correlation, from independent `second`."""
    r = 2 * np.sin(np.pi * spearman / 6)
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
    return LengthScenario(settings, shapes, lengths.production.unmeasured_correlation.distribution)
