"""What all factors are worked out from: worlds, workloads, costs in them, how rows are named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from pipeline.assumptions.deployments import Deployment, Propagation
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.contracts.results import REGIMES
from pipeline.estimate.cost_curves import EngineCurves, configurations
from pipeline.estimate.factors.evidence import Evidence
from pipeline.estimate.lengths import Traffic, length_scenario
from pipeline.estimate.study import Case, ServingModel, draw_case, engine_curves
from pipeline.estimate.worlds import Worlds, draw_worlds
from pipeline.fit.node_power import ServerFit, server_of

SCENARIO = "production"


@dataclass(frozen=True)
class Pricing:
    """Worlds, the two workloads with lengths of production, and what prices a deployment there."""

    settings: ReEstimate
    worlds: Worlds
    cases: list[Case]
    servers: Mapping[str, ServerFit]
    model: ServingModel
    model_seed: np.random.SeedSequence

    @classmethod
    def draw(
        cls,
        seeds: Sequence[np.random.SeedSequence],
        settings: ReEstimate,
        propagation: Propagation,
        traffic: dict[str, Traffic],
        servers: Mapping[str, ServerFit],
        model: ServingModel,
    ) -> Self:
        """Worlds and queries; seeds: of worlds, of queries, of the serving model."""
        world_seed, query_seed, model_seed = seeds
        worlds = draw_worlds(world_seed, propagation, settings.load, settings.pue)
        cases = []
        for regime in REGIMES:
            lengths = length_scenario(settings.lengths, traffic, SCENARIO, regime)
            cases.append(draw_case(SCENARIO, regime, lengths, propagation, worlds, query_seed))
        return cls(settings, worlds, cases, servers, model, model_seed)

    def curves(self, deployments: Sequence[Deployment]) -> list[EngineCurves]:
        """Cost of each deployment in each case: all in the first case, then all in the second."""
        lengths_of = [(item, case.mean_lengths) for case in self.cases for item in deployments]
        share = self.settings.deployments.tensorrt_share
        return engine_curves(lengths_of, self.model, self.model_seed, self.worlds, share)

    def bases(self, deployments: Sequence[Deployment]) -> list[str]:
        """What throughput and accelerator power of each rest on, when its engine is not stated."""
        lengths = self.cases[0].mean_lengths
        rows = pd.concat([configurations(one, lengths).iloc[[0]] for one in deployments])
        cost: Any = self.model(rows.reset_index(drop=True), np.random.default_rng(0), 1)
        return [str(basis) for basis in cost.basis]

    def server(self, deployment: Deployment) -> ServerFit:
        """The server type that holds a deployment's accelerators."""
        return self.servers[server_of(deployment.gpu)]


@dataclass(frozen=True)
class Naming:
    """What the columns say of a deployment: generation of each accelerator, and evidence."""

    generations: Mapping[str, str]
    evidence: Evidence

    def describe(self, one: Deployment) -> dict[str, Any]:
        """The columns that name a deployment."""
        return {
            "reference_model": one.model,
            "total_params_b": one.total_params_b,
            "active_params_b": one.active_params_b,
            "gpu_generation": self.generations[one.gpu],
            "gpu": one.gpu,
            "gpus": float(one.gpus),
            "precision": one.precision,
        }


def workload(case: Case) -> dict[str, Any]:
    """The columns that say which queries; lengths are those of a service of median levels."""
    return {
        "workload": str(case.regime),
        "input_tokens": round(case.mean_lengths.input_tokens),
        "output_tokens": round(case.mean_lengths.output_tokens),
    }
