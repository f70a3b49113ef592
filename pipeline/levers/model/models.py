"""Models: a task-sized one for a large one, sparse for dense, fewer bits, fewer tokens, an agent's web task.

A task is neither a short nor a long query but many short outputs on long inputs, so its rows have a regime of
their own; they count steps, energy of a step, and the attempts that failed, with list prices beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.energy.model.cost_curves import MeanLengths
from pipeline.ingest.contract import WORST, weakest
from pipeline.levers.model.contract import FITTED, LEVER_REGIMES, TASK
from pipeline.levers.model.evaluator import AS_DRAWN, FULL, Evaluated, Evaluator, Facts, call_of
from pipeline.levers.model.hardware import holds
from pipeline.levers.model.rows import BLEND_WORDS, GAINS, WITH_SETTINGS, Row, grade_of, span
from pipeline.serving.model.deployments import Deployment

# Family and dense twin, as (of what, against what), by names of deployments.
WITHIN = {"Llama 3.1 8B": "Llama 3.1 405B", "Llama 3.1 70B": "Llama 3.1 405B"}
SPARSE = {"Qwen3 30B-A3B": "Qwen3 32B", "Qwen3 235B-A22B": "Nemotron Ultra 253B"}
DISTILLED = {"Llama 3.1 70B": "DeepSeek-R1", "Qwen3 32B": "DeepSeek-R1"}
AGENT = "Fara-7B"
LIKE, LARGE = "against an agent of its size", "against large agents"  # cases, as the figure names them
LIKE_AGENT = "uitars"
LARGE_AGENTS = ("som4o", "som5", "somo3", "cua")


def model_rows(evaluator: Evaluator, levers: pd.DataFrame, facts: Facts) -> list[Row]:
    """All rows of the group; levers: published values by key."""
    rows = [row for regime in LEVER_REGIMES for row in _of_regime(evaluator, regime, facts)]
    return [*rows, *agent_rows(evaluator, levers), *price_rows(levers)]


def _of_regime(evaluator: Evaluator, regime: str, facts: Facts) -> Iterator[Row]:
    large, tiers = evaluator.large, evaluator.draws.tiers
    others = [item for item in evaluator.settings.models if item.model != AGENT]
    small = evaluator.able([*tiers["small"], *tiers["middle"], *others], regime)
    pairs = [pair for pair in _precisions(evaluator, facts) if evaluator.able(pair, regime)]
    every = [*large, *small, *(item for pair in pairs for item in pair)]
    found = evaluator.evaluate(every, evaluator.call(regime))
    named = {item.model: item for item in [*large, *small]}

    def row(
        system: str, name: str, against: Sequence[Deployment], words: str, note: str | None = None
    ) -> Row:
        items = [named[name], *against]
        gains: dict[str, Any] = {
            of: evaluator.mean_wh(found, against, boundary=at)
            / evaluator.mean_wh(found, items[:1], boundary=at)
            for of, at in GAINS.items()
        }
        return Row(
            "models", system, regime, f"{name} against {words}", FITTED, grade_of(items, evaluator.bases),
            **gains, sources=";".join(dict.fromkeys(item.source for item in items)), note=note,
        )  # fmt: skip

    for item in small:
        yield row(item.model, item.model, large, BLEND_WORDS, _moved(item))
    for name, other in WITHIN.items():
        yield row(name, name, [named[other]], other)
    for name, other in SPARSE.items():
        if name in named and other in named:
            yield row("Mixture of experts", name, [named[other]], f"{other}, dense")
    for name, other in DISTILLED.items() if regime == "long" else ():
        note = "a model distilled from it has this shape"
        yield row("Distillation", name, [named[other]], f"{other}, at the same answers", note)
    if regime in REGIMES:
        yield _shorter(evaluator, found, regime)
    for wide, narrow in pairs:
        yield from _fewer_bits(evaluator, found[wide], found[narrow], regime)


def _moved(item: Deployment) -> str:
    return f"on {item.gpus} {item.gpu}, {item.precision}; the same queries and tokens, quality not compared"


def _shorter(evaluator: Evaluator, found: dict[Deployment, Evaluated], regime: str) -> Row:
    """Fewer output tokens of the same model."""
    items = evaluator.large
    assumption = getattr(evaluator.settings.outputs, regime)
    kept = replace(AS_DRAWN, output_share=evaluator.value(f"outputs.{regime}"))
    rests_on = evaluator.published.strength("outputs", regime)
    hindsight = "C" if regime == "long" else "A"  # what could have been cut was seen afterwards
    gains: dict[str, Any] = {
        name: evaluator.mean_wh(found, items, boundary=at) / evaluator.mean_wh(found, items, kept, at)
        for name, at in GAINS.items()
    }
    return Row(
        "models", "Shorter outputs", regime, "fewer output tokens of the blend against all of them",
        WITH_SETTINGS, weakest([rests_on.grade, hindsight, grade_of(items, evaluator.bases)]),
        **gains,
        sources=assumption.source, evidence=rests_on.evidence, note=assumption.reason,
    )  # fmt: skip


def _precisions(evaluator: Evaluator, facts: Facts) -> Iterator[tuple[Deployment, Deployment]]:
    """Pairs of one model in wider and in narrower weights, on the same accelerators."""
    hardware = evaluator.settings.hardware
    on = hardware.fewer_bits
    for item in hardware.models:
        sixteen = {"precision": "bf16"}
        if not holds(item, item.gpu, item.gpus, "bf16", facts):
            item = item.model_copy(update={"gpu": on.gpu, "gpus": on.eight_bit_gpus})
        yield item.model_copy(update=sixteen), item
        eight = item.model_copy(update={"gpu": on.gpu, "gpus": on.four_bit_gpus})
        yield eight, eight.model_copy(update={"precision": "fp4"})


def _fewer_bits(evaluator: Evaluator, wide: Evaluated, narrow: Evaluated, regime: str) -> Iterator[Row]:
    """Weights in fewer bits, as in production and at a small batch."""
    item, small = narrow.item, evaluator.settings.small_batch
    at_small = replace(AS_DRAWN, requests=small, utilisation=FULL)
    for load, options in ((None, AS_DRAWN), (f"{small:.0f} sequences", at_small)):
        yield Row(
            "models", item.precision.upper(), regime,
            f"{item.model} in {item.precision} against {wide.item.precision}, on {item.gpus} {item.gpu}",
            FITTED, grade_of([wide.item, item], evaluator.bases),
            evaluator.energy_wh(wide, options) / evaluator.energy_wh(narrow, options), item.source,
            evaluator.gpu_wh(wide, options) / evaluator.gpu_wh(narrow, options), load=load,
            note="below 1: a penalty; measured with one engine, either engine here",
        )  # fmt: skip


def agent_rows(evaluator: Evaluator, levers: pd.DataFrame) -> Iterator[Row]:
    """A completed task of Fara-7B against one of its size and large ones; levers: published values by key."""
    value, agent = levers["value"], evaluator.settings.agent
    small = next(item for item in evaluator.settings.models if item.model == AGENT)
    given, answer = (evaluator.value(f"agent.{name}") for name in ("input_tokens", "output_tokens"))
    step = (agent.input_tokens, agent.output_tokens, agent.output_cv)
    call = call_of(given, answer, MeanLengths(*(one.distribution.median() for one in step)))
    found = evaluator.evaluate([small, *evaluator.large], call)
    steps = value["fara_steps"] / value["fara_success_fara7b"]
    like = evaluator.value("agent.like_step") * value["fara_steps_like"]
    success = np.array([value[f"fara_success_{name}"] for name in LARGE_AGENTS])
    kept = success.min() + evaluator.uniform("agent.success") * (success.max() - success.min())
    of_large = {
        name: evaluator.mean_wh(found, evaluator.large, boundary=at)
        / evaluator.mean_wh(found, [small], boundary=at)
        * evaluator.value("agent.steps_large")
        / kept
        / steps
        for name, at in GAINS.items()
    }
    rests_on = evaluator.published.strength("agent", TASK)
    for case, gain, against, keys, note in [
        (
            LIKE,
            {"gain": like / value[f"fara_success_{LIKE_AGENT}"] / steps},
            "an agent of its size (UI-TARS-1.5-7B)",
            ["fara_steps", "fara_steps_like", *_success(["fara7b", LIKE_AGENT])],
            "steps over success of both, as published; how a step of one compares with one of the other is "
            "assumed (params.yaml)",
        ),
        (
            LARGE,
            of_large,
            f"an agent on {BLEND_WORDS}",
            ["fara_steps", *_success(["fara7b", *LARGE_AGENTS])],
            "failed attempts count; success of large agents as published, their steps and all tokens as "
            "assumed (params.yaml)",
        ),
    ]:
        yield Row(
            "models", AGENT, TASK, f"a completed web task of {AGENT} against one of {against}",
            WITH_SETTINGS, weakest([rests_on.grade, *levers.loc[keys, "grade"]]),
            **gain, sources="fara2025", load=case, evidence=";".join(keys), note=rests_on.noted(note),
        )  # fmt: skip


def price_rows(levers: pd.DataFrame) -> Iterator[Row]:
    """List price of the tokens of a completed task: a price, which is no energy."""
    for case, names in ((LIKE, [LIKE_AGENT]), (LARGE, LARGE_AGENTS)):
        prices = [cost_per_task(levers, name) / cost_per_task(levers, "fara7b") for name in names]
        every = ["fara7b", *names]
        keys = [*(f"fara_cost_{name}" for name in every), *_success(every)]
        subjects = ", ".join(levers.loc[[f"fara_cost_{name}" for name in names], "subject"])
        yield Row(
            "models", AGENT, TASK, f"a completed web task of {AGENT} against one of {subjects}",
            "list price", WORST, span(prices, min(prices), max(prices)), "fara2025",
            load=case, boundary="not-stated", quantity="price", n_values=float(len(prices)),
            evidence=";".join(keys), note="read off a figure, about 5 % either way; a price is no energy",
        )  # fmt: skip


def cost_per_task(levers: pd.DataFrame, name: str) -> float:
    """USD of a completed task, failed attempts included."""
    value = levers["value"]
    return float(value[f"fara_cost_{name}"] / value[f"fara_success_{name}"])


def _success(names: Sequence[str]) -> list[str]:
    return [f"fara_success_{name}" for name in names]
