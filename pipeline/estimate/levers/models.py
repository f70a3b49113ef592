"""Models: a task-sized one for a large one, sparse for dense, fewer bits, fewer tokens, an agent's task."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.contracts.results import REGIMES
from pipeline.estimate.levers.agents import AGENT, agent_rows
from pipeline.estimate.levers.bench import AS_DRAWN, Bench, How, Priced
from pipeline.estimate.levers.evidence import grade_of, weakest
from pipeline.estimate.levers.rows import BLEND_WORDS, Row

Array = NDArray[np.float64]
# Family and dense twin, as (of what, against what), by names of deployments.
WITHIN = {
    "Llama 3.1 8B": "Llama 3.1 405B",
    "Llama 3.1 70B": "Llama 3.1 405B",
}
SPARSE = {"Qwen3 30B-A3B": "Qwen3 32B", "Qwen3 235B-A22B": "Nemotron Ultra 253B"}
DISTILLED = {"Llama 3.1 70B": "DeepSeek-R1", "Qwen3 32B": "DeepSeek-R1"}
SMALL_BATCH = 8.0
FULL = 1.0  # utilisation at which a batch is what was asked for


def model_rows(bench: Bench, levers: pd.DataFrame) -> list[Row]:
    """All rows of the group; levers: published values by key."""
    rows = [row for regime in REGIMES for row in _of_regime(bench, regime)]
    return [*rows, *agent_rows(bench, levers)]


def _of_regime(bench: Bench, regime: str) -> Iterator[Row]:
    tiers = bench.draws.tiers
    others = [item for item in bench.settings.models if item.model != AGENT]
    small = [*tiers["small"], *tiers["middle"], *others]
    variants = list(_precisions(bench))
    priced = bench.price(
        [*tiers["large"], *small, *(item for pair in variants for item in pair)], bench.call(regime)
    )
    energy = {item.model: bench.energy_wh(priced[item]) for item in [*tiers["large"], *small]}
    by_name = {item.model: item for item in [*tiers["large"], *small]}
    blend = bench.mean_wh(priced, tiers["large"])

    def row(
        system: str, name: str, against: list[Deployment], before: Array, words: str, note: str | None = None
    ) -> Row:
        items = [by_name[name], *against]
        sources = ";".join(dict.fromkeys(item.source for item in items))
        return Row(
            "models",
            system,
            regime,
            f"{name} against {words}",
            "fitted model",
            grade_of(items, bench.bases),
            before / energy[name],
            sources,
            note=note,
        )

    for item in small:
        yield row(item.model, item.model, tiers["large"], blend, BLEND_WORDS, note=_moved(item))
    for name, against in WITHIN.items():
        yield row(name, name, [by_name[against]], energy[against], against)
    for name, against in SPARSE.items():
        yield row("Mixture of experts", name, [by_name[against]], energy[against], f"{against}, dense")
    if regime == "long":
        for name, against in DISTILLED.items():
            yield row(
                "Distillation",
                name,
                [by_name[against]],
                energy[against],
                f"{against}, at the same answers",
                note="a model distilled from it has this shape",
            )
    yield _shorter(bench, priced, regime)
    yield from _fewer_bits(bench, priced, variants, regime)


def _moved(item: Deployment) -> str:
    return f"on {item.gpus} {item.gpu}, {item.precision}; the same queries and tokens, quality not compared"


def _shorter(bench: Bench, priced: dict[Deployment, Priced], regime: str) -> Row:
    """Fewer output tokens of the same model."""
    items = bench.draws.tiers["large"]
    assumption = getattr(bench.settings.outputs, regime)
    kept = bench.share(f"outputs.{regime}", assumption)
    gain = bench.mean_wh(priced, items) / bench.mean_wh(priced, items, How(output_share=kept))
    rests_on = bench.published.standing("outputs", regime)
    hindsight = "C" if regime == "long" else "A"  # what could have been cut was seen afterwards
    grade = weakest([rests_on.grade, hindsight, grade_of(items, bench.bases)])
    return Row(
        "models",
        "Shorter outputs",
        regime,
        "fewer output tokens of the blend against all of them",
        "fitted model with published settings",
        grade,
        gain,
        assumption.source,
        evidence=rests_on.evidence,
        note=assumption.reason,
    )


def _precisions(bench: Bench) -> Iterator[tuple[Deployment, Deployment]]:
    """Pairs of one model in wider and in narrower weights, on the same accelerators."""
    for item in bench.settings.hardware.models:
        on_b200 = item.model_copy(update={"gpu": "B200", "gpus": 8})
        if item.total_params_b < 300:  # in sixteen bits eight H100 hold no more
            yield item.model_copy(update={"precision": "bf16"}), item
        else:
            yield on_b200.model_copy(update={"precision": "bf16"}), on_b200
        four = item.model_copy(update={"gpu": "B200", "gpus": 4})
        yield four, four.model_copy(update={"precision": "fp4"})


def _fewer_bits(
    bench: Bench,
    priced: dict[Deployment, Priced],
    pairs: list[tuple[Deployment, Deployment]],
    regime: str,
) -> Iterator[Row]:
    loads = {
        None: AS_DRAWN,
        f"{SMALL_BATCH:.0f} sequences": How(requests=SMALL_BATCH, utilisation=FULL),
    }
    for wide, narrow in pairs:
        for load, how in loads.items():
            gain = bench.energy_wh(priced[wide], how) / bench.energy_wh(priced[narrow], how)
            yield Row(
                "models",
                narrow.precision.upper(),
                regime,
                f"{narrow.model} in {narrow.precision} against {wide.precision}, on {wide.gpus} {wide.gpu}",
                "fitted model",
                grade_of([wide, narrow], bench.bases),
                gain,
                wide.source,
                load=load,
                note="below 1: a penalty; measured with one engine, either engine here",
            )
