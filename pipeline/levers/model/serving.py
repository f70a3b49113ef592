"""Serving, routers and sites: every lever alone on the blend, and what others published of them.

Published throughput becomes energy by how power rises with it. Routers, sites and cooling come from results
that stand already; those keep three percentiles, and the quartiles stay blank.

Users are requests in flight. They are served by as many instances as keep room for chance: arrivals that know
nothing of each other need users + z sqrt(users) places, and an instance has as many as it is configured for.
Few users leave most of an instance's places empty, many leave hardly any. The swing of demand over a day is
not in this; it is in the load of the re-estimate.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.core.units import JOULES_PER_WH, SECONDS_PER_HOUR, Array
from pipeline.energy.model.cost_curves import MeanLengths
from pipeline.fleet.model.contract import PAIRS
from pipeline.fleet.model.draws import Call
from pipeline.ingest.contract import WORST, weakest
from pipeline.levers.model.contract import BENCHMARK, FITTED, LEVER_REGIMES, LEVER_SCALE, USERS
from pipeline.levers.model.evaluator import AS_DRAWN, FULL, Evaluated, Evaluator, call_of
from pipeline.levers.model.rows import (
    AT_RATED_POWER,
    GAINS,
    WITH_SETTINGS,
    Row,
    bound_of,
    bounded,
    grade_of,
    quantiles,
)
from pipeline.levers.model.settings import LEVERS, Lever, Options
from pipeline.serving.model.costs import configuration_names
from pipeline.serving.model.deployments import Deployment
from pipeline.serving.model.settings import Serving

THROUGHPUT = "x throughput"
MODEL_ROUTER = "Model Router"
PROMPTS = "short"  # regime of the prompts that its choices were counted on
COST = "cost reduction"  # in ROUTERS
BALANCED_SITES = "us_average"  # the closed loop at an ordinary site


def serving_rows(evaluator: Evaluator, levers: pd.DataFrame) -> list[Row]:
    """All rows of the group, and of other levers that are compared alone; levers: LEVERS by key."""
    alone = [row for regime in LEVER_REGIMES for row in _alone(evaluator, regime)]
    return [*alone, *throughput_rows(evaluator, levers)]


def _alone(evaluator: Evaluator, regime: str) -> Iterator[Row]:
    """Every lever on the blend on its own accelerators, against none; and batching, which all others have."""
    items = evaluator.large
    found = evaluator.evaluate(items, evaluator.call(regime))
    model = grade_of(items, evaluator.bases)
    few = replace(AS_DRAWN, requests=evaluator.settings.small_batch, utilisation=FULL)
    rests_on = evaluator.published.strength("scale", regime)

    def gain(before: Options, after: Options) -> dict[str, Any]:
        return {
            name: evaluator.mean_wh(found, items, before, at) / evaluator.mean_wh(found, items, after, at)
            for name, at in GAINS.items()
        }

    yield Row(
        "serving", "Continuous batching", regime,
        f"as many requests in flight as configured against {few.requests:.0f}", WITH_SETTINGS,
        weakest([rests_on.grade, model]), **gain(few, replace(few, requests=None)), sources="mlenergy2025",
        load=f"{few.requests:.0f} sequences to as configured", note=rests_on.note,
    )  # fmt: skip
    for lever in LEVERS:
        if lever.compared:
            rests_on = evaluator.published.strength(lever.name, regime)
            for load, options in _loads(evaluator, lever):
                yield Row(
                    lever.group, lever.words, regime, lever.compared, WITH_SETTINGS,
                    weakest([rests_on.grade, model]), **gain(options, evaluator.applied(lever, options)),
                    sources=_sources(evaluator, lever), load=load,
                    evidence=rests_on.evidence, note=rests_on.noted(lever.note),
                )  # fmt: skip


def _loads(evaluator: Evaluator, lever: Lever) -> Iterator[tuple[str | None, Any]]:
    """Requests in flight at which a lever is evaluated, in words and as options; then as in production."""
    for requests in getattr(evaluator.settings, lever.name).requests:
        words = f"{requests:.0f} {'sequence' if requests == 1 else 'sequences'}"
        yield words, replace(AS_DRAWN, requests=requests, utilisation=FULL)
    yield None, AS_DRAWN


def _sources(evaluator: Evaluator, lever: Lever) -> str:
    if lever.source:
        return lever.source
    first: Any = getattr(getattr(evaluator.settings, lever.name), next(iter(lever.settings)))
    return str(first.source)


def energy_of_throughput(evaluator: Evaluator, gain: Array | float) -> Array:
    """A gain of throughput on the same accelerators, as one of energy: they draw more when busier."""
    return np.asarray(gain) ** (1 - evaluator.value("power_of_throughput"))


def throughput_rows(evaluator: Evaluator, levers: pd.DataFrame) -> Iterator[Row]:
    """Published throughput of prefill apart, turned into energy; one row a source."""
    chosen = levers[(levers["group"] == "serving") & (levers["unit"] == THROUGHPUT)]
    for key, found in chosen.iterrows():
        gain = energy_of_throughput(evaluator, float(found["value"]))
        bound = bound_of(found["interval"])
        for regime in REGIMES:
            yield Row(
                "serving", str(found["system"]), regime, str(found["quantity"]), AT_RATED_POWER,
                str(found["grade"]), bounded(gain, evaluator.replicates, bound), str(found["source"]),
                bound=bound, load=_text(found["load"]), boundary="gpu", evidence=str(key),
                note=_text(found["note"]),
            )  # fmt: skip


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _three(row: Mapping[Any, Any], prefix: str = "") -> dict[str, float]:
    found = {name: float(row[f"{prefix}{name}"]) for name in ("p5", "p50", "p95")}
    return {**found, "p25": np.nan, "p75": np.nan, "mc_error_p50": float(row.get("mc_error_p50", np.nan))}


def router_rows(
    evaluator: Evaluator, profiles: pd.DataFrame, published: pd.DataFrame, routers: pd.DataFrame
) -> Iterator[Row]:
    """A commercial router in its three profiles, and published routers at their shares, in their regimes.

    profiles: ROUTING_PROFILES; published: ROUTING_PUBLISHED; routers: ROUTERS.
    """
    for row in profiles.to_dict("records"):
        outside = [] if row["regime"] == PROMPTS else ["outside its regime: its prompts were those of a chat"]
        yield Row(
            "routing", MODEL_ROUTER, str(row["regime"]),
            f"choices of the {row['profile']} profile against its largest model for all", WITH_SETTINGS,
            WORST, _three(row), "gregory2025", load=f"{row['profile']} profile",
            note="; ".join(["sizes of closed models as others assume them", *outside]),
        )  # fmt: skip
    tiers = evaluator.draws.tiers
    model = grade_of([*tiers["large"], *tiers["small"]], evaluator.bases)
    printed: Any = routers.set_index("key").to_dict("index")
    for row in published[published["pair"] == PAIRS[0]].to_dict("records"):
        router = printed[row["key"]]
        by_cost = "; the share is a reduction of cost taken for it" if router["share_basis"] == COST else ""
        yield Row(
            "routing", str(row["router"]), str(row["regime"]),
            f"small models for {row['share_small']:.0%} of queries against the blend for all, "
            f"{row['benchmark']} at {row['quality_kept']:.0%} of the quality",
            WITH_SETTINGS, weakest([router["grade"], model]), _three(row), router["source"],
            load=str(row["benchmark"]), evidence=str(row["key"]),
            note=f"share and quality are those of its own models and prompts{by_cost}",
        )  # fmt: skip


def site_rows(evaluator: Evaluator, sites: pd.DataFrame, cooling: pd.DataFrame) -> Iterator[Row]:
    """PUE from one kind of site to another, and a closed loop; DATACENTRE_LEVER, COOLING_LEVER."""
    loop = cooling[cooling["site_scenario"] == BALANCED_SITES].iloc[0].to_dict()
    nothing = np.ones(len(evaluator.every))  # PUE is of the site, so accelerators take what they took
    for regime in LEVER_REGIMES:
        assumed = evaluator.published.strength("best_site", regime)
        for row in sites.to_dict("records"):
            yield Row(
                "datacentre", f"{row['from_site']} to {row['to_site']}", regime,
                f"PUE of a site `{row['to_site']}` against `{row['from_site']}`", "published range",
                assumed.grade, _three(row), "uptime2025;google_efficiency2025", gpu_gain=nothing,
                note=assumed.noted("both ends are ranges around PUE as operators report it"),
            )  # fmt: skip
        yield Row(
            "datacentre", "Closed-loop cooling", regime,
            "no evaporation on site against an average one in the United States", "published range",
            WORST, _three(loop, "energy_"), "microsoft_zero_water2024", gpu_gain=nothing,
            note="below 1: water on site is saved for a higher PUE (data/results/cooling_lever.csv)",
        )  # fmt: skip


QUANTITY = "j_per_output_token_"
ONE_INSTANCE = "fitted, one instance"


def scale_table(evaluator: Evaluator, chat: pd.DataFrame, settings: Serving) -> pd.DataFrame:
    """LEVER_SCALE; chat: measured rows of chat queries."""
    rows: list[dict[str, Any]] = []
    for item in configurations(evaluator):
        own = _rows_of(chat, item)
        calls: dict[str, Call] = {regime: evaluator.call(regime) for regime in REGIMES}
        calls[BENCHMARK] = benchmark_call(evaluator, own, settings)
        for lengths, call in calls.items():
            one = evaluator.evaluate([item], call)[item]
            if lengths == BENCHMARK:  # which was run by the first engine
                first = np.zeros_like(one.curve.choice)
                one = replace(one, curve=replace(one.curve, choice=first))
                rows += _to_saturation(evaluator, one, own["concurrency"].max())
            rows += _in_production(evaluator, one, lengths)
        rows += _measured(evaluator, item, own)
    return pd.DataFrame(rows).reindex(columns=list(LEVER_SCALE.columns))


def configurations(evaluator: Evaluator) -> list[Deployment]:
    """Three configurations whose energy was measured: a large dense model, a mixture, and a small model."""
    small = evaluator.draws.tiers["small"][0].model_copy(update={"precision": "bf16"})
    return [*evaluator.settings.hardware.models, small]


def instances_for(users: float, places: float, deviations: float) -> int:
    """Instances of so many places that keep room for chance."""
    return int(np.ceil((users + deviations * np.sqrt(users)) / places))


def benchmark_call(evaluator: Evaluator, chat: pd.DataFrame, settings: Serving) -> Call:
    """Queries of the benchmark, the same in every sample."""
    tokens = settings.prompt_tokens["chat"].distribution.median(), float(chat["output_tokens"].mean())
    given, answer = (np.full(len(evaluator.every), value) for value in tokens)
    return call_of(given, answer, MeanLengths(*tokens, settings.output_cv.distribution.median()))


def _in_production(evaluator: Evaluator, one: Evaluated, lengths: str) -> Iterator[dict[str, Any]]:
    """As many instances as users need, each with as many places as it is configured for, in the median."""
    held = one.curve.configured(evaluator.wanted(one.item), one.call.context_tokens, evaluator.every)
    deviations = evaluator.settings.scale.spare_deviations.distribution.median()
    for users in USERS:
        instances = instances_for(users, float(np.median(held)), deviations)
        yield _modelled(evaluator, one, lengths, users, instances, "fitted")


def _to_saturation(evaluator: Evaluator, one: Evaluated, measured: float) -> Iterator[dict[str, Any]]:
    """One instance filled as far as its cache goes, or measurements went: no service is so full."""
    full = max(float(np.median(evaluator.most(one, AS_DRAWN))), measured)
    for users in [*(n for n in USERS if n < full), full]:
        yield _modelled(evaluator, one, BENCHMARK, users, 1, ONE_INSTANCE)


def _modelled(
    evaluator: Evaluator, one: Evaluated, lengths: str, users: float, instances: int, kind: str
) -> dict[str, Any]:
    busy = replace(AS_DRAWN, requests=users / instances, utilisation=FULL)
    wh = evaluator.energy_wh(one, busy)
    return {
        **_size(one.item, lengths, users, instances),
        "kind": kind,
        "boundary": "facility",
        **_joules(wh * JOULES_PER_WH / one.call.moments.output_tokens, evaluator.replicates),
        "wh_per_query_p50": float(np.median(wh)),
    }


def _measured(evaluator: Evaluator, item: Deployment, chat: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Accelerators as measured; and with the server and the site of every sample."""
    shared = evaluator.draws.samples
    server = evaluator.draws.server(item)
    for row in chat.to_dict("records"):
        gpu_w = np.full(len(evaluator.every), row["gpu_w"])
        wall_w = server.node_w(gpu_w, np.array(item.gpus), shared.node_uniforms) * shared.pue
        size = _size(item, BENCHMARK, row["concurrency"], 1)
        joules = float(row["gpu_j_per_output_token"])
        facility = _joules(joules * wall_w / gpu_w, evaluator.replicates)
        for kind, boundary, values in (
            ("measured", "gpu", {f"{QUANTITY}p50": joules}),
            ("measured accelerators, modelled rest", "facility", facility),
        ):
            wh = values[f"{QUANTITY}p50"] * row["output_tokens"] / SECONDS_PER_HOUR
            yield {**size, "kind": kind, "boundary": boundary, **values, "wh_per_query_p50": wh}


