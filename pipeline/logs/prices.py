"""What tokens cost beside each other, from the model of serving: the one seam between logs and that model.

A model of the log is priced at the requests in flight and the mean lengths that the log shows, on the
accelerators of deployment.yaml (else of `USUAL`, as few as hold it). Joules of an input token: a x power;
of an output token at the mean
context: (b + k C) x power, with a, b, k of pipeline/serving/model/costs.py.
"""

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.ingest.names import shape_key
from pipeline.logs.deployment import Deployment
from pipeline.logs.settings import PRICED, SIZED, TokenWeights
from pipeline.serving.model.settings import Serving

if TYPE_CHECKING:
    from pipeline.serving.model.costs import RequestCost
    from pipeline.serving.model.model import ServingModel
    from pipeline.serving.model.prepare import Tables

USUAL_GPU, USUAL_PRECISION = "H100", "bf16"
SIZE = re.compile(r"(?<![A-Za-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?) ?[bB](?![A-Za-z0-9])")
ACTIVE = re.compile(r"(?<![A-Za-z])[aA](\d+(?:\.\d+)?)[bB]")
GPUS = (1, 2, 4, 8, 16, 32)
MEMORY_FOR_WEIGHTS = 0.7
BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "w8a16": 1.0, "fp4": 0.56, "w4a16": 0.56}
MOST_IN_FLIGHT = 1024.0
DRAWS = 200
SEED = 20260105
Predicted = tuple[float, float, float]
DIGITS = 4  # significant, of a price
BANDS = ("query", "input", "output")
CARDS = {"A100": "A100", "H100": "H100", "B200": "B200"}


@dataclass(frozen=True)
class Load:
    """One model of a log: mean requests in flight on an instance, mean lengths, and its accelerators."""

    model: str
    in_flight: float
    input_tokens: float
    output_tokens: float
    gpus: int | None = None  # of the instance, where the log says so
    cached_tokens: float = 0.0  # of the input tokens


@dataclass(frozen=True)
class Prices:
    """Weights of tokens; configurations assumed (a row a model); accelerator J of a query as predicted: P5,
    P50, P95.

    unknown: models whose size nothing says. drawn: what an input and an output token may count as, (2,
    DRAWS), by model; weights are their medians.
    """

    weights: TokenWeights
    assumed: pd.DataFrame
    gpu_j_per_query: dict[str, Predicted] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    cached_tokens: dict[str, float] = field(default_factory=dict)  # of a mean prompt, by model
    drawn: dict[str, np.ndarray] = field(default_factory=dict)
    most_gpu_w: dict[str, float] = field(default_factory=dict)  # of an accelerator as it serves, P95

    def bands(self, loads: pd.DataFrame, given: Deployment) -> pd.DataFrame:
        """By model, P5 and P95 over the point, of the energy of a query, of an input and an output token.

        loads: node, model and sums of input, cached input and output tokens. Models of a node share its
        energy by price; a query of one that has its nodes to itself takes what it takes at any price.
        """
        point = {name: np.array(self.weights.price(name)) for name in loads["model"]}
        price = np.stack(
            [self.drawn.get(name, point[name][:, None] * np.ones(DRAWS)) for name in loads["model"]]
        )
        saved = np.array([1 - self.weights.cached_price(name, given) for name in loads["model"]])
        fresh = loads["input_tokens"] - saved * loads["cached_input_tokens"]
        tokens = np.stack([fresh, loads["output_tokens"]], axis=-1)
        weight = (tokens * np.stack([point[name] for name in loads["model"]])).sum(axis=1)
        ratio = (tokens[:, :, None] * price).sum(axis=1) / np.maximum(weight, 1e-9)[:, None]
        table = pd.DataFrame(ratio * weight[:, None]).assign(weight=weight)
        of_node = table.groupby(loads["node"].to_numpy()).transform("sum")
        share = ratio / (of_node.drop(columns="weight").to_numpy() / of_node[["weight"]].to_numpy())
        rows = {}
        for name, of in loads.groupby("model").indices.items():
            part = weight[of] / max(weight[of].sum(), 1e-9)
            query = part @ share[of]
            own = point[str(name)][:, None]
            token = np.where(
                own > 0,
                query / np.maximum(part @ ratio[of], 1e-12) * price[of[0]] / np.maximum(own, 1e-12),
                1.0,
            )
            rows[name] = np.quantile([query, *token], [0.05, 0.95], axis=1).T.ravel()
        ends = pd.MultiIndex.from_product([BANDS, ["low", "high"]])
        return pd.DataFrame.from_dict(rows, orient="index", columns=ends)


