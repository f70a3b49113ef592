"""Every number that the text may use, by one flat key each.

`energy.v2.short.blend.p50_wh`, `fleet.v2.mixed.total.value_gwh_per_day`, `fit.llama-3.1-405b.slope_output`,
`claims.v2.ratio.ours_value`, `claims.count.reproduction.exact`, `assumed.v2.pue.p95`. A number that is
missing has no key; energies are those at the facility.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from pipeline.assumptions.base import Assumption, Section
from pipeline.assumptions.published import AsPublished
from pipeline.present.claims.ledger import counts

Number = float | int | str
WORDS = ("verdict", "support", "method")  # columns of text that the paper quotes


def collect(
    energy: pd.DataFrame,
    fleet: pd.DataFrame,
    fits: pd.DataFrame,
    ledger: pd.DataFrame,
    published: AsPublished,
) -> dict[str, Number]:
    """All keys and values; tables as in pipeline.contracts, fits as written by the throughput stage."""
    numbers: dict[str, Number] = {}
    for prefix, table, names in [
        ("energy", energy[energy["boundary"] == "facility"], ["variant", "regime", "subject"]),
        ("fleet", fleet, ["variant", "scenario", "component"]),
        ("fit", fits, ["model"]),
        ("claims", ledger, ["key"]),
    ]:
        numbers |= by_key(prefix, table, names)
    for by, verdicts in counts(ledger).items():
        numbers[f"claims.count.{by}.all"] = sum(verdicts.values())
        numbers |= {f"claims.count.{by}.{slug(verdict)}": count for verdict, count in verdicts.items()}
    numbers["claims.count.all"] = len(ledger)
    for kind, part in ledger.groupby("kind"):
        numbers[f"claims.count.kind.{kind}"] = len(part)
        numbers[f"claims.count.kind.{kind}.exact"] = int((part["verdict"] == "exact").sum())
    for name, variant in published.variants.items():
        numbers |= dict(assumed(f"assumed.{name}", variant))
    numbers |= dict(assumed("assumed.stream", published.authors_stream))
    return numbers


def by_key(prefix: str, table: pd.DataFrame, names: list[str]) -> dict[str, Number]:
    """Each number, and each of WORDS, under `prefix.<names of the row>.<column>`; none for a missing cell."""
    found: dict[str, Number] = {}
    for record in table.to_dict("records"):
        row = ".".join([prefix, *(slug(record[name]) for name in names)])
        found |= {
            f"{row}.{column}": value
            for column, value in record.items()
            if not pd.isna(value)
            and (column in WORDS or (column not in names and not isinstance(value, str)))
        }
    return found


def slug(text: str) -> str:
    """Lower case; a hyphen for whatever is not letters, digits, dot or underscore."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-")


def assumed(prefix: str, item: Any) -> Iterator[tuple[str, Number]]:
    """Plain numbers of a section: parameters of distributions, their medians, counts and percentiles."""
    if isinstance(item, Assumption):
        yield f"{prefix}.median", item.distribution.median()
        parameters: Mapping[str, Any] = item.distribution.model_dump(
            exclude={"family", "median_value"}, exclude_none=True
        )
        yield from ((f"{prefix}.{name}", value) for name, value in parameters.items())
    elif isinstance(item, Section):
        for name in type(item).model_fields:
            yield from assumed(f"{prefix}.{name}", getattr(item, name))
    elif isinstance(item, list | tuple):
        for number, part in enumerate(item, start=1):
            yield from assumed(f"{prefix}.{number}", part)
    elif isinstance(item, int | float) and not isinstance(item, bool):
        yield prefix, item