def _joules(per_token: Array, replicates: int) -> dict[str, float]:
    """Percentiles of J per output token, (samples,), as LEVER_SCALE names them."""
    found = quantiles(per_token, replicates, QUANTITY)
    return {**found, "mc_error_p50": found[f"mc_error_{QUANTITY}p50"]}


def _size(item: Deployment, lengths: str, users: float, instances: int) -> dict[str, Any]:
    return {
        "configuration": name_of(item),
        "lengths": lengths,
        "users": users,
        "instances": instances,
        "gpus": instances * item.gpus,
        "requests_per_instance": users / instances,
        "sources": item.source,
    }


def name_of(item: Deployment) -> str:
    """As in data/results/batch_curves.csv."""
    row = {name: getattr(item, name) for name in ("model", "gpu", "gpus", "precision")}
    return str(configuration_names(pd.DataFrame([row])).iloc[0])


def _rows_of(serving: pd.DataFrame, item: Deployment) -> pd.DataFrame:
    same = (serving["model"] == item.model) & (serving["gpu"] == item.gpu) & (serving["gpus"] == item.gpus)
    return serving[same & (serving["precision"] == item.precision.upper())].sort_values("concurrency")


def scale_rows(evaluator: Evaluator) -> Iterator[Row]:
    """Rows of LEVER_SYSTEMS: one user on one instance against a service with batches as configured."""
    items, lone = evaluator.large, replace(AS_DRAWN, requests=1.0, utilisation=FULL)
    for regime in LEVER_REGIMES:
        found = evaluator.evaluate(items, evaluator.call(regime))
        gains: dict[str, Any] = {
            name: evaluator.mean_wh(found, items, lone, at) / evaluator.mean_wh(found, items, boundary=at)
            for name, at in GAINS.items()
        }
        rests_on = evaluator.published.strength("scale", regime)
        yield Row(
            "scale", "Azure-scale serving", regime,
            "the blend as a service runs it, idle nodes included, against one user on one instance",
            FITTED, weakest([rests_on.grade, grade_of(items, evaluator.bases)]),
            **gains, sources="mlenergy2025",
            load="1 sequence to as in production",
            note=rests_on.noted("the lone user is always busy: idle time would add to the gain"),
        )  # fmt: skip
