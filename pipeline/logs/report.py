"""The report of one run: an HTML page that opens without network, and the same as JSON.

With doubts that are not accepted it has the account, the meters and what was assumed, and no number of
energy a query.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, select_autoescape

from pipeline.core.files import round_significant
from pipeline.logs.beside import of_class, prediction, published, records
from pipeline.logs.estimate import EnergyFromLogs
from pipeline.logs.prices import savings

TEMPLATES = Path(__file__).parent / "templates"
MOST_HOURS = 240  # rows of the page; the table has all
MOST_METERS = 64
LEAST_PUE = 1.1
WIDTH, HEIGHT = 720.0, 140.0


def report(
    result: EnergyFromLogs, files: list[dict[str, str]], notes: list[str], show: bool
) -> dict[str, Any]:
    """Everything that the page and the JSON say, as plain values."""
    assert result.settings is not None
    content: dict[str, Any] = {
        "headline_given": show,
        "flags": [{"kind": flag.kind, "text": flag.text} for flag in result.flags],
        "files": files,
        "notes": notes + result.notes,
        "account": records(result.account),
        "set_aside": records(result.set_aside.head(MOST_METERS)),
        "meters": records(result.meters.head(MOST_METERS)),
        "nodes": records(result.nodes.head(MOST_METERS)),
        "assumed_complete": result.complete,
        "assumed": records(result.assumed),
        "energy_read_wh": dict(result.energy),
    }
    if show:
        content |= {
            "models": _models(result),
            "hours": records(result.hours.head(MOST_HOURS)),
            "prediction": prediction(result),
            "levers": levers(result),
            "published": published(),
            "classes": of_class(result),
        }
    return dict(round_significant(content))


def page(content: dict[str, Any], timeline: pd.DataFrame) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["j2"], default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["n"] = _number
    return environment.get_template("report.html.j2").render(**content, pictures=pictures(timeline))


def as_json(content: dict[str, Any]) -> str:
    """The same content for programs."""
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def levers(result: EnergyFromLogs) -> list[dict[str, Any]]:
    """What would save most of this log's energy: modelled, each alone, the three largest; share of facility
    energy."""
    assert result.settings and result.prices
    energy = result.nodes[["wh", "idle_wh"]].sum()
    idle = float(energy["idle_wh"] / max(energy["wh"], 1e-9))
    found: list[dict[str, Any]] = [
        {"lever": "no idle time (fewer nodes, or all of them busy)", "saves": idle}
    ]
    if result.settings.pue > LEAST_PUE:
        found.append({"lever": f"a site of PUE {LEAST_PUE:g}", "saves": 1 - LEAST_PUE / result.settings.pue})
    of = result.models
    weights = dict(
        zip(of["model"].astype("str"), (of["node_mean_wh"] * of["queries"]).astype(float), strict=True)
    )
    serving = 1 - idle
    found += [
        {"lever": name, "saves": share * serving}
        for name, share in savings(result.prices, weights, result.settings.serving).items()
    ]
    return sorted((one for one in found if one["saves"] > 0.005), key=lambda one: -one["saves"])[:3]


def pictures(timeline: pd.DataFrame) -> list[dict[str, Any]]:
    """Lines over time as points of an SVG of WIDTH x HEIGHT."""
    if len(timeline) < 2:
        return []
    start = timeline["start_s"] - timeline["start_s"].iloc[0]
    x = start / max(float(start.iloc[-1]), 1.0) * WIDTH
    found = []
    for name, label in (
        ("node_w", "W at the nodes"),
        ("output_tokens_per_s", "weighted tokens a second"),
        ("idle_share", "share of energy that idles"),
    ):
        most = float(timeline[name].max())
        y = HEIGHT - timeline[name] / (most or 1.0) * (HEIGHT - 8)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        found.append({"label": label, "most": most, "points": points, "lasts": _lasts(float(start.iloc[-1]))})
    return found


def _lasts(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:.3g} hours"


def _models(result: EnergyFromLogs) -> list[dict[str, Any]]:
    """models.csv with energy at the accelerators, where they are metered."""
    assert result.settings is not None
    read = result.energy
    part = read["accelerators"] / read["nodes_of_accelerators"] if read["nodes_of_accelerators"] else None
    rows = records(result.models)
    for row in rows:
        row["accelerator_wh"] = row["node_mean_wh"] * part if part else None
        row["total_ml"] = row["onsite_ml"] + row["offsite_ml"]
    return rows


def _number(value: Any) -> str:
    """A number for readers, three significant digits; a dash where there is none."""
    if value is None or isinstance(value, str):
        return value or "-"
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e9):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
