"""Energy over the size of a system: from one user on one instance to many saturated instances.

Users are requests in flight. They are served by as many instances as keep room for chance: arrivals that know
nothing of each other need users + z sqrt(users) places, and an instance has as many as it is configured for.
Few users leave most of an instance's places empty, many leave hardly any. The swing of demand over a day is
not in this; it is in the load of the re-estimate.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.serving import Serving
from pipeline.contracts.levers import LEVER_SCALE
from pipeline.contracts.read import validate
from pipeline.contracts.results import REGIMES
from pipeline.estimate.batch_curves import configuration_names
from pipeline.estimate.cost_curves import MeanLengths
from pipeline.estimate.fleet.draws import Call
from pipeline.estimate.levers.bench import Bench, How, Priced, call_of
from pipeline.estimate.levers.evidence import grade_of, weakest
from pipeline.estimate.levers.rows import Row, band
from pipeline.units import JOULES_PER_WH, SECONDS_PER_HOUR

Array = NDArray[np.float64]
USERS = tuple(float(2**power) for power in range(17))  # 1 to 65,536
BENCHMARK = "benchmark"
QUANTITY = "j_per_output_token_"
ONE_INSTANCE = "fitted, one instance"


def configurations(bench: Bench) -> list[Deployment]:
    """Three configurations whose energy was measured: a large dense model, a mixture, and a small model."""
    small = bench.draws.tiers["small"][0].model_copy(update={"precision": "bf16"})
    return [*bench.settings.hardware.models, small]


def scale_table(bench: Bench, serving: pd.DataFrame, settings: Serving) -> pd.DataFrame:
    """LEVER_SCALE; serving: chat rows of ML.ENERGY v3."""
    items = configurations(bench)
    rows: list[dict[str, Any]] = []
    for item in items:
        chat = _rows_of(serving, item)
        calls: dict[str, Call] = {regime: bench.call(regime) for regime in REGIMES}
        calls[BENCHMARK] = benchmark_call(bench, chat, settings)
        for lengths, call in calls.items():
            priced = bench.price([item], call)[item]
            if lengths == BENCHMARK:  # which was run by the first engine
                first = np.zeros_like(priced.curve.choice)
                priced = replace(priced, curve=replace(priced.curve, choice=first))
                rows += list(_to_saturation(bench, priced, chat["average_batch"].max()))
            rows += list(_fitted(bench, priced, lengths))
        rows += list(_measured(bench, item, chat))
    table = pd.DataFrame(rows).reindex(columns=list(LEVER_SCALE.columns))
    return validate(table, LEVER_SCALE, "levers of scale")


def instances_for(users: float, places: float, deviations: float) -> int:
    """Instances of so many places that keep room for chance."""
    return int(np.ceil((users + deviations * np.sqrt(users)) / places))


def benchmark_call(bench: Bench, chat: pd.DataFrame, settings: Serving) -> Call:
    """Queries of the benchmark, the same in every world."""
    tokens = settings.chat_input_tokens.distribution.median(), float(chat["output_tokens"].mean())
    cv = settings.output_cv.distribution.median()
    given, answer = (np.full(len(bench.every), value) for value in tokens)
    return call_of(given, answer, MeanLengths(*tokens, cv))


def places_of(bench: Bench, priced: Priced) -> float:
    """Requests for which an instance is configured, median over worlds."""
    held = priced.curve.configured(bench.wanted(priced.item), priced.call.context_tokens, bench.every)
    return float(np.median(held))


def _fitted(bench: Bench, priced: Priced, lengths: str) -> Iterator[dict[str, Any]]:
    places = places_of(bench, priced)
    deviations = bench.settings.spare_deviations.distribution.median()
    tokens = priced.call.moments.output_tokens
    for users in USERS:
        instances = instances_for(users, places, deviations)
        wh = bench.energy_wh(priced, How(requests=users / instances, utilisation=1.0))
        yield {
            **_size(priced.item, lengths, users, instances),
            "kind": "fitted",
            "boundary": "facility",
            **_joules(wh * JOULES_PER_WH / tokens, bench),
            "wh_per_query_p50": float(np.median(wh)),
            "sources": priced.item.source,
        }


def _to_saturation(bench: Bench, priced: Priced, measured: float) -> Iterator[dict[str, Any]]:
    """One instance filled as far as its cache goes, or measurements went: no service is so full."""
    context = priced.call.context_tokens
    held = priced.curve.configured(np.full(len(bench.every), np.inf), context, bench.every)
    full = max(float(np.median(held)), measured)
    for users in [*(n for n in USERS if n < full), full]:
        wh = bench.energy_wh(priced, How(requests=users, utilisation=1.0))
        yield {
            **_size(priced.item, BENCHMARK, users, 1),
            "kind": ONE_INSTANCE,
            "boundary": "facility",
            **_joules(wh * JOULES_PER_WH / priced.call.moments.output_tokens, bench),
            "wh_per_query_p50": float(np.median(wh)),
            "sources": priced.item.source,
        }


def _joules(per_token: Array, bench: Bench) -> dict[str, float]:
    """Percentiles of J per output token, (worlds,), as LEVER_SCALE names them."""
    found = band(per_token, bench.replicates)
    error = {"mc_error_p50": found.pop("mc_error_p50")}
    return {f"{QUANTITY}{name}": value for name, value in found.items()} | error


def _size(item: Deployment, lengths: str, users: float, instances: int) -> dict[str, Any]:
    return {
        "configuration": name_of(item),
        "lengths": lengths,
        "users": users,
        "instances": instances,
        "gpus": instances * item.gpus,
        "requests_per_instance": users / instances,
    }


def name_of(item: Deployment) -> str:
    """As in data/results/batch_curves.csv."""
    row = {name: getattr(item, name) for name in ("model", "gpu", "gpus", "precision")}
    return str(configuration_names(pd.DataFrame([row])).iloc[0])


def _rows_of(serving: pd.DataFrame, item: Deployment) -> pd.DataFrame:
    same = (serving["model"] == item.model) & (serving["gpu"] == item.gpu) & (serving["gpus"] == item.gpus)
    return serving[same & (serving["precision"] == item.precision.upper())].sort_values("average_batch")


def _measured(bench: Bench, item: Deployment, chat: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Accelerators as measured; and with the server and the site of every world."""
    worlds = bench.draws.worlds
    server = bench.draws.server(item)
    for row in chat.to_dict("records"):
        gpu_w = np.full(len(bench.every), row["gpu_w"])
        wall_w = server.node_w(gpu_w, np.array(item.gpus), worlds.node_uniforms) * worlds.pue
        size = _size(item, BENCHMARK, row["average_batch"], 1)
        joules = float(row["gpu_j_per_output_token"])
        per_query = row["output_tokens"] / SECONDS_PER_HOUR
        yield {
            **size,
            "kind": "measured",
            "boundary": "gpu",
            f"{QUANTITY}p50": joules,
            "wh_per_query_p50": joules * per_query,
            "sources": item.source,
        }
        found = _joules(joules * wall_w / gpu_w, bench)
        yield {
            **size,
            "kind": "measured accelerators, modelled rest",
            "boundary": "facility",
            **found,
            "wh_per_query_p50": found[f"{QUANTITY}p50"] * per_query,
            "sources": item.source,
        }


def scale_rows(bench: Bench) -> Iterator[Row]:
    """Rows of LEVER_SYSTEMS: one user on one instance against a service with batches as configured."""
    items = bench.draws.tiers["large"]
    for regime in REGIMES:
        priced = bench.price(items, bench.call(regime))
        alone = bench.mean_wh(priced, items, How(requests=1.0, utilisation=1.0))
        service = bench.mean_wh(priced, items)
        rests_on = bench.published.standing("concurrency", regime)
        yield Row(
            "scale",
            "Azure-scale serving",
            regime,
            "the blend as a service runs it, idle nodes included, against one user on one instance",
            "fitted model",
            weakest([rests_on.grade, grade_of(items, bench.bases)]),
            alone / service,
            "mlenergy2025",
            load="1 sequence to as in production",
            note=rests_on.noted("the lone user is always busy: idle time would add to the gain"),
        )
