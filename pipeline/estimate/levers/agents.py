"""An agent's web task: steps, energy of a step, and the attempts that failed; list prices beside it.

A task is neither a short nor a long query but many short outputs on long inputs, so its rows have a regime of
their own.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.contracts.levers import TASK
from pipeline.contracts.published import WORST
from pipeline.estimate.cost_curves import MeanLengths
from pipeline.estimate.levers.bench import Bench, call_of
from pipeline.estimate.levers.evidence import weakest
from pipeline.estimate.levers.rows import BLEND_WORDS, Row, span

AGENT = "Fara-7B"
LIKE, LARGE = "against an agent of its size", "against large agents"  # cases, as the figure names them
LIKE_AGENT = "uitars"
LARGE_AGENTS = ("som4o", "som5", "somo3", "cua")
OUTPUT_CV = 0.8  # of an agent's step; its outputs are short, so it matters little


def agent_rows(bench: Bench, levers: pd.DataFrame) -> Iterator[Row]:
    """A completed task of Fara-7B against one of its size and large ones; levers: published values by key."""
    value = levers["value"]
    small = next(item for item in bench.settings.models if item.model == AGENT)
    large = bench.draws.tiers["large"]
    agent = bench.settings.agent
    given, answer = agent.input_tokens, agent.output_tokens
    mean = MeanLengths(given.distribution.median(), answer.distribution.median(), OUTPUT_CV)
    call = call_of(bench.value("agent.input_tokens", given), bench.value("agent.output_tokens", answer), mean)
    priced = bench.price([small, *large], call)
    steps = value["fara_steps"] / value["fara_success_fara7b"]
    like = bench.value("agent.like_step", agent.like_step) * value["fara_steps_like"]
    task = bench.energy_wh(priced[small]) * steps
    success = np.array([value[f"fara_success_{name}"] for name in LARGE_AGENTS])
    kept = success.min() + bench.uniforms["agent.success"] * (success.max() - success.min())
    of_large = bench.mean_wh(priced, large) * bench.value("agent.steps_large", agent.steps_large) / kept
    rests_on = bench.published.standing("agent", TASK)
    for case, gain, against, keys, note in [
        (
            LIKE,
            like / value[f"fara_success_{LIKE_AGENT}"] / steps,
            "an agent of its size (UI-TARS-1.5-7B)",
            ["fara_steps", "fara_steps_like", *_success(["fara7b", LIKE_AGENT])],
            "steps over success of both, as published; how a step of one compares with one of the other is "
            "assumed (params.yaml)",
        ),
        (
            LARGE,
            of_large / task,
            f"an agent on {BLEND_WORDS}",
            ["fara_steps", *_success(["fara7b", *LARGE_AGENTS])],
            "failed attempts count; success of large agents as published, their steps and all tokens as "
            "assumed (params.yaml)",
        ),
    ]:
        yield Row(
            "models", AGENT, TASK, f"a completed web task of {AGENT} against one of {against}",
            "fitted model with published settings", weakest([rests_on.grade, *levers.loc[keys, "grade"]]),
            gain, "fara2025", load=case, evidence=";".join(keys), note=rests_on.noted(note),
        )  # fmt: skip
    yield from price_rows(levers)


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
