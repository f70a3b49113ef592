"""Contracts of routing: what routers chose, at what quality, and what follows for energy.

Sizes of closed models are ranges that others assume; `size_basis` says so on every row.
"""

import pandera.pandas as pa

from pipeline.contracts.columns import (
    CONFIDENCES,
    NOT_NEGATIVE,
    SHARE,
    count,
    key,
    number,
    schema,
    text,
    word,
)
from pipeline.contracts.published import LEVER_REGIMES, grade
from pipeline.contracts.results import REGIMES

PROFILES = ["quality", "balanced", "cost"]
SIZE_CLASSES = ["small", "middle", "large"]
UNKNOWN = "not known"

ROUTING = schema(
    {
        "key": key(),
        "router": text("router and its release"),
        "profile": word("profile that the router was set to", PROFILES),
        "model": text("model that it chose"),
        "size_class": word("by parameters active per token", [*SIZE_CLASSES, UNKNOWN]),
        "prompts": count("prompts that went to the model", NOT_NEGATIVE),
        "of_prompts": count("prompts of the profile, as printed", pa.Check.gt(0)),
        "total_low_b": number("parameters, 10^9, least", nullable=True),
        "total_high_b": number("parameters, 10^9, most", nullable=True),
        "active_low_b": number("parameters active per token, 10^9, least", nullable=True),
        "active_high_b": number("parameters active per token, 10^9, most", nullable=True),
        "size_basis": word("what the sizes rest on", ["published", "assumed by others", UNKNOWN]),
        "size_source": text("key of paper/references.bib for the sizes", nullable=True),
        "source": text("key of paper/references.bib for the choice"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: (table["size_basis"] != UNKNOWN) == table["active_low_b"].notna(),
            name="active_low_b",
            error="a number exactly where a size is known or assumed",
        ),
        pa.Check(
            lambda table: (table["size_basis"] != UNKNOWN) == table["size_source"].notna(),
            name="size_source",
            error="a source exactly where a size is known or assumed",
        ),
        pa.Check(
            lambda table: ~(table["active_low_b"] > table["active_high_b"]),
            name="active_low_b",
            error="at most active_high_b",
        ),
        pa.Check(
            lambda table: ~(table["active_high_b"] > table["total_high_b"]),
            name="active_high_b",
            error="at most total_high_b",
        ),
    ],
    "Which model a commercial router chose, by profile: one model of one profile a row.",
)

ROUTERS = schema(
    {
        "key": key(),
        "router": text("name of the router"),
        "benchmark": text("prompts that it was measured on"),
        "regime": word("queries for which it was shown", LEVER_REGIMES),
        "large_model": text("the model to spare"),
        "small_model": text("the model to use instead"),
        "share_small": number("share of prompts that went to the small model", SHARE),
        "quality_kept": number("quality over that of the large model alone", SHARE),
        "share_basis": word("what share_small was printed as", ["share of calls", "cost reduction"]),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "grade": grade(),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: (table["share_basis"] == "share of calls") | (table["grade"] == "D"),
            name="grade",
            error="D where a reduction of cost stands for the share of calls",
        )
    ],
    "Routers between two models: how many prompts the small one may take at what quality.",
)

COMPARISONS = schema(
    {
        "key": key(),
        "quantity": text("what the value is"),
        "subject": text("of what"),
        "value": number("the value"),
        "unit": word("unit of value", ["Wh", "s", "MW", "fraction", "million L/year"]),
        "bound": word("the value itself, or a bound of it", ["point", "upper bound"]),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [],
    "What the energy and the water of queries are compared with.",
)

PUBLISHED_TABLES = {"routing": ROUTING, "routers": ROUTERS, "comparisons": COMPARISONS}

PAIRS = ["open models", "closed models, assumed sizes"]


def _band(of: str) -> dict[str, pa.Column]:
    words = {"p5": "5th percentile", "p50": "median", "p95": "95th percentile"}
    return {
        name: number(f"{word} over what is not known, of {of}", NOT_NEGATIVE) for name, word in words.items()
    }


def _unique(columns: dict[str, pa.Column], unique: list[str], description: str) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, unique=unique, strict=True, ordered=True, description=description)


_CASE = {
    "pair": word("which two models", PAIRS),
    "regime": word("short: standard query; long: reasoning", [*REGIMES]),
}

ROUTING_CURVE = _unique(
    {
        **_CASE,
        "share_small": number("share of queries that the small model takes", SHARE),
        **_band("energy of all to the large model over energy with routing"),
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["pair", "regime", "share_small"],
    "How many times less energy routing takes, over the share that the small model takes.",
)

ROUTING_PROFILES = _unique(
    {
        "regime": _CASE["regime"],
        "profile": word("profile of the router", PROFILES),
        "prompts": count("prompts that it rests on", pa.Check.gt(0)),
        "share_small": number("share of prompts to models of the small class", SHARE),
        "share_middle": number("share of prompts to models of the middle class", SHARE),
        "share_large": number("share of prompts to models of the large class", SHARE),
        "share_unknown": number("share of prompts to models that are not named", SHARE),
        **_band("energy of all to gpt-5 over energy of the profile"),
        **{
            f"equivalent_share_{p}": number(
                f"share to the smallest model that would take the same energy, {p}", None
            )
            for p in ("p5", "p50", "p95")
        },
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["regime", "profile"],
    "Energy of the three profiles of a commercial router, sizes of closed models as others assume them.",
)

ROUTING_PUBLISHED = _unique(
    {
        "key": text("row of data/published/routers.csv"),
        "router": text("name of the router"),
        "benchmark": text("prompts that it was measured on"),
        **_CASE,
        "share_small": number("share of prompts that went to the small model", SHARE),
        "quality_kept": number("quality over that of the large model alone", SHARE),
        **_band("energy of all to the large model over energy at that share"),
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["key", "pair", "regime"],
    "What the shares of published routers, at the quality that they keep, would gain here.",
)

ROUTING_NEEDED = _unique(
    {
        **_CASE,
        "gain": number("times less energy", pa.Check.gt(1)),
        "worlds_reaching": number("share of the worlds in which any share reaches the gain", SHARE),
        "share_p5": number("share needed, 5th percentile of those worlds; blank: none", SHARE, nullable=True),
        "share_p50": number("median", SHARE, nullable=True),
        "share_p95": number("95th percentile", SHARE, nullable=True),
        "published_share": number(
            "largest share of calls that a published router reaches in the regime; blank: none was measured",
            SHARE,
            nullable=True,
        ),
        "worlds_within_published": number(
            "share of the worlds in which the published share suffices; blank: none", SHARE, nullable=True
        ),
    },
    ["pair", "regime", "gain"],
    "The share of queries that the small model would have to take for a given gain.",
)
