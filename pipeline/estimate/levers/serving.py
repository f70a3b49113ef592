"""Serving: larger batches, less idle capacity, cached prompts, prefill apart, drafts, lower clocks.

All are applied to the blend on its own accelerators, each alone, and all together. Speculative decoding stays
outside of the sum: it gains at small batch, where production does not run.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.contracts.results import REGIMES
from pipeline.estimate.levers.bench import AS_DRAWN, Bench, Cap, How, Priced
from pipeline.estimate.levers.evidence import grade_of, weakest
from pipeline.estimate.levers.models import FULL, SMALL_BATCH
from pipeline.estimate.levers.rows import Row, bound_of, bounded
from pipeline.units import SECONDS_PER_HOUR

Array = NDArray[np.float64]
SPECULATED = {"1 sequence": 1.0, "8 sequences": 8.0, "64 sequences": 64.0, "256 sequences": 256.0, None: None}
THROUGHPUT = "x throughput"
BASIS = "fitted model with published settings"


def cap_of(bench: Bench) -> Cap:
    """The cap in every world."""
    cap = bench.settings.cap
    return Cap(bench.value("cap.energy_gain", cap.energy_gain), bench.value("cap.slowdown", cap.slowdown))


def serving_rows(bench: Bench, levers: pd.DataFrame) -> list[Row]:
    """All rows of the group; levers: published values by key."""
    rows = [row for regime in REGIMES for row in _of_regime(bench, regime)]
    return [*rows, *disaggregation_rows(bench, levers)]


def _of_regime(bench: Bench, regime: str) -> Iterator[Row]:
    items = bench.draws.tiers["large"]
    priced = bench.price(items, bench.call(regime))
    model = grade_of(items, bench.bases)
    settings = bench.settings
    drawn = bench.mean_wh(priced, items)

    def row(
        system: str, compared: str, setting: str, how: How, source: str, before: Array = drawn,
        load: str | None = None, note: str | None = None,
    ) -> Row:  # fmt: skip
        gain = before / bench.mean_wh(priced, items, how)
        rests_on = bench.published.standing(setting, regime)
        return Row(
            "serving", system, regime, compared, BASIS, weakest([rests_on.grade, model]), gain, source,
            load=load, evidence=rests_on.evidence, note=rests_on.noted(note),
        )  # fmt: skip

    yield row(
        "Continuous batching", "as many requests in flight as configured against 8", "concurrency",
        How(utilisation=FULL), "mlenergy2025", load="8 sequences to as configured",
        before=bench.mean_wh(priced, items, How(requests=SMALL_BATCH, utilisation=FULL)),
    )  # fmt: skip
    yield row(
        "Adaptive serving", "nodes taken away when not needed against those kept for the peak", "utilisation",
        How(utilisation=bench.share("utilisation", settings.utilisation)), settings.utilisation.source,
        note="from the load of the re-estimate to that of a service that adapts",
    )  # fmt: skip
    yield row(
        "Prefix caching", "part of the input read from the cache against all of it computed", "cached_share",
        How(cached_share=bench.share("cached_share", settings.cached_share)), settings.cached_share.source,
        note="the share was measured in production, its energy is the model's",
    )  # fmt: skip
    yield row(
        "Disaggregated serving", "prefill apart, decode at the batch that takes as long a step",
        "disaggregation", How(disaggregated=True), "distserve2024",
        note="follows from the fitted step time; no measured energy of it is published",
    )  # fmt: skip
    yield row(
        "Power capping and clocks", "accelerators at lower power or clock against rated", "cap",
        How(cap=cap_of(bench)), settings.cap.energy_gain.source,
        note="of the facility: the rest of the server draws on, for longer",
    )  # fmt: skip
    yield from _drafts(bench, regime, priced)


def _drafts(bench: Bench, regime: str, priced: Mapping[Deployment, Priced]) -> Iterator[Row]:
    """Speculative decoding at several batches."""
    items = bench.draws.tiers["large"]
    rests_on = bench.published.standing("speculation", regime)
    grade = weakest([rests_on.grade, grade_of(items, bench.bases)])
    for load, requests in SPECULATED.items():
        how = AS_DRAWN if requests is None else How(requests=requests, utilisation=FULL)
        after = np.mean([speculative_wh(bench, priced[item], how) for item in items], axis=0)
        yield Row(
            "serving", "Speculative decoding", regime, "drafts of five tokens against none", BASIS, grade,
            bench.mean_wh(priced, items, how) / after, "eagle3_2025;dutta2026", load=load,
            evidence="dutta_eagle;eagle_b64",
            note=rests_on.noted("a step that checks more tokens costs more where compute binds"),
        )  # fmt: skip


def speculative_wh(bench: Bench, priced: Priced, how: How) -> Array:
    """Facility energy of the mean query with drafts, Wh.

    A step checks d + 1 tokens of each of B requests and yields n of them. What grows with tokens is as of a
    batch of B (d + 1), the cache is read once; the draft takes a share of a step without it. Seconds for an
    output token are (step(B (d + 1)) + draft step(B)) / (n B) + k context / n; beyond the batches that the
    cache holds, the step grows as between the last two.
    """
    settings = bench.settings.speculation
    drafted = bench.value("speculation.drafted_tokens", settings.drafted_tokens)
    yielded = bench.value("speculation.tokens_per_step", settings.tokens_per_step)
    yielded = np.clip(yielded, 1.0, drafted + 1)
    draft = bench.value("speculation.draft_cost", settings.draft_cost)
    curve, every, moments = priced.curve, bench.every, priced.call.moments
    running = bench.running(priced, how)
    alone = curve.at(running, every)
    checked = running * (drafted + 1)
    top = curve.configured(np.full(len(every), np.inf), moments.context_tokens, every)
    top_b, half_b = (at * curve.at(at, every).b for at in (top, top / 2))
    inside = np.minimum(checked, top)
    wide = curve.at(inside, every)
    step = inside * wide.b + np.maximum(checked - inside, 0.0) * (top_b - half_b) / (top / 2)
    per_token = (step + draft * running * alone.b) / (yielded * running)
    seconds = (
        alone.a * moments.input_tokens
        + per_token * moments.output_tokens
        + alone.k * (moments.product + moments.output_squared / 2) / yielded
    )
    watts = bench.watts(priced, np.maximum(wide.gpu_w, alone.gpu_w), how)
    return np.asarray(bench.draws.worlds.pue * watts * seconds / SECONDS_PER_HOUR)


def energy_of_throughput(bench: Bench, gain: Array | float) -> Array:
    """A gain of throughput on the same accelerators, as one of energy: they draw more when busier."""
    elasticity = bench.share("power_of_throughput", bench.settings.power_of_throughput)
    return np.asarray(gain) ** (1 - elasticity)


def disaggregation_rows(bench: Bench, levers: pd.DataFrame) -> Iterator[Row]:
    """Published throughput of prefill apart, turned into energy; one row a source."""
    chosen = levers[(levers["group"] == "serving") & (levers["unit"] == THROUGHPUT)]
    for key, found in chosen.iterrows():
        gain = energy_of_throughput(bench, float(found["value"]))
        for regime in REGIMES:
            yield Row(
                "serving",
                str(found["system"]),
                regime,
                str(found["quantity"]),
                "published throughput and rated power",
                str(found["grade"]),
                bounded(gain, bench.replicates, bound_of(found["interval"])),
                str(found["source"]),
                bound=bound_of(found["interval"]),
                load=None if pd.isna(found["load"]) else str(found["load"]),
                boundary="gpu",
                evidence=str(key),
                note=None if pd.isna(found["note"]) else str(found["note"]),
            )