def priced(
    loads: list[Load], other: TokenWeights, given: Deployment, gpu: str, serving: Serving | None = None
) -> Prices:
    """Prices of the models of a log; those of unknown size keep the weights `other`. gpu: of the log, or
    blank."""
    from pipeline.core.settings import from_params
    from pipeline.serving.model.costs import request_cost
    from pipeline.serving.model.model import read_model

    settings = serving or from_params("serving")
    model = read_model()
    rows, bases = _configurations(loads, model.tables, given, gpu)
    unknown = tuple(load.model for load in loads if load.model not in bases)
    price = float(settings.cached_work.distribution.median())
    weights = replace(other, models=tuple(load.model for load in loads), other_cached=price)
    if rows.empty:
        return Prices(_stated(weights, given), rows, unknown=unknown)
    cost = request_cost(rows.drop(columns="name"), model, settings, np.random.default_rng(SEED), DRAWS)
    context = (rows["input_tokens"] + rows["output_tokens"] / 2).to_numpy(float)[
        :, None
    ]  # mean, of an answer
    per_input = cost.a_s_per_input_token * cost.gpu_w
    per_output = (cost.b_s_per_output_token + cost.k_s_per_token2 * context) * cost.gpu_w
    ratio, beside = per_input / per_output, _beside(rows, model, settings)
    from_cache = cost.d_s_per_cached_token / cost.a_s_per_input_token
    keys = [shape_key(name) for name in rows["name"]]
    weights = replace(
        weights,
        fitted={**other.fitted, **dict(zip(keys, map(_short, ratio), strict=True))},
        output=dict(zip(keys, map(_short, beside), strict=True)),
        cached=dict(zip(keys, map(_short, np.minimum(from_cache, 1.0)), strict=True)),
        basis={shape_key(name): basis for name, basis in bases.items()},
    )
    weights = _stated(weights, given)
    stated = {shape_key(name) for name in given.price_ratios}
    outputs = [
        np.full(DRAWS, weights.output[key]) if key in stated else one
        for key, one in zip(keys, beside, strict=True)
    ]
    drawn = {name: np.stack([a * b, b]) for name, a, b in zip(rows["name"], ratio, outputs, strict=True)}
    cached = {load.model: load.cached_tokens for load in loads}
    most_w = np.quantile(cost.gpu_w / rows["gpus"].to_numpy(float)[:, None], 0.95, axis=1)
    return Prices(
        weights, rows, _of_queries(rows, cost, cached), unknown, cached, drawn,
        dict(zip(rows["name"], map(float, most_w), strict=True)),
    )  # fmt: skip


def calibrated(
    prices: Prices, measured: pd.DataFrame, serving: Serving | None = None
) -> dict[str, Predicted]:
    """The same prediction after the model of serving has seen what this log measured of accelerators."""
    from pipeline.core.settings import from_params
    from pipeline.serving.model.calibration import updated
    from pipeline.serving.model.costs import request_cost
    from pipeline.serving.model.model import read_model

    own = measured[measured["gpu_w"].notna() & measured["output_tokens_per_s"].gt(0)]
    if own.empty or prices.assumed.empty:
        return {}
    settings = serving or from_params("serving")
    told = prices.assumed[prices.assumed["name"].isin(own["model"])].drop(columns="gpus")
    values = own.set_index("model")[["gpus", "output_tokens_per_s", "gpu_w"]]
    rows = told.join(values, on="name").drop(columns="name").reset_index(drop=True)
    model = updated(read_model(), rows, settings)
    cost = request_cost(
        prices.assumed.drop(columns="name"), model, settings, np.random.default_rng(SEED), DRAWS
    )
    return _of_queries(prices.assumed, cost, prices.cached_tokens)


def _of_queries(rows: pd.DataFrame, cost: "RequestCost", cached: dict[str, float]) -> dict[str, Predicted]:
    """Accelerator J of a query of each row: P5, P50, P95."""
    given, taken = (rows[name].to_numpy(float)[:, None] for name in ("input_tokens", "output_tokens"))
    saved = rows["name"].map(cached).fillna(0.0).to_numpy(float)[:, None]
    seconds = cost.seconds(given, taken) - (cost.a_s_per_input_token - cost.d_s_per_cached_token) * saved
    low, middle, high = np.quantile(seconds * cost.gpu_w, [0.05, 0.5, 0.95], axis=1)
    return {
        str(name): (float(a), float(b), float(c))
        for name, a, b, c in zip(rows["name"], low, middle, high, strict=True)
    }


