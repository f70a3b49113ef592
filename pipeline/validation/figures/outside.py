"""Figures of estimates from outside: earlier ones beside ours, and laboratories that no fit has seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from pipeline.core.read import row_where
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures
from pipeline.serving.model.laboratories import TOLD, known_to

BLUE, GREY = style.MEANING["re_estimated"], style.MUTED
RATE = "output_tokens_per_s"
CELL = ["model", "gpu", "gpus", "precision", "engine"]
LOAD = ["concurrency", "input_tokens", "output_tokens"]
COLUMN_PT = 28.0
SAME = 0.1  # ln, between loads that count as one
ENDS = {"step_factor_low": "p5", "step_factor": "p50", "step_factor_high": "p95"}


@figure("fig-r10-laboratories", "Laboratories, and measurements of one's own", "double")
def laboratories(
    profile: Figures,
    serving_laboratories: pd.DataFrame,
    calibration_curve: pd.DataFrame,
    model_selection: pd.DataFrame,
    basis_errors: pd.DataFrame,
    serving_measurements: pd.DataFrame,
) -> Drawing:
    """Laboratories and the cells that two of them measured; error by own measurements and by basis."""
    drawn, ((left, right), (twice, below)) = style.new_figure(
        profile, "double", 118, rows=2, columns=2, height_ratios=[1.5, 1]
    )
    table = serving_laboratories.sort_values("step_factor", ignore_index=True)
    _laboratories(left, table)
    _learning(right, calibration_curve)
    cells, bases = measured_twice(serving_measurements), basis_errors[basis_errors["quantity"] == RATE]
    _twice(twice, cells)
    _bases(below, bases)
    factor, told = known_to(model_selection, calibration_curve)
    error = calibration_curve.set_index("own_rows")["median_abs_ln_error"]
    off = float(np.median(np.exp(np.abs(np.log(cells["ratio"])))))
    caption = (
        "How far laboratories differ, and what a few measurements of one's own are worth; throughput. "
        "(a) Time of a step in each laboratory over the common one, as fitted, beside who tunes each point "
        "(dot: median; line: 90 % interval). On the right: its rows, and its measured throughput over that "
        "predicted when all of its rows are left out. (b) Median error over "
        f"{calibration_curve['configurations'].max()} configurations of laboratories left out, after the "
        "model was told some of their rows (blue), or when it is moved by the mean error of these rows "
        f"(grey). From outside the 90 % interval reaches a factor of {factor:.1f} either way, after {TOLD} "
        f"measurements {told:.1f}. (c) The {len(cells)} cells of the same model, chips, engine and load that "
        f"two laboratories measured; half differ by {off:.1f} times or more. (d) Median error of rows left "
        "out by what the prediction rests on; on the right its rows, and the share inside 90 % bands."
    )
    alt = (
        f"Four panels. (a) Step time of {len(table)} laboratories, {table['step_factor'].min():.2f} "
        f"to {table['step_factor'].max():.2f} times the common one. (b) The median error of throughput "
        f"falls from {error.iloc[0]:.2f} without own measurements to {error.loc[TOLD]:.2f} with {TOLD}. "
        f"(c) {len(cells)} ratios of two laboratories, {cells['ratio'].min():.1f} to "
        f"{cells['ratio'].max():.1f}. (d) Median error by basis, "
        + ", ".join(bases["basis"] + bases["median_abs_ln_error"].map(" {:.2f}".format))
        + "."
    )
    text = f"Throughput is known within a factor {factor:.1f}; after {TOLD} measurements, {told:.1f}"
    says = finding((told < factor, text))
    return Drawing(drawn, alt, caption, says)


def _laboratories(ax: Axes, table: pd.DataFrame) -> None:
    style.panel_title(ax, "a  Laboratories")
    low, high = table["step_factor_low"].min(), table["step_factor_high"].max()
    ys = style.name_rows(ax, _words(table["laboratory"]).tolist()).tolist()
    marks.intervals(ax, table.rename(columns=ENDS), ys, [BLUE] * len(table), "p{}", thick=False)
    marks.reference_line(ax, 1.0, "x")
    ax.set(xlim=(0.95 * low, 1.05 * high), xlabel="Time of a step over the common one")
    left_out = np.exp(table["left_out_bias_ln"])
    _columns(ax, ys, rows=table["n"].map("{:,}".format), measured=left_out.map("×{:.2f}".format))


def _columns(ax: Axes, ys: Sequence[float], **columns: pd.Series) -> None:
    """Text beside each row, under heads."""
    for at, (head, texts) in enumerate(columns.items()):
        marks.column_head(ax, COLUMN_PT * at + 6.0, head.replace("_", " "))
        for y, text in zip(ys, texts, strict=True):
            marks.row_cell(ax, y, COLUMN_PT * at + 6.0, text)


def _words(keys: pd.Series) -> pd.Series:
    """Laboratories as sources.csv names them, in words."""
    return keys.str.replace("_", " ")


def measured_twice(measurements: pd.DataFrame) -> pd.DataFrame:
    """Cells of CELL and about the same LOAD in two laboratories: both rows, and the `ratio` of tokens/s."""
    rows = measurements.dropna(subset=[*CELL, *LOAD, RATE])[[*CELL, *LOAD, RATE, "laboratory"]]
    pairs = rows.merge(rows, on=CELL, suffixes=("", "_other"))
    apart = [np.abs(np.log(pairs[name] / pairs[f"{name}_other"])) < SAME for name in LOAD]
    pairs = pairs[np.all(apart, axis=0) & (pairs["laboratory"] < pairs["laboratory_other"])]
    return pairs.assign(ratio=pairs[RATE] / pairs[f"{RATE}_other"])


def _twice(ax: Axes, cells: pd.DataFrame) -> None:
    style.panel_title(ax, "c  The same cell in two laboratories")
    names = cells["model"] + ", " + cells["gpus"].map("{:g} ".format) + cells["gpu"]
    rows = list(dict.fromkeys(names))
    ys = style.name_rows(ax, rows)
    ax.plot(cells["ratio"], ys[names.map(rows.index).to_numpy(int)], gid=marks.DATA, **marks.dot_look(BLUE))
    marks.reference_line(ax, 1.0, "x")
    pairs = sorted(set(_words(cells["laboratory"] + " over " + cells["laboratory_other"])))
    ax.set(xlim=(0, 1.1 * cells["ratio"].max()), xlabel=f"Tokens/s, {', '.join(pairs)}")


def _bases(ax: Axes, bases: pd.DataFrame) -> None:
    style.panel_title(ax, "d  By what a prediction rests on")
    ys = style.name_rows(ax, bases["basis"].tolist())
    ax.plot(bases["median_abs_ln_error"], ys, gid=marks.DATA, **marks.dot_look(BLUE))
    ax.set(xlim=(0, 1.25 * bases["median_abs_ln_error"].max()), xlabel="Median |ln error| of tokens/s")
    _columns(
        ax, ys.tolist(), rows=bases["n"].map("{:,}".format), inside=bases["coverage_90"].map(formats.percent)
    )


def _learning(ax: Axes, curve: pd.DataFrame) -> None:
    style.panel_title(ax, "b  Measurements of one’s own")
    for column, colour, name in (
        ("offset_median_abs_ln_error", GREY, "moved by their mean error"),
        ("median_abs_ln_error", BLUE, "told to the model"),
    ):
        rows = curve[curve[column].notna()]
        ax.plot(rows["own_rows"], rows[column], gid=marks.DATA, **_look(colour))
        # The blue name below the end of its line, the grey one above a point that the blue line is far from.
        highest = rows[rows["own_rows"] > rows["own_rows"].min() + 1].sort_values(column).iloc[-1]
        at, ha, up = (rows.iloc[-1], "right", -8.0) if colour == BLUE else (highest, "center", 8.0)
        marks.label_direct(ax, at["own_rows"], at[column], name, colour, ha=ha, offset_pt=(0.0, up))
    ax.set(ylim=(0, None), xlabel="Own measurements", ylabel="Median |ln error| of tokens/s")
    ax.set_xticks(curve["own_rows"])
    ax.locator_params(axis="y", nbins=5)


def _look(colour: str) -> dict[str, Any]:
    return {**marks.dot_look(colour), "linestyle": "-", "linewidth": style.LINE_PT}


OURS = "This project, production lengths"
PUBLISHED = "Published analysis"
CLAIM = (4.0, 20.0)
MODELLED, TESTED = "Facility, modelled", "Accelerators, measured in benchmarks"
# Rows from the top: ours at a boundary, or the groups of others that it holds.
STRIPS: dict[str, str | tuple[str, ...]] = {
    "Data centre: ours": "facility",
    "Data centre: the published study": (PUBLISHED,),
    "Data centre: measured": ("Facility, measured in production", "Facility, measured in benchmarks"),
    "Data centre: modelled": (MODELLED,),
    "Server: ours": "node",
    "Server: measured, modelled": (
        "Server, measured in production",
        "Server, measured in benchmarks",
        "Server, modelled",
    ),
    "Accelerators: ours": "gpu",
    "Accelerators: measured, quoted": (
        "Accelerators, measured in production",
        TESTED,
        "Accelerators, stated or quoted",
    ),
    "Boundary not stated": ("Boundary not stated, modelled", "Boundary not stated, stated or quoted"),
}
NAMED: dict[str, tuple[str, dict[str, Any]]] = {  # estimates that readers know, and where their names stand
    "google_median": ("Google", {"ha": "right", "offset_pt": (-4.0, 0.0)}),
    "altman": ("OpenAI", {"offset_pt": (4.0, 0.0)}),
    "devries_10x": ("de Vries", {"ha": "center", "offset_pt": (0.0, -8.0)}),
    "haus_prompt": ("Claude Code", {"ha": "right", "offset_pt": (-4.0, 0.0)}),
    "bloom_2022": ("BLOOM", {"ha": "center", "offset_pt": (0.0, -6.0)}),
}
POINT_PT, EDGE_PT, PALE = 2.0, 0.4, 0.25


@figure("fig-r5-prior-estimates", "Published energies per query by boundary and method", "double")
def prior_estimates(profile: Figures, prior_estimates_compared: pd.DataFrame) -> Drawing:
    """Strips of all estimates on one axis of Wh per query, ours for chat above those of its boundary."""
    prior = prior_estimates_compared
    drawn, ax = style.new_figure(profile, "double", 88)
    published = float((prior["value_wh"] / prior["ratio_to_published"])[prior["workload"] == "short"].iloc[0])
    style.log_axis_wh(
        ax, *style.decade_span([float(prior["value_wh"].min()) * 0.8, float(prior["value_wh"].max()) / 0.8])
    )
    style.name_rows(ax, list(STRIPS), room=(0.6, 0.9))
    ours = prior[(prior["group"] == OURS) & (prior["workload"] == "short")]
    numbers = []
    for y, (name, held) in enumerate(STRIPS.items()):
        if isinstance(held, str):
            row = row_where(ours, boundary=held)
            low, middle, high = (float(row[f"{end}_wh"]) for end in ("low", "value", "high"))
            marks.range_marks(ax, y, low, middle, high, BLUE)
            text = f"{formats.interval(middle, low, high)} Wh"
            numbers.append(f"{name} {text}")
            marks.label_direct(ax, high, y, text, BLUE)
        else:
            rows = prior[prior["group"].isin(held)]
            _strip(ax, y, rows)
            numbers.append(f"{name} {_share(rows)} at four times or more")
            marks.row_cell(ax, y, 6.0, _share(rows))
    marks.column_head(ax, 6.0, "at 4 times\nor more")
    ax.axvspan(published * CLAIM[0], published * CLAIM[1], color=style.GRID, linewidth=0, zorder=0.1)
    marks.reference_line(ax, published, "x")
    marks.key_above(drawn, ax, _keys())
    alt = f"Strips of {len(prior) - 2 * len(ours)} published energies per query. {'; '.join(numbers)}."
    caption = (
        "Energy per query as others publish it, by what it includes and how it was made, log scale. Blue: "
        "ours for any one chat query of whichever service, real traffic (dot: median; line: 90 % interval, "
        "uncertainty and variability together). Dots of others: measured, modelled, or stated and quoted; "
        f"pale: reasoning. Dashed: the published median for chat, {formats.significant(published)} Wh; "
        "shaded: 4 to 20 times it, which the study gives for earlier estimates. On the right: how many lie "
        "at 4 times or more of the published median for their length."
    )
    chat = prior[prior["workload"] == "short"].groupby("group")["value_wh"].median()
    tested, modelled = float(chat[TESTED]), float(chat[MODELLED])
    medians = [formats.significant(value) for value in (tested, modelled)]
    text = f"Chat: measured accelerators take a median {medians[0]} Wh, modelled data centres {medians[1]}"
    says = finding((tested < modelled, text))
    return Drawing(drawn, alt, caption, says)


def _strip(ax: Axes, y: float, rows: pd.DataFrame) -> None:
    """All estimates of one row; those of NAMED with their names."""
    rows = rows.sort_values(["value_wh", "key"]).assign(y=y)
    look: dict[str, Any] = {"linewidth": EDGE_PT, "zorder": 2, "warn_thresh": 1, "native_scale": True}
    sns.swarmplot(rows, x="value_wh", y="y", size=POINT_PT, orient="h", color=GREY, ax=ax, **look)
    colours = [_colour(str(group)) for group in rows["group"]]
    pale = [PALE if workload == "long" else 1.0 for workload in rows["workload"]]
    faces = [to_rgba(colour, alpha) for colour, alpha in zip(colours, pale, strict=True)]
    ax.collections[-1].set(facecolor=faces, edgecolor=colours, gid=marks.DATA)
    for row in formats.records(rows[rows["key"].isin(NAMED)]):
        name, place = NAMED[row["key"]]
        marks.label_direct(ax, row["value_wh"], y, name, style.MUTED, **place)
    ax.set_ylabel("")


def _keys() -> list[list[marks.Sample]]:
    def dot(group: str) -> list[Artist]:
        return marks.mark_sample("o", POINT_PT + 0.5, color=_colour(group))

    return [
        [
            (dot("measured"), "measured"),
            (dot("modelled"), "modelled"),
            (dot("stated"), "stated or quoted"),
            (marks.range_sample(BLUE), "ours, 90 % interval"),
            (marks.dash_sample(), "published median, chat"),
            (marks.patch_sample(style.GRID), "4–20 times it"),
        ]
    ]


def _colour(group: str) -> str:
    if group == PUBLISHED:
        return style.MEANING["as_published"]
    if "measured" in group:
        return style.MEANING["measured"]
    return style.MEANING["modelled"] if "modelled" in group else style.MUTED


def _share(rows: pd.DataFrame) -> str:
    return f"{(rows['at_least_4_times'] == 'yes').sum()} of {len(rows)}"
