"""What-if, factors and levers price with curves of the function that predicts a deployment: one answer."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.settings import from_params
from pipeline.core.units import JOULES_PER_WH
from pipeline.deployment.model.answer import quantiles
from pipeline.deployment.model.contract import OK, QUANTILES
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.surface import surface
from pipeline.energy.model.cost_curves import CONCURRENCIES, MeanLengths, cost_curves
from pipeline.energy.model.study import draw_samples, read_lengths, read_servers, read_serving
from pipeline.factors.model.contexts import context_rows
from pipeline.fleet.model.draws import draw_fleet
from pipeline.levers.model.evaluator import Evaluator
from pipeline.levers.model.rows import PublishedEvidence
from pipeline.serving.model.deployments import Propagation
from tests.levers import parts

SETTINGS, SIMULATION = from_params("energy", "simulation")
LENGTHS = [(600, 250), (3000, 1000)]
DRAWS = Propagation(replicates=4, outer=128, inner=4, variance_points=16)  # as many as a prediction has
FLIGHTS = [4, 32, 128]  # one of them between the points of the curves
CV = 0.8
STATED = ("model", "total_params_b", "active_params_b", "gpu", "gpus", "precision")


@pytest.mark.parametrize("engine", ["vLLM", "TensorRT-LLM"])
def test_a_curve_at_a_number_of_requests_is_the_prediction_of_that_deployment(
    tool: Predictor, engine: str
) -> None:
    price, draws = read_serving(SETTINGS.serving, SIMULATION), tool.world.settings.draws
    servers = read_servers()
    cases = [(item, MeanLengths(*lengths, CV)) for item in SETTINGS.deployments.models for lengths in LENGTHS]
    curves = cost_curves(cases, lambda rows: price(rows.assign(engine=engine), draws))
    for (item, lengths), curve in zip(cases, curves, strict=True):
        prompt, answer = lengths.input_tokens, lengths.output_tokens
        rows = [
            {name: getattr(item, name) for name in STATED}
            | {"engine": engine, "concurrency": flight}
            | {"input_tokens": prompt, "output_tokens": answer, "output_cv": CV}
            for flight in FLIGHTS
        ]
        found = tool.predict(pd.DataFrame(rows))
        uniforms = tool.world.servers_of(pd.DataFrame(rows), draws).uniforms
        assert set(found["status"]) == {OK}, found["message"].tolist()
        for at, flight in enumerate(FLIGHTS):
            terms = curve.at(np.full(draws, float(flight)), np.arange(draws))
            context = prompt + answer * (1 + CV**2) / 2
            seconds = terms.a * prompt + terms.b * answer + terms.k * answer * context
            node_w = servers[item.gpu].node_w(terms.gpu_w, np.array(item.gpus), uniforms)
            exact = 1e-3 if flight in CONCURRENCIES else 0.03
            ours = found.loc[at, [f"requests_per_s_{name}" for name in QUANTILES]].to_numpy(float)
            assert ours == pytest.approx(quantiles(1 / seconds[None])[:, 0], rel=exact)
            ours = found.loc[at, [f"node_wh_per_query_{name}" for name in QUANTILES]].to_numpy(float)
            theirs = quantiles((node_w * seconds / JOULES_PER_WH)[None])[:, 0]
            # A prediction keeps servers within what their vendor rates them for, which P95 may show.
            assert ours == pytest.approx(theirs, rel=exact + 0.015)


@pytest.mark.slow
def test_the_exported_model_answers_as_the_prediction_does(tool: Predictor) -> None:
    """On random loads as services have them; what memory does not hold is left to the page's own test."""
    found = surface(tool, ["Llama 3.1 70B", "Qwen3 32B"], ["H100", "H200"])
    rng, count = np.random.default_rng(7), 60
    at = rng.integers(0, len(found.configurations), count)
    ends = {"concurrency": (1, 32), "input_tokens": (100, 8000), "output_tokens": (60, 2000)}
    loads = pd.DataFrame(
        {name: np.round(np.exp(rng.uniform(*np.log(end), count))) for name, end in ends.items()}
    )
    loads["cached_input_tokens"] = np.round(loads["input_tokens"] * rng.choice([0, 0.5], count))
    asked = found.configurations.iloc[at].reset_index(drop=True).join(loads)
    predicted = tool.predict(asked)
    assert set(predicted["status"]) == {OK}
    ours = np.concatenate([found(one, loads.iloc[[row]]) for row, one in enumerate(at)])
    off = np.abs(ours / predicted[[f"node_wh_per_query_{name}" for name in QUANTILES]].to_numpy(float) - 1)
    for quantile, most in zip(off.T, (0.08, 0.03, 0.08), strict=True):
        assert (quantile < most).mean() >= 0.9 and np.median(quantile) < most / 2


