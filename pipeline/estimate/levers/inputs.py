"""Everything that the levers rest on, read and drawn once."""

from collections.abc import Sequence

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.fleet import Fleet
from pipeline.assumptions.levers import Levers
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.errors import InputError
from pipeline.estimate.cost_curves import EngineCurves
from pipeline.estimate.fleet.draws import Call, draw_fleet
from pipeline.estimate.levers.bench import STAGE, Bench, Pricing, lever_uniforms
from pipeline.estimate.levers.evidence import PublishedEvidence, read_bases
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.study import ServingModel, engine_curves
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.estimate.worlds import Worlds

# Quantities of the levers that differ between worlds, by their place in params.yaml, and choices.
UNIFORMS = (
    "routed_share", "cached_share", "utilisation", "power_of_throughput", "outputs.short", "outputs.long",
    "speculation.drafted_tokens", "speculation.tokens_per_step", "speculation.draft_cost", "cap.energy_gain",
    "cap.slowdown",
    "hardware.unmeasured_software", "agent.input_tokens", "agent.output_tokens", "agent.steps_large",
    "agent.like_step", "agent.success", "site", "router", "chip", "naive.model",
    "naive.serving", "naive.hardware",
)  # fmt: skip


def read_bench(
    settings: Levers,
    fleet: Fleet,
    re_estimate: ReEstimate,
    simulation: Simulation,
    published: PublishedEvidence,
) -> Bench:
    """Worlds of the fleets, with the fitted model of serving."""
    if settings.site not in fleet.sites:
        raise InputError(
            f"params.yaml, assumptions.levers.site: {settings.site!r} is none of {[*fleet.sites]}"
        )
    model = read_serving(re_estimate.serving)
    draws = draw_fleet(fleet, re_estimate, read_lengths(), read_servers(), simulation, model)
    return Bench(
        draws,
        settings,
        lever_uniforms(draws, simulation, UNIFORMS),
        pricing_of(draws.worlds, re_estimate, simulation, model),
        read_bases(re_estimate.serving),
        published,
    )


def pricing_of(
    worlds: Worlds, re_estimate: ReEstimate, simulation: Simulation, model: ServingModel
) -> Pricing:
    """Cost curves of deployments, every call with the same worlds."""

    def price(cases: Sequence[tuple[Deployment, Call]]) -> list[EngineCurves]:
        seed = stage_seed(simulation, f"{STAGE}, model")
        lengths_of = [(item, call.mean_lengths) for item, call in cases]
        return engine_curves(lengths_of, model, seed, worlds, re_estimate.deployments.tensorrt_share)

    return price
