"""Energy per 1,000 tokens by how long the context is; input that the cache holds apart from input computed.

One constant per input token would be wrong by times: what a token attends to grows with the context, and what
the cache holds is attended to and not computed. With seconds of a computed token a0 where nothing is cached,
and a where a share c of the same context is, a token takes s seconds,

    input     s = a0
    cached    s = d + (a - a0) (1 - c) / c  to find it, and what computed tokens spend more on it
    output    s = b + k (I + O/2)

each times the watts of its service, whose model is drawn (pipeline/energy/model/study.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.core.columns import BOUNDARIES
from pipeline.core.units import SECONDS_PER_HOUR, Array
from pipeline.energy.model.cost_curves import ServingModel
from pipeline.energy.model.query_energy import Served
from pipeline.energy.model.samples import Moments, Queries, Samples
from pipeline.energy.model.settings import ReEstimate
from pipeline.energy.model.study import Case, one_of
from pipeline.factors.model.contract import TOKENS
from pipeline.factors.model.settings import Factors
from pipeline.factors.model.values import TOKENS as PER
from pipeline.factors.model.values import percentiles
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.deployments import ONE_OF_BLEND, context_window


def context_rows(
    factors: Factors,
    settings: ReEstimate,
    samples: Samples,
    servers: Mapping[str, ServerFit],
    model: ServingModel,
) -> Iterator[dict[str, Any]]:
    """Rows of BY_CONTEXT but the version: of every class, band, kind of token and boundary."""
    deployments = settings.deployments
    cached, output = factors.cached_share, factors.context_output_tokens
    output_cv = settings.serving.output_cv.distribution.median()
    for name, members in deployments.services.items():
        for band in factors.contexts if name != ONE_OF_BLEND else ():
            able = [item for item in members if context_window(item.model) >= band.high]
            if not able:
                continue
            cases = [alike(samples, band.middle, output, output_cv, share) for share in (0.0, cached)]
            fresh, warm = one_of(name, able, cases, samples, servers, model, deployments)
            moments = cases[1].moments
            for boundary in BOUNDARIES:
                for per, wh in zip(TOKENS, apart(fresh, warm, moments, boundary), strict=True):
                    yield {
                        "model_class": name,
                        "models": ", ".join(item.model for item in able),
                        "context": band.name,
                        "context_low": band.low,
                        "context_high": band.high,
                        "per": per,
                        "boundary": boundary,
                        **percentiles(wh, "wh", samples.replicates),
                        "note": f"at {band.middle:.0f} tokens of input and {output:.0f} of output, load as "
                        f"in production; cached: at a share of {cached:g}",
                    }


def alike(samples: Samples, given: float, answer: float, output_cv: float, cached: float) -> Case:
    """Queries of the same mean lengths in every sample."""
    ones = np.ones(len(samples))
    moments = Moments(
        given * ones,
        answer * ones,
        given * answer * ones,
        answer**2 * (1 + output_cv**2) * ones,
        cached * ones,
    )
    queries = Queries((given * ones)[:, None], (answer * ones)[:, None], cached * ones)
    return Case("production", "short", queries, moments, moments.take(np.zeros(1, dtype=np.int64)))


def apart(fresh: Served, warm: Served, moments: Moments, boundary: str) -> list[Array]:
    """Wh of 1,000 tokens of each of TOKENS; a cached token never takes less than nothing."""
    share = np.asarray(moments.cached_share)
    attended = (moments.product + moments.output_squared / 2) / moments.output_tokens
    seconds = [
        fresh.terms.a,
        warm.terms.d + np.maximum(warm.terms.a - fresh.terms.a, 0.0) * (1 - share) / share,
        warm.terms.b + warm.terms.k * attended,
    ]
    watts = fresh.watts[boundary], warm.watts[boundary], warm.watts[boundary]
    return [w * s * PER / SECONDS_PER_HOUR for w, s in zip(watts, seconds, strict=True)]
