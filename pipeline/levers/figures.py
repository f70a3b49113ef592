"""Figures of the levers: what to do first, what scale gives, and levers alone and together.

Ours is a dot on its band; what others found is a square on its range.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.ingest.contract import GRADES_IN_WORDS
from pipeline.levers.model.contract import BANDS, BOUNDS, FITTED, measures
from pipeline.levers.paper import STATED
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.formats import Row, records
from pipeline.report.settings import Figures

GRADE_COLOURS = dict(
    zip(BANDS, (style.MEANING["re_estimated"], style.MEANING["modelled"], style.MUTED), strict=True)
)
SPAN, TICKS = (0.55, 12.0), (0.7, 1, 1.5, 2, 3, 5, 8)
COSTS, HALVES = "#F6E7E2", "#E9F0E5"  # grounds: more energy than before; half of it or less
HALF = 2.0
COLUMNS_PT = {"Chat": 6.0, "Reasoning": 64.0, "Grade": 122.0}  # right of the axes


@figure("fig-what-to-do-first", "What each measure saves, and on what evidence", "double")
def what_to_do_first(profile: Figures, lever_systems: pd.DataFrame) -> Drawing:
    """A row a measure, in bands of evidence, the largest saving of each first."""
    both = {
        regime: {one["name"]: one for one in measures(lever_systems, regime)} for regime in style.REGIME_NAMES
    }
    rows = sorted(both["short"].values(), key=lambda one: (list(BANDS).index(one["band"]), -one["p50"]))
    drawn, ax = style.new_figure(profile, "double", 84)
    style.log_axis(
        ax, "x", *SPAN, "Energy before over energy after, chat queries (times less, log scale)", grid=False
    )
    ax.set_xticks(TICKS, labels=[f"{tick:g}×" for tick in TICKS])
    ax.axvspan(SPAN[0], 1, color=COSTS, linewidth=0, zorder=0.1)
    ax.axvspan(HALF, SPAN[1], color=HALVES, linewidth=0, zorder=0.1)
    for x, words, ground in ((SPAN[0], "costs energy", COSTS), (HALF, "at least halves it", HALVES)):
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        ax.annotate(words, (x, 1), (3, -3), va="top", fontsize=style.SMALL_PT, gid=f"on {ground}", **place)
    heights = _heights(rows)
    for y, row in zip(heights, rows, strict=True):
        marks.range_marks(ax, y, row["p5"], row["p50"], row["p95"], GRADE_COLOURS[row["band"]])
        cells = [formats.band(both[regime][row["name"]]) for regime in style.REGIME_NAMES] + [row["grade"]]
        for x, text in zip(COLUMNS_PT.values(), cells, strict=True):
            marks.row_cell(ax, y, x, text)
    for head, x in COLUMNS_PT.items():
        marks.column_head(ax, x, head)
    _names(ax, rows, heights)
    words = "; ".join(f"{row['name']} {formats.band(row)}, grade {row['grade']}" for row in rows)
    alt = (
        f"{len(rows)} measures as intervals of times less energy on a log axis, in three bands of evidence: "
        f"{words}."
    )
    caption = (
        "Energy of a chat query before over after each measure alone, whole data centre, log scale. Dot: "
        "median; line: 90 % interval. Green: half the energy or less; red: more energy than before. Bands, "
        "from the top: measured or fitted to measurements (grades A, B), simulated or extrapolated (C), and "
        "assumed in part (D). On the right: times less for chat and for reasoning, and the grade for chat. "
        "Measures overlap, so their savings must not be multiplied."
    )
    good = [row["name"] for row in rows if row["band"] == "AB" and row["p50"] >= HALF]
    says = finding(
        (
            len(good) == 1,
            f"Only {good[0].lower() if good else ''} halve energy on good evidence",
        ),
        (len(good) == 0, "On good evidence no single measure halves the energy of chat"),
        (len(good) > 1, f"On good evidence {len(good)} measures halve the energy of chat"),
    )
    return Drawing(drawn, alt, caption, says)


def _heights(rows: list[dict[str, Any]]) -> list[float]:
    """One row apart; half a row more, and one for the name, where a band begins."""
    found, y, before = [], 0.0, None
    for row in rows:
        y += 2.2 if row["band"] != before and before else 1.0
        found.append(y)
        before = row["band"]
    return found


def _names(ax: Axes, rows: list[dict[str, Any]], heights: list[float]) -> None:
    ax.set_yticks(heights, labels=[row["name"] for row in rows])
    ax.set_ylim(heights[-1] + 0.7, heights[0] - 1.9)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for band, words in BANDS.items():
        at = [y for y, row in zip(heights, rows, strict=True) if row["band"] == band]
        if at:
            marks.row_heading(ax, at[0] - 1.0, f"{words} ({', '.join(band)})")


QUANTITY = "j_per_output_token_"
BENCHMARK, SCALE_FITTED, ONE_INSTANCE = "benchmark", "fitted", "fitted, one instance"
RAISED, SCALE_MEASURED = "measured accelerators, modelled rest", "measured"
SPAN_USERS = (0.8, 1.2e5)
USERS = "Concurrent requests, all servers together (log scale)"
BAND_ALPHA = 0.18
DASHES: dict[str, Any] = {"short": "solid", "long": (0, (3.0, 1.5))}
WHOLE_SERVERS: Any = (0, (1.2, 1.2))


@figure("fig-l1-scale", "Efficiency over the size of the system", "double")
def scale(profile: Figures, lever_scale: pd.DataFrame) -> Drawing:
    """Left: as benchmarks run it, with what they measured. Right: as services run it, the largest model."""
    drawn, (left, right) = style.new_figure(profile, "double", 70, columns=2, sharey=True)
    configurations = list(dict.fromkeys(lever_scale["configuration"]))
    span = style.decade_span([lever_scale[f"{QUANTITY}p50"].min(), lever_scale[f"{QUANTITY}p95"].max()])
    label = "Energy (J per output token, log scale)"
    for ax, name in ((left, label), (right, "")):
        style.log_axis(ax, "y", *span, name)
        style.log_axis(ax, "x", *SPAN_USERS, USERS, grid=False)
    for configuration in configurations:
        _benchmark(left, lever_scale[lever_scale["configuration"] == configuration])
    largest = lever_scale[
        (lever_scale["configuration"] == configurations[0]) & (lever_scale["kind"] == SCALE_FITTED)
    ]
    for regime in style.REGIME_NAMES:
        _curve(right, largest[largest["lengths"] == regime], DASHES[regime])
    _names_of_regimes(right, largest)
    right.tick_params(labelleft=False)
    style.panel_title(left, "a  As a benchmark runs it")
    style.panel_title(right, f"b  As a service runs it: {configurations[0].split(',')[0]}")
    marks.key_above(drawn, right, [_key()])
    words = "; ".join(falls(lever_scale))
    alt = f"Two panels of energy per output token that falls with the number of users: {words}."
    setups = "; ".join(configurations)
    caption = (
        "Energy per output token over the concurrent requests "
        "on all servers together. (a) At the lengths of a benchmark, solid: one server from one user to "
        "saturation, fitted at the facility; dots: measured accelerators with the rest modelled; "
        f"crosses: measured accelerators alone ({setups}). Dotted: servers added with the users, each filled "
        "as far as a service configures it, less than benchmarks reach, with places spare for chance. "
        "(b) The same servers at the lengths of production, on an engine that is not known; the swing of "
        "demand over a day is not in it. Bands: 90 % interval."
    )
    ends = largest.sort_values("users").groupby("lengths")[f"{QUANTITY}p50"].agg(["first", "last"])
    gain = float((ends["first"] / ends["last"]).loc["short"])
    says = finding((gain > 1, f"A lone user takes {gain:.0f} times the energy of a busy service"))
    return Drawing(drawn, alt, caption, says)


def falls(scale: pd.DataFrame) -> list[str]:
    """`Llama 3.1 405B, 8 H100, FP8 (short) from 224 to 9.4 J`: ends of each fitted curve."""
    found = []
    for (configuration, lengths), rows in scale[scale["kind"] == SCALE_FITTED].groupby(
        ["configuration", "lengths"], sort=False
    ):
        ends = rows.sort_values("users")[f"{QUANTITY}p50"].iloc[[0, -1]]
        numbers = " to ".join(formats.significant(float(value)) for value in ends)
        found.append(f"{configuration} ({lengths}) from {numbers} J")
    return found


def _model(rows: pd.DataFrame) -> str:
    return str(rows["configuration"].iloc[0]).split(",")[0]


def _benchmark(ax: Axes, rows: pd.DataFrame) -> None:
    colour = style.model_colour(_model(rows))
    fitted = rows[(rows["lengths"] == BENCHMARK) & (rows["kind"] == SCALE_FITTED)]
    _curve(ax, rows[rows["kind"] == ONE_INSTANCE], DASHES["short"])
    _curve(ax, added(fitted), WHOLE_SERVERS, banded=False)
    for kind, marker in ((RAISED, "o"), (SCALE_MEASURED, "x")):
        points = rows[rows["kind"] == kind]
        look: dict[str, Any] = {"s": 6, "linewidths": 0.5, "zorder": 3, "gid": marks.DATA, "marker": marker}
        ax.scatter(points["users"], points[f"{QUANTITY}p50"], color=colour, **look)
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


def _key() -> list[marks.Sample]:
    dot: dict[str, Any] = {"size_pt": 2.6, "color": style.INK, "markeredgewidth": 0.5}
    band = [*marks.patch_sample(style.MUTED, BAND_ALPHA), *marks.line_sample(style.MUTED)]
    return [
        (band, "fitted, 90 % band"),
        (marks.line_sample(style.MUTED, style.LINE_PT, linestyle=WHOLE_SERVERS), "servers added"),
        (marks.mark_sample("o", **dot), "accelerators measured, rest modelled"),
        (marks.mark_sample("x", **dot), "accelerators alone, measured"),
    ]


MEASURED = "measured energy"
BLUE = style.MEANING["re_estimated"]
FOUR = "#12337A"  # dark blue, for the same model in four bits
COLOURS = {MEASURED: style.MEANING["measured"]}
OTHERWISE = style.MEANING["modelled"]  # throughput at rated power, simulation
SQUARE_PT = 2.4
LABEL = "Energy on H100 over energy on the newer chip, chat (times less, log scale)"
NAMES = {"TPU7x": "TPU7x (Ironwood)"}
BASELINE = "H100"
CHIP_SPAN, CHIP_TICKS = (0.5, 16.0), (0.5, 1, 2, 3, 5, 10)
CHIP_COLUMNS_PT = {"Eight bits": 6.0, "Four bits": 64.0, "Grade": 122.0}  # right of the axes
CHIP_APART = 0.2  # of a row, between the marks of one chip
FOUR_BITS = "fp4"
FEW = 2


@figure("fig-l3-hardware", "The ladder of accelerators", "double")
def hardware(profile: Figures, lever_hardware: pd.DataFrame, lever_systems: pd.DataFrame) -> Drawing:
    """A row a chip, chat: what was measured, what was published, and the fitted model; bands of evidence."""
    rows = []
    for chip in dict.fromkeys(lever_hardware["chip"]):
        found = rows_of_chip(lever_hardware, lever_systems, "short", chip)
        fitted = {_four_bits(row): row for row in found if _is_fitted(row)}
        if chip != BASELINE and fitted:
            grade = fitted[False]["grade"]
            band = next(band for band in BANDS if grade in band)
            row = {"chip": chip, "name": NAMES.get(chip, chip), "band": band, "grade": grade}
            rows.append(row | {"found": found, "fitted": fitted})
    drawn, ax = style.new_figure(profile, "double", 84)
    style.log_axis(ax, "x", *CHIP_SPAN, LABEL, grid=False)
    ax.set_xticks(CHIP_TICKS, labels=[f"{tick:g}×" for tick in CHIP_TICKS])
    marks.reference_line(ax, 1.0, "x")
    heights = _heights(rows)
    for y, row in zip(heights, rows, strict=True):
        for at, one in enumerate(row["found"]):
            _mark(ax, y + CHIP_APART * (at - (len(row["found"]) - 1) / 2), one)
        bits = [formats.band(row["fitted"][four]) if four in row["fitted"] else "–" for four in (False, True)]
        for x, text in zip(CHIP_COLUMNS_PT.values(), [*bits, row["grade"]], strict=True):
            marks.row_cell(ax, y, x, text)
    for head, x in CHIP_COLUMNS_PT.items():
        marks.column_head(ax, x, head)
    _names(ax, rows, heights)
    marks.key_above(drawn, ax, [_chip_key()])
    words = "; ".join(f"{row['chip']}: {', '.join(map(_chip_in_words, row['found']))}" for row in rows)
    alt = f"Times less energy than {BASELINE} for chat, by accelerator: {words}."
    caption = (
        f"Energy of chat on {BASELINE} over that of the same work on a newer accelerator, whole data centre, "
        "log scale. Dots: the fitted model, two models in equal parts, median and 90 % interval (blue: "
        "weights in eight bits; dark blue: in four bits on the newer chip; a chip that no fit has seen: by "
        "its published bandwidth, arithmetic and rated power). Squares: what others measured as energy of "
        "accelerators (orange, grade A), or published as throughput, at rated power (dark red, grade B), "
        "with the least and the most over models. On the right: times less and grade of the fitted model. "
        f"Reasoning is in the table of accelerators. {GRADES_IN_WORDS}"
    )
    b200 = next(row["fitted"] for row in rows if row["chip"] == "B200")
    gains = [formats.significant(b200[four]["p50"]) for four in (False, True)]
    text = f"B200 takes {gains[0]} times less than {BASELINE}, in four bits {gains[1]}"
    says = finding((b200[True]["p50"] > b200[False]["p50"] > 1, text))
    return Drawing(drawn, alt, caption, says)


def rows_of_chip(hardware: pd.DataFrame, systems: pd.DataFrame, regime: str, chip: str) -> list[Row]:
    """Measured, then published, then the fitted model in eight and in four bits, against the baseline."""
    place = (hardware["chip"] == chip) & (hardware["regime"] == regime) & (hardware["baseline"] == BASELINE)
    found = hardware[place & ~hardware["basis"].isin(STATED)]
    found = found[~found["basis"].str.startswith(FITTED)]
    several = found["n_values"] > FEW  # beside which one or two values of one model say little
    found = found[several] if several.any() else found
    fitted = systems[
        (systems["group"] == "hardware")
        & (systems["system"] == chip)
        & (systems["regime"] == regime)
        & systems["basis"].str.startswith(FITTED)
    ]
    return [
        *records(found.sort_values("grade", kind="stable")),
        *records(fitted),
    ]


def _is_fitted(row: Row) -> bool:
    return str(row["basis"]).startswith(FITTED)


def _four_bits(row: Row) -> bool:
    return f"in {FOUR_BITS} against" in str(row.get("compared", ""))


def _mark(ax: Axes, y: float, row: Row) -> None:
    if _is_fitted(row):
        marks.range_marks(ax, y, row["p5"], row["p50"], row["p95"], FOUR if _four_bits(row) else BLUE)
    else:
        others(ax, y, row)


def _chip_in_words(row: Row) -> str:
    bits = ("four bits " if _four_bits(row) else "eight bits ") if _is_fitted(row) else ""
    return f"{bits}{row['basis']} {formats.band(row)} grade {row['grade']}"


def _chip_key() -> list[marks.Sample]:
    return [
        (square_sample(COLOURS[MEASURED]), "measured energy"),
        (square_sample(OTHERWISE), "published throughput"),
        (marks.range_sample(BLUE), "model, eight bits"),
        (marks.range_sample(FOUR), "model, four bits"),
    ]


def others(ax: Axes, y: float, row: Mapping[str, Any]) -> None:
    """What others found: the middle of their values, with the least and the most where there are several.

    A bound is an arrow from it to where the value may lie.
    """
    colour = COLOURS.get(str(row["basis"]), OTHERWISE)
    if isinstance(row["bound"], str):
        upper = row["bound"] == BOUNDS[0]
        marks.bound(ax, y, row["p95"] if upper else row["p5"], upper, colour)
        return
    if np.isfinite(row["p5"]):
        ends = [row["p5"], row["p95"]]
        ax.plot(ends, [y, y], color=colour, linewidth=style.HAIR_PT, zorder=1.8, gid=marks.DATA)
    look: dict[str, Any] = {"marker": "s", "markersize": SQUARE_PT, "markeredgewidth": 0}
    ax.plot([row["p50"]], [y], linestyle="none", color=colour, zorder=2.5, gid=marks.DATA, **look)


def square_sample(colour: str) -> list[Artist]:
    """The square on its range in small."""
    square = marks.mark_sample("s", SQUARE_PT, markeredgewidth=0, color=colour)
    return [*marks.line_sample(colour, style.HAIR_PT), *square]
