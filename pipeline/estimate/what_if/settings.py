"""What a what-if replaces of the assumptions of the re-estimate, of its lengths and of its sites."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.re_estimate import FixedTraffic, Lengths, ReEstimate
from pipeline.assumptions.what_if import LEVERS, Levers, WhatIf
from pipeline.distributions import Constant
from pipeline.estimate.lengths import LengthScenario
from pipeline.estimate.water.draws import SiteDraws

Array = NDArray[np.float64]
Kind = TypeVar("Kind", bound=Assumption)


def fixed(assumption: Kind, value: float | None) -> Kind:
    """The assumption at one value, or as it is where none is given."""
    if value is None:
        return assumption
    return assumption.model_copy(update={"distribution": Constant(family="constant", value=value)})


def applied(chosen: WhatIf, settings: ReEstimate) -> ReEstimate:
    """The assumptions with load, PUE and requests in flight as chosen."""
    load = settings.load.model_copy(
        update={
            "utilisation": fixed(settings.load.utilisation, chosen.utilisation),
            "idle_share": fixed(settings.load.idle_share, chosen.idle_share),
        }
    )
    models = [
        item.model_copy(update={"concurrency": fixed(item.concurrency, chosen.requests)})
        for item in settings.deployments.models
    ]
    deployments = settings.deployments.model_copy(update={"models": models})
    pue = fixed(settings.pue, chosen.pue)
    return settings.model_copy(update={"load": load, "deployments": deployments, "pue": pue})


def alike(input_tokens: float, output_tokens: float, lengths: Lengths) -> LengthScenario:
    """Lengths that are the same for every query."""
    like = lengths.published.short
    both = FixedTraffic(
        input_tokens=fixed(like.input_tokens, input_tokens),
        output_tokens=fixed(like.output_tokens, output_tokens),
    )
    return LengthScenario(both, None, lengths.production.unmeasured_correlation.distribution)


def at_site(site: SiteDraws, chosen: WhatIf) -> SiteDraws:
    """The sites of every world with PUE, WUE and grid as chosen."""
    given = {
        "pue": chosen.pue,
        "wue_l_per_kwh": chosen.wue_l_per_kwh,
        "electricity_l_per_kwh": chosen.electricity_l_per_kwh,
    }
    return replace(site, **{k: np.full_like(site.pue, v) for k, v in given.items() if v is not None})


def gain(levers: Levers, assumed: Mapping[str, Assumption], uniforms: Array) -> Array:
    """Product of the gains of all levers in every world, (worlds,); uniforms (levers, worlds)."""
    total = np.ones(uniforms.shape[1])
    for name, uniform in zip(LEVERS, uniforms, strict=True):
        value = getattr(levers, name)
        total *= assumed[name].distribution.ppf(uniform) if value == "drawn" else value
    return total