class Asked:
    """The model of serving, which keeps what it is asked and what it answers."""

    def __init__(self) -> None:
        self.model, self.calls = read_serving(SETTINGS.serving, SIMULATION), []

    def __call__(self, rows: pd.DataFrame, samples: int, kept: np.ndarray | None = None) -> object:
        cost = self.model(rows, samples, kept)
        if samples == DRAWS.replicates * DRAWS.outer:  # fewer: only what a row rests on
            self.calls.append((rows.reset_index(drop=True), samples, kept, cost))
        return cost


def ask_levers(model: Asked) -> None:
    fleet = parts.FLEET.model_copy(update={"propagation": DRAWS})
    published = PublishedEvidence.of(parts.SETTINGS, parts.LEVERS, parts.ROUTERS)
    draws = draw_fleet(fleet, SETTINGS, read_lengths(), read_servers(), SIMULATION, model)
    share = SETTINGS.deployments.tensorrt_share
    one = Evaluator.of(parts.SETTINGS, fleet.sites, share, draws, model, published, parts.FACTS)
    one.evaluate(one.large, one.call("short"))


def ask_factors(model: Asked) -> None:
    factors = from_params("factors")
    factors = factors.model_copy(update={"contexts": factors.contexts[1:2]})
    deployments = SETTINGS.deployments
    services = dict(list(deployments.services.items())[:1])
    some = SETTINGS.model_copy(update={"deployments": deployments.model_copy(update={"services": services})})
    samples = draw_samples(SETTINGS, SIMULATION, DRAWS)
    list(context_rows(factors, some, samples, read_servers(), model))


@pytest.mark.parametrize("ask", [ask_levers, ask_factors])
def test_levers_and_factors_price_what_the_prediction_of_that_deployment_is(tool: Predictor, ask) -> None:
    """Rows as these topics ask for them, part of the prompt in a cache, predicted beside what they got."""
    model = Asked()
    ask(model)
    compared = 0
    for rows, samples, kept, cost in model.calls[:: max(1, len(model.calls) // 4)]:
        if kept is not None:
            some_of, cost = cost, model.model(rows, samples)
            assert some_of.output_tokens_per_s == pytest.approx(cost.output_tokens_per_s[:, kept])
        every = rows.assign(at=range(len(rows)))
        some = every[every["concurrency"].isin(FLIGHTS) | (every["concurrency"] == 48)].iloc[:40]
        found = tool.predict(some.drop(columns="at").assign(max_context_tokens=1e8).reset_index(drop=True))
        at = some["at"].to_numpy()[(found["status"] == OK).to_numpy()]
        found = found[found["status"] == OK]
        rate = quantiles(cost.output_tokens_per_s[at])
        for name, theirs in zip(QUANTILES, rate, strict=True):
            ours = found[f"output_tokens_per_s_{name}"].to_numpy(float)
            # A median is that of draws without what lies beyond all measurements.
            assert ours == pytest.approx(theirs, rel=0.03 if name == "p50" else 1e-6)
        compared += len(at)
    assert compared > 20
