"""What the estimate says in few numbers: both analyses in one table, beside outside anchors, and its parts.

README, site, brief, paper and factors take them from here, so that two numbers under the same words are the
same number. Beside every published value stands ours at the same lengths (LIKE_FOR_LIKE): a difference in
lengths is not a difference of estimates.

An anchor names the quantity of ours that it is nearest to. What it does not say of itself, such as its model,
its lengths or its boundary, may be the difference; its note tells. `before` is the same of release 0.1.0.

accelerators, rest of the server, servers that stand idle, cooling and power supply
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import AGENTS, BLEND, BOUNDARIES, EVERY_REGIME, REGIMES
from pipeline.core.read import rows_where
from pipeline.core.summaries import band
from pipeline.core.units import TOKENS_PER_1000, Array
from pipeline.energy.model.contract import HEADLINE, LIKE_FOR_LIKE, OUTSIDE_ANCHORS, PARTS
from pipeline.energy.model.cost_curves import MeanLengths, ServingModel, configurations
from pipeline.energy.model.query_energy import Served
from pipeline.energy.model.study import Case, Study
from pipeline.ingest.contract import PER_1000_OUTPUT, TOKENS_PER_S, WORST, weakest
from pipeline.ingest.names import Names
from pipeline.ingest.sources import with_role
from pipeline.lengths.model.contract import SCENARIOS
from pipeline.serving.model.deployments import ONE_OF_BLEND, Deployment, Deployments

PUBLISHED_BLEND = "published blend"
PUBLISHED = "v2"  # the variant that the article prints
MEASURED, PARTLY, ASSUMED = "B", "C", WORST
# Columns of RE_ESTIMATED by statistic: of services, and of the blend, which is none.
OF_SERVICES = {"median query of a service": "median", "mean query of a service": "mean", "one query": "total"}
OF_BLEND = {"median query of the blend": "median", "mean query of the blend": "mean", "one query": "total"}
CONDITIONS = {
    "production": "lengths, load and sites of production, state of practice",
    "published": "lengths as published; load and sites of production, state of practice",
    "as published": "as published: full batches, lengths assumed, PUE and share of rated power assumed",
}
PAIRED = "one query"  # the statistic that both analyses have
PERCENTS = ("p5", "p50", "p95")
SIDES = {
    "published": ("as_published", "published"),
    "same_lengths": ("re_estimated", "published"),
    "production": ("re_estimated", "production"),
}


def headline(
    split: pd.DataFrame, energy: pd.DataFrame, deployments: Deployments, grades: Mapping[str, str]
) -> pd.DataFrame:
    """HEADLINE from RE_ESTIMATED and ENERGY_PER_QUERY; grades: of the models of each class."""
    rows = [*_ours(split, deployments, grades), *_published(energy, deployments)]
    return pd.DataFrame(rows)[list(HEADLINE.columns)]


def grades_of(deployments: Deployments, measurements: pd.DataFrame, names: Names) -> dict[str, str]:
    """Of each class: whether throughput and power of all its models were measured in serving."""
    rows = with_role(measurements, "chat").dropna(subset="gpu_w")
    seen = set(rows["model"].map(names.resolve))
    return {
        name: MEASURED if {names.resolve(item.model) for item in members} <= seen else PARTLY
        for name, members in deployments.services.items()
    }


def _ours(
    split: pd.DataFrame, deployments: Deployments, grades: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    services = deployments.services
    at = by(split[split["boundary"] == "facility"], ["variant", "regime", "subject"])
    for lengths in reversed(SCENARIOS):
        for regime in EVERY_REGIME if lengths == "production" else REGIMES:
            best = ASSUMED if lengths == "published" else PARTLY if regime in AGENTS else MEASURED
            for subject, members in {**services, BLEND: services[ONE_OF_BLEND]}.items():
                row = at[f"{lengths}_lengths", regime, subject]
                blend = subject == BLEND
                for statistic, column in (OF_BLEND if blend else OF_SERVICES).items():
                    yield {
                        "analysis": "re_estimated",
                        "model_class": PUBLISHED_BLEND if blend else subject,
                        "models": models(members),
                        "regime": regime,
                        "lengths": lengths,
                        "condition": CONDITIONS[lengths],
                        "statistic": statistic,
                        **{f"{p}_wh": row[f"{column}_{p}_wh"] for p in PERCENTS},
                        "mc_error_p50_wh": row[f"mc_error_{column}_p50_wh"],
                        "grade": weakest([grades[ONE_OF_BLEND if blend else subject], best]),
                    }


def _published(energy: pd.DataFrame, deployments: Deployments) -> Iterator[dict[str, Any]]:
    place = {"subject": BLEND, "boundary": "facility"}
    rows = rows_where(energy, analysis="as_published", variant=PUBLISHED, **place)
    for row in rows.to_dict("records"):
        yield {
            "analysis": "as_published",
            "model_class": PUBLISHED_BLEND,
            "models": models(deployments.services[ONE_OF_BLEND]),
            "regime": row["regime"],
            "lengths": "published",
            "condition": CONDITIONS["as published"],
            "statistic": PAIRED,
            **{name: row[name] for name in ("p5_wh", "p50_wh", "p95_wh", "mc_error_p50_wh")},
            "grade": ASSUMED,
        }


def models(members: Sequence[Deployment]) -> str:
    """The models of a class in words."""
    return ", ".join(item.model for item in members)


def like_for_like(found: pd.DataFrame) -> pd.DataFrame:
    """LIKE_FOR_LIKE from HEADLINE: published, ours at the same lengths, ours at those of production."""
    of = found[(found["model_class"] == PUBLISHED_BLEND) & (found["statistic"] == PAIRED)]
    at = by(of, ["analysis", "lengths", "regime"])
    rows = []
    for regime in REGIMES:
        sides = {name: at[*keys, regime] for name, keys in SIDES.items()}
        middle = {name: side["p50_wh"] for name, side in sides.items()}
        row = {"regime": regime, "model_class": PUBLISHED_BLEND, "statistic": PAIRED}
        row |= {f"{name}_{p}_wh": side[f"{p}_wh"] for name, side in sides.items() for p in PERCENTS}
        row["same_lengths_over_published"] = middle["same_lengths"] / middle["published"]
        row["production_over_same_lengths"] = middle["production"] / middle["same_lengths"]
        rows.append(row)
    return pd.DataFrame(rows)[list(LIKE_FOR_LIKE.columns)]


def by(table: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], dict[Any, Any]]:
    """Rows by the values of some columns."""
    return {tuple(row[key] for key in keys): row for row in table.to_dict("records")}


def outside_anchors(anchors: pd.DataFrame, study: Study, model: ServingModel) -> pd.DataFrame:
    """OUTSIDE_ANCHORS, one row an anchor; anchors: ANCHORS."""
    rows = [_row(anchor, study, model) for anchor in anchors.to_dict("records")]
    return pd.DataFrame(rows)[list(OUTSIDE_ANCHORS.columns)]


def _row(anchor: dict[Any, Any], study: Study, model: ServingModel) -> dict[str, Any]:
    ours = _beside(anchor, study, model)
    found = {name: band(ours, study.samples.replicates)[name] for name in PERCENTS}
    value = anchor["value"]
    before = {name: anchor[f"before_{name}"] for name in PERCENTS}
    return {
        **anchor,
        **found,
        "share_below": float(np.mean(ours < value)),
        "inside_90": _inside(value, found),
        "ours_over_anchor": found["p50"] / value,
        "before_inside_90": _inside(value, before) if before["p50"] > 0 else None,
        "before_over_anchor": before["p50"] / value,
    }


def _inside(value: float, ends: dict[str, float]) -> str:
    return "yes" if ends["p5"] <= value <= ends["p95"] else "no"


def _beside(anchor: dict[Any, Any], study: Study, model: ServingModel) -> Array:
    """The quantity that an anchor is compared with, in every sample, (n,)."""
    if anchor["unit"] == TOKENS_PER_S:
        return _tokens_per_s(anchor, study, model)
    case = next(
        one for one in study.cases if (one.scenario, one.regime) == (anchor["lengths"], anchor["regime"])
    )
    served = _served(anchor["subject"], study, case)
    if anchor["unit"] == PER_1000_OUTPUT:
        energy_wh = served.mean_energy_wh(anchor["boundary"], case.moments)
        return energy_wh / case.moments.output_tokens * TOKENS_PER_1000
    energies = served.queries_wh(anchor["boundary"], case.queries)
    return np.asarray(
        np.median(energies, axis=1) if "median" in anchor["statistic"] else energies.mean(axis=1)
    )


def _served(subject: str, study: Study, case: Case) -> Served:
    if subject in study.deployments.services:
        return study.service(subject, case)
    return study.served(next(one for one in study.deployments.models if one.model == subject), case)


def _tokens_per_s(anchor: dict[Any, Any], study: Study, model: ServingModel) -> Array:
    """Output tokens/s of one instance at the lengths and requests in flight of the anchor."""
    item = next(one for one in study.deployments.models if one.model == anchor["subject"])
    lengths = MeanLengths(anchor["input_tokens"], anchor["output_tokens"], 0.0)
    row = configurations(item, lengths).iloc[[0]].assign(concurrency=anchor["requests"])
    cost = model(row, len(study.samples))
    given, answer = anchor["input_tokens"], anchor["output_tokens"]
    seconds = cost.a_s_per_input_token * given + cost.b_s_per_output_token * answer
    seconds = seconds + cost.k_s_per_token2 * answer * (given + answer / 2)
    return np.asarray(answer / seconds[0])


SERVICE = "large mixture-of-experts"
LENGTHS = "production"


def parts(study: Study) -> pd.DataFrame:
    """ENERGY_PARTS of a service that runs one large mixture of experts, in real traffic."""
    return pd.DataFrame(list(_rows(study)))


def _rows(study: Study) -> Iterator[dict[str, Any]]:
    replicates = study.samples.replicates
    for case in study.cases:
        if case.scenario != LENGTHS:
            continue
        served = study.service(SERVICE, case)
        gpu, node, facility = (
            served.queries_wh(boundary, case.queries).reshape(len(study.samples), -1).mean(axis=1)
            for boundary in BOUNDARIES
        )
        at_servers = facility / study.samples.pue
        amounts = (gpu, node - gpu, at_servers - node, facility - at_servers)
        for part, amount in zip(PARTS, amounts, strict=True):
            share = np.asarray(amount / facility)
            yield {
                "regime": case.regime,
                "subject": SERVICE,
                "part": part,
                "mean_share": float(share.mean()),
                **{f"share_{name}": value for name, value in band(share, replicates).items()},
            }
