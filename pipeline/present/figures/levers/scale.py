"""Energy over the size of a system: measured points and the fitted curve, from one user to saturation."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.levers.tables import LeverTables
from pipeline.present.save import Drawing

QUANTITY = "j_per_output_token_"
BENCHMARK, FITTED, ONE_INSTANCE = "benchmark", "fitted", "fitted, one instance"
RAISED, MEASURED = "measured accelerators, modelled rest", "measured"
SPAN_USERS = (0.8, 1.2e5)
USERS = "Requests in flight, all servers together (log scale)"
BAND_ALPHA = 0.18
DASHES: dict[str, Any] = {"short": "solid", "long": (0, (3.0, 1.5))}
WHOLE_SERVERS: Any = (0, (1.2, 1.2))


def fig_scale(tables: LeverTables, profile: Figures) -> Drawing:
    """Left: as benchmarks run it, with what they measured. Right: as services run it, the largest model."""
    scale = tables.scale
    figure, (left, right) = style.new_figure(profile, "double", 70, columns=2, sharey=True)
    configurations = list(dict.fromkeys(scale["configuration"]))
    span = axes.decade_span([scale[f"{QUANTITY}p50"].min(), scale[f"{QUANTITY}p95"].max()])
    label = "Energy (J per output token, log scale)"
    for ax, name in ((left, label), (right, "")):
        axes.log_axis(ax, "y", *span, name)
        axes.log_axis(ax, "x", *SPAN_USERS, USERS, grid=False)
    for configuration in configurations:
        _benchmark(left, scale[scale["configuration"] == configuration])
    largest = scale[(scale["configuration"] == configurations[0]) & (scale["kind"] == FITTED)]
    for regime in style.REGIME_NAMES:
        _curve(right, largest[largest["lengths"] == regime], DASHES[regime])
    _names_of_regimes(right, largest)
    right.tick_params(labelleft=False)
    style.panel_title(left, "a  As a benchmark runs it")
    style.panel_title(right, f"b  As a service runs it: {configurations[0].split(',')[0]}")
    key.above(figure, right, [_key()])
    words = "; ".join(falls(scale))
    alt = f"Two panels of energy per output token that falls with the number of users: {words}."
    setups = "; ".join(configurations)
    caption = (
        "Efficiency scales with the size of the system. Energy per output token over the requests in flight "
        "on all servers together. (a) At the lengths of a benchmark, solid: one server from one user to "
        "saturation, fitted at the facility; filled dots: measured accelerators with the rest modelled; open "
        f"dots: measured accelerators alone ({setups}). Dotted: servers added with the users, each filled as "
        "far as a service configures it, which is less than benchmarks reach, with places spare for chance. "
        "(b) The same servers at the lengths of production, on an engine that is not known; the swing of "
        "demand over a day is not in it. Bands: 90 % interval of what is not known."
    )
    return Drawing(figure, alt, caption)


def falls(scale: pd.DataFrame) -> list[str]:
    """`Llama 3.1 405B, 8 H100, FP8 (short) from 224 to 9.4 J`: ends of each fitted curve."""
    found = []
    for (configuration, lengths), rows in scale[scale["kind"] == FITTED].groupby(
        ["configuration", "lengths"], sort=False
    ):
        ends = rows.sort_values("users")[f"{QUANTITY}p50"].iloc[[0, -1]]
        numbers = " to ".join(axes.significant(float(value)) for value in ends)
        found.append(f"{configuration} ({lengths}) from {numbers} J")
    return found


def _model(rows: pd.DataFrame) -> str:
    return str(rows["configuration"].iloc[0]).split(",")[0]


def _benchmark(ax: Axes, rows: pd.DataFrame) -> None:
    colour = style.model_colour(_model(rows))
    fitted = rows[(rows["lengths"] == BENCHMARK) & (rows["kind"] == FITTED)]
    _curve(ax, rows[rows["kind"] == ONE_INSTANCE], DASHES["short"])
    _curve(ax, added(fitted), WHOLE_SERVERS, banded=False)
    for kind, face in ((RAISED, colour), (MEASURED, style.PAPER)):
        points = rows[rows["kind"] == kind]
        look: dict[str, Any] = {"s": 6, "linewidths": 0.5, "zorder": 3, "gid": marks.DATA}
        ax.scatter(points["users"], points[f"{QUANTITY}p50"], facecolor=face, edgecolor=colour, **look)
    last = fitted.sort_values("users").iloc[-1]
    above = not _model(rows).startswith("Qwen")  # whose curve lies just below that of the largest model
    place: dict[str, Any] = {"offset_pt": (0, 7 if above else -8), "ha": "right"}
    marks.label_direct(ax, float(last["users"]), float(last[f"{QUANTITY}p50"]), _model(rows), **place)


def added(fitted: pd.DataFrame) -> pd.DataFrame:
    """Where servers are added with the users: from the most that one of them takes."""
    rows = fitted.sort_values("users")
    return rows[rows["users"] >= rows.loc[rows["instances"] == 1, "users"].max()]


def _curve(ax: Axes, rows: pd.DataFrame, dashes: Any, banded: bool = True) -> None:
    rows = rows.sort_values("users")
    colour = style.model_colour(_model(rows))
    users, low, middle, high = (
        rows[name].to_numpy(float) for name in ("users", *(f"{QUANTITY}{p}" for p in ("p5", "p50", "p95")))
    )
    if banded:
        ax.fill_between(users, low, high, color=colour, alpha=BAND_ALPHA, linewidth=0, zorder=1)
    look: dict[str, Any] = {"linewidth": style.LINE_PT, "linestyle": dashes, "zorder": 2, "gid": marks.DATA}
    ax.plot(users, middle, color=colour, **look)


def _names_of_regimes(ax: Axes, rows: pd.DataFrame) -> None:
    """Each curve named at its right end, the upper one above it and the lower one below."""
    ends = rows.sort_values("users").groupby("lengths").tail(1).set_index("lengths")[f"{QUANTITY}p50"]
    upper = ends[list(style.REGIME_NAMES)].idxmax()
    for regime, name in style.REGIME_NAMES.items():
        shift = 7 if regime == upper else -7
        users = float(rows["users"].max())
        marks.label_direct(ax, users, float(ends[regime]), name, ha="right", offset_pt=(0, shift))


def _dotted() -> Artist:
    look: dict[str, Any] = {"linewidth": style.LINE_PT, "linestyle": WHOLE_SERVERS, "color": style.MUTED}
    return Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, **look)


def _key() -> list[tuple[list[Artist], str]]:
    middle = [key.SIZE_PT[0] / 2], [key.MIDDLE_PT]
    dot: dict[str, Any] = {"marker": "o", "markersize": 2.6, "color": style.INK, "markeredgewidth": 0.5}
    return [
        ([*key.patch_sample(style.MUTED, BAND_ALPHA), *key.outline_sample(style.MUTED)], "fitted, 90 % band"),
        ([_dotted()], "servers added"),
        ([Line2D(*middle, **dot)], "accelerators measured, rest modelled"),
        ([Line2D(*middle, **dot, markerfacecolor=style.PAPER)], "accelerators alone, measured"),
    ]