def savings(prices: Prices, weights: dict[str, float], serving: Serving | None = None) -> dict[str, float]:
    """Share of the accelerators' energy that changes of serving would save, over models weighted by their
    energy.

    Empty where no model has a known size. Modelled, at the lengths of the log.
    """
    from pipeline.core.settings import from_params
    from pipeline.serving.model.costs import request_cost
    from pipeline.serving.model.model import read_model

    rows = prices.assumed
    if rows.empty:
        return {}
    settings = serving or from_params("serving")
    model = read_model()

    def joules(changed: pd.DataFrame) -> np.ndarray:
        cost = request_cost(changed.drop(columns="name"), model, settings, np.random.default_rng(SEED), DRAWS)
        lengths = (changed[name].to_numpy(float)[:, None] for name in ("input_tokens", "output_tokens"))
        return cost.seconds(*lengths) * cost.gpu_w

    changes = {
        "four times the requests in flight": rows.assign(
            concurrency=(rows["concurrency"] * 4).clip(upper=MOST_IN_FLIGHT)
        )
    }
    if (rows["precision"] == USUAL_PRECISION).all():
        changes["weights in fp8 in place of bf16"] = rows.assign(precision="fp8")
    now = joules(rows)
    share = np.array([weights.get(name, 0.0) for name in rows["name"]])
    share = share / max(share.sum(), 1e-12)
    return {
        name: float(share @ (1 - np.median(joules(changed) / now, axis=1)))
        for name, changed in changes.items()
    }


def _beside(rows: pd.DataFrame, model: "ServingModel", settings: Serving) -> np.ndarray:
    """J of an output token over that of the first, the most frequent model, (n, DRAWS).

    All at the mean of their requests in flight: how a model's requests spread over instances is in no log,
    and with fewer of them each would carry more of the weights that are read for all.
    """
    from pipeline.serving.model.costs import request_cost

    alike = rows.drop(columns="name").assign(concurrency=rows["concurrency"].mean())
    cost = request_cost(alike, model, settings, np.random.default_rng(SEED), DRAWS)
    context = (rows["input_tokens"] + rows["output_tokens"] / 2).to_numpy(float)[
        :, None
    ]  # mean, of an answer
    joules = (cost.b_s_per_output_token + cost.k_s_per_token2 * context) * cost.gpu_w
    return np.asarray(joules / joules[0])


def _stated(weights: TokenWeights, given: Deployment) -> TokenWeights:
    """The ratios of deployment.yaml go first: of output tokens of the models that it names."""
    if not given.price_ratios:
        return weights
    ratios = {shape_key(name): value for name, value in given.price_ratios.items()}
    return replace(weights, output={**weights.output, **ratios})


def _configurations(
    loads: list[Load], tables: "Tables", given: Deployment, gpu: str
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows for the model of serving, one a model of known size, and what each size rests on."""
    from pipeline.ingest.chips import gpu_key, gpu_names

    cards = gpu_names(tables.hardware.reset_index())
    card = next((cards[gpu_key(name)] for name in (given.gpu, gpu) if gpu_key(name) in cards), "")
    card = card or next((CARDS[part] for part in CARDS if part in (given.gpu + gpu).upper()), USUAL_GPU)
    facts = tables.models.set_index("model")[["total_params_b", "active_params_b"]].astype("float64")
    sizes = {
        str(name): (float(row[0]), float(row[1]))
        for name, row in zip(facts.index, facts.to_numpy(), strict=True)
    }
    memory = float(tables.hardware["memory_gib"].to_dict()[card])
    rows, bases = [], {}
    for load in loads:
        shape = tables.names.resolve(load.model)
        total, active = sizes[shape] if shape else size_of(load.model)
        if not total:
            continue
        precision = given.precision or USUAL_PRECISION
        needed = total * BYTES.get(precision, 2.0) / (MEMORY_FOR_WEIGHTS * memory * 1.0737)
        gpus = (
            load.gpus
            or given.gpus_per_instance
            or next((count for count in GPUS if count >= needed), GPUS[-1])
        )
        bases[load.model] = PRICED if shape else SIZED
        rows.append(
            {
                "name": load.model,
                "model": shape or None,
                "total_params_b": float(total),
                "active_params_b": float(active),
                "gpu": card,
                "gpus": int(gpus),
                "precision": precision,
                "engine": given.engine or "vLLM",
                "concurrency": float(np.clip(load.in_flight, 1.0, MOST_IN_FLIGHT)),
                "input_tokens": max(load.input_tokens, 1.0),
                "output_tokens": max(load.output_tokens, 1.0),
                "output_cv": 1.0,
            }
        )
    return pd.DataFrame(rows), bases


def size_of(name: str) -> tuple[float, float]:
    """Billions of parameters, total and active, that a name states; 0 where it states none."""
    short = name.split("/")[-1].replace("_", "-")
    found = SIZE.search(short)
    if not found:
        return 0.0, 0.0
    total = float(found[1] or 1) * float(found[2])
    active = ACTIVE.search(short)
    return total, min(total, float(active[1])) if active else total


def _short(drawn: np.ndarray) -> float:
    return float(f"{np.median(drawn):.{DIGITS}g}")
