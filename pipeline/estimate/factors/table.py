"""The factor table: services as in production, then stated deployments, over what is not known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.factors import Factors
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.estimate.factors.pricing import Naming, Pricing
from pipeline.estimate.factors.production import production_rows
from pipeline.estimate.factors.stated import stated_rows
from pipeline.estimate.factors.values import places
from pipeline.estimate.fleet.draws import own_uniforms
from pipeline.estimate.lengths import Traffic
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.study import ServingModel
from pipeline.estimate.water.draws import TERMS
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.tables import world_uniforms
from pipeline.estimate.worlds import seeds
from pipeline.fit.node_power import ServerFit

STAGE = "estimate_factors"


def factor_rows(
    factors: Factors,
    settings: ReEstimate,
    tiers: Mapping[str, Sequence[Deployment]],
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    sites: Sites,
    simulation: Simulation,
    model: ServingModel,
    naming: Naming,
) -> pd.DataFrame:
    """All columns of the contract FACTORS but those of the release.

    tiers: the models of the fleet beside the blend, by the name of their class.
    """
    *stated_seeds, own_seed, which_seed, tier_seed = stage_seed(simulation, STAGE).spawn(6)

    # World for world the study: the same seeds of worlds, queries, serving model and sites.
    propagation = settings.propagation
    study = Pricing.draw(seeds(simulation)[:3], settings, propagation, traffic, servers, model)
    tier, member = own_uniforms(which_seed, propagation, 2)
    at = places(sites, world_uniforms(simulation, propagation), factors.sites)
    found = list(
        production_rows(
            settings.deployments, tiers, tier_seed, factors.classes, study, (tier, member), at, naming
        )
    )

    stated = Pricing.draw(stated_seeds, settings, factors.propagation, traffic, servers, model)
    in_band, *site = own_uniforms(own_seed, factors.propagation, 1 + TERMS)
    at = places(sites, np.array(site), factors.stated_sites)
    found += stated_rows(factors, stated, in_band, at, naming)
    return pd.DataFrame(found)
