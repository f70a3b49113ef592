"""Figures of estimates from outside: earlier ones beside ours, and laboratories that no fit has seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures
from pipeline.serving.model.laboratories import TOLD, known_to

BLUE, GREY = style.MEANING["re_estimated"], style.MUTED
RATE = "output_tokens_per_s"
CELL = ["model", "gpu", "gpus", "precision", "engine"]
LOAD = ["concurrency", "input_tokens", "output_tokens"]
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
    inside = [f"{100 * share:.0f} %" for share in (bases["coverage_90"].min(), bases["coverage_90"].max())]
    off = float(np.median(np.exp(np.abs(np.log(cells["ratio"])))))
    caption = (
        "Above left: time of a step in each laboratory over the common one, as fitted, beside who tunes each "
        "point (dot: median; line: P5 to P95), with its rows and the factor by which its measured throughput "
        "exceeds what is predicted when all of its rows are left out. Right: median error of throughput over "
        f"{calibration_curve['configurations'].max()} configurations of laboratories left out, after the "
        "model was told some of their rows (blue), or when it is moved by the mean error of these rows "
        f"(grey). From outside the 90 % interval reaches a factor of {factor:.1f} either way, after {TOLD} "
        f"measurements {told:.1f}. Below left: tokens/s of one laboratory over another's, in the "
        f"{len(cells)} cells of the same model, chips, engine and load that both measured; half differ by "
        f"{off:.1f} times or more. Right: median error of throughput of rows left out by what the prediction "
        f"rests on, with rows and the share within 90 % bands, {inside[0]} to {inside[1]}."
    )
    alt = (
        f"Four panels. Above left: step time of {len(table)} laboratories, {table['step_factor'].min():.2f} "
        f"to {table['step_factor'].max():.2f} times the common one. Right: the median error of throughput "
        f"falls from {error.iloc[0]:.2f} without own measurements to {error.loc[TOLD]:.2f} with {TOLD}. "
        f"Below left: {len(cells)} ratios of two laboratories, {cells['ratio'].min():.1f} to "
        f"{cells['ratio'].max():.1f}. Right: median error by basis, "
        + ", ".join(bases["basis"] + bases["median_abs_ln_error"].map(" {:.2f}".format))
        + "."
    )
    says = finding(
        (told < factor, f"{TOLD} measurements of one's own take a factor of {factor:.1f} to {told:.1f}")
    )
    return Drawing(drawn, alt, caption, says)


def _laboratories(ax: Axes, table: pd.DataFrame) -> None:
    style.panel_title(ax, "Laboratories")
    low, high = table["step_factor_low"].min(), table["step_factor_high"].max()
    ys = style.name_rows(ax, _words(table["laboratory"]).tolist()).tolist()
    marks.intervals(ax, table.rename(columns=ENDS), ys, [BLUE] * len(table), "p{}", thick=False)
    marks.reference_line(ax, 1.0, "x")
    ax.set(xlim=(0.95 * low, 1.05 * high), xlabel="Time of a step over the common one")
    left_out = np.exp(table["left_out_bias_ln"])
    texts = [f"{n:,}; {factor:.2f}" for n, factor in zip(table["n"], left_out, strict=True)]
    marks.row_texts(ax, ys, texts)


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
    style.panel_title(ax, "The same cell in two laboratories")
    names = cells["model"] + ", " + cells["gpus"].map("{:g} ".format) + cells["gpu"]
    rows = list(dict.fromkeys(names))
    ys = style.name_rows(ax, rows)
    ax.plot(cells["ratio"], ys[names.map(rows.index).to_numpy(int)], gid=marks.DATA, **marks.dot_look(BLUE))
    marks.reference_line(ax, 1.0, "x")
    ax.set(xlim=(0, 1.1 * cells["ratio"].max()), xlabel="Tokens/s of one over the other")
    pairs = _words(cells["laboratory"] + " / " + cells["laboratory_other"]).groupby(names).first().loc[rows]
    marks.row_texts(ax, ys.tolist(), pairs.tolist())


def _bases(ax: Axes, bases: pd.DataFrame) -> None:
    style.panel_title(ax, "By what a prediction rests on")
    ys = style.name_rows(ax, bases["basis"].tolist())
    ax.plot(bases["median_abs_ln_error"], ys, gid=marks.DATA, **marks.dot_look(BLUE))
    ax.set(xlim=(0, 1.25 * bases["median_abs_ln_error"].max()), xlabel="Median |ln error| of tokens/s")
    texts = bases["n"].map("{:,}; ".format) + bases["coverage_90"].map("{:.0%}".format)
    marks.row_texts(ax, ys.tolist(), texts.str.replace("%", " %").tolist())


def _learning(ax: Axes, curve: pd.DataFrame) -> None:
    style.panel_title(ax, "Measurements of one's own")
    for column, colour, name in (
        ("offset_median_abs_ln_error", GREY, "moved by their mean error"),
        ("median_abs_ln_error", BLUE, "told to the model"),
    ):
        rows = curve[curve[column].notna()]
        ax.plot(rows["own_rows"], rows[column], gid=marks.DATA, **_look(colour))
        # The blue name below the end of its line, the grey one above the highest point of its own.
        highest = rows.sort_values(column).iloc[-1]
        at, ha, up = (rows.iloc[-1], "right", -8.0) if colour == BLUE else (highest, "left", 8.0)
        marks.label_direct(ax, at["own_rows"], at[column], name, colour, ha=ha, offset_pt=(0.0, up))
    ax.set(ylim=(0, None), xlabel="Own measurements", ylabel="Median |ln error| of tokens/s")
    ax.set_xticks(curve["own_rows"])


def _look(colour: str) -> dict[str, Any]:
    return {**marks.dot_look(colour), "linestyle": "-", "linewidth": style.LINE_PT}


OURS = "This project, production lengths"
PUBLISHED = "Published analysis"
KINDS = {"short": "chat", "long": "reasoning"}
CLAIM = (4.0, 20.0)
OUR_NAMES = {"facility": "Facility", "node": "Server", "gpu": "Accelerators"}
ORDER = [
    PUBLISHED,
    "Facility, measured in production",
    "Facility, modelled",
    "Facility, measured in benchmarks",
    "Server, measured in production",
    "Server, measured in benchmarks",
    "Server, modelled",
    "Accelerators, measured in production",
    "Accelerators, measured in benchmarks",
    "Accelerators, stated or quoted",
    "Boundary not stated, modelled",
    "Boundary not stated, stated or quoted",
]
POINT_PT, EDGE_PT, PALE = 2.0, 0.4, 0.25


@figure("fig-r5-prior-estimates", "Published energies per query by boundary and method", "double")
def prior_estimates(profile: Figures, prior_estimates_compared: pd.DataFrame) -> Drawing:
    """Strips of all estimates on one axis of Wh per query."""
    prior = prior_estimates_compared
    ours, names, notes = _ours(prior)
    groups = [name for name in ORDER if (prior["group"] == name).any()]
    notes += [_share(prior[prior["group"] == group]) for group in groups]
    drawn, ax = style.new_figure(profile, "double", 100)
    published = float((prior["value_wh"] / prior["ratio_to_published"])[prior["workload"] == "short"].iloc[0])
    low, high = style.decade_span(
        [float(prior["value_wh"].min()) * 0.8, float(prior["value_wh"].max()) / 0.8]
    )
    style.log_axis_wh(ax, low, high)
    style.name_rows(ax, [*names, *groups])
    marks.intervals(
        ax, ours, range(len(ours)), [style.MEANING["re_estimated"]] * len(ours), "p{}_wh", thick=False
    )
    _strips(ax, prior, groups, top=len(ours))
    ax.axvspan(published * CLAIM[0], published * CLAIM[1], color=style.GRID, linewidth=0, zorder=0.1)
    marks.reference_line(ax, published, "x")
    marks.row_texts(ax, range(len(notes)), notes)
    samples = [
        (marks.patch_sample(style.GRID), "4–20 times the published median"),
        (marks.dash_sample(), "published median, chat"),
    ]
    marks.key(ax, samples, lift_pt=3)
    shares = "; ".join(
        f"{group} {_share(prior[prior['group'] == group])}" for group in groups if group != PUBLISHED
    )
    alt = (
        f"Energy per query of {len(prior) - len(ours)} published estimates by boundary and method, ours on "
        f"top. Dashed: the published median of {formats.significant(published)} Wh; shaded: 4 to 20 times as "
        f"much. At four times or more: {shares}."
    )
    caption = (
        "Published energies per query by what they include and how they were made. Top: ours for any one "
        "query, of whichever service (dot: median; line: P5 to P95, uncertainty and variability together; a "
        "service's median query has a slightly different median), production lengths. Full colour: "
        "chat or length not said; pale: reasoning. "
        f"Dashed: the published median for chat, {formats.significant(published)} Wh; "
        "shaded: 4 to 20 times it. On the right: how many lie at 4 times or more of the published median "
        "for their length."
    )
    others = prior.loc[~prior["group"].isin([OURS, PUBLISHED]), "value_wh"]
    spread = float(np.divide(*others.quantile([0.95, 0.05])))
    says = finding((spread > 3, f"Nine in ten earlier estimates span a factor of {spread:.0f}"))
    return Drawing(drawn, alt, caption, says)


def _ours(prior: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Our rows with percentiles, their names and their values in words: short, then long queries."""
    order = {boundary: at for at, boundary in enumerate(OUR_NAMES)}
    rows = prior[prior["group"] == OURS].sort_values("boundary", key=lambda names: names.map(order))
    rows = rows.sort_values("workload", ascending=False, kind="stable")
    rows = rows.rename(columns={"low_wh": "p5_wh", "value_wh": "p50_wh", "high_wh": "p95_wh"})
    names = [
        f"Ours, any {KINDS[workload]} query: {OUR_NAMES[boundary].lower()}"
        for workload, boundary in zip(rows["workload"], rows["boundary"], strict=True)
    ]
    return rows, names, [f"{formats.band(row, '{}_wh')} Wh" for _, row in rows.iterrows()]


def _strips(ax: Axes, prior: pd.DataFrame, groups: Sequence[str], top: int) -> None:
    """A strip of points a group, from row `top` on; a group of one has its subject's name beside it."""
    rows = prior[prior["group"].isin(groups)].sort_values(["value_wh", "key"])
    rows = rows.assign(y=rows["group"].map({group: top + at for at, group in enumerate(groups)}))
    before = len(ax.collections)
    look: dict[str, Any] = {"color": style.INK, "linewidth": EDGE_PT, "zorder": 2, "warn_thresh": 1}
    sns.swarmplot(rows, x="value_wh", y="y", size=POINT_PT, orient="h", native_scale=True, ax=ax, **look)
    for points, (_, part) in zip(ax.collections[before:], rows.groupby("y"), strict=True):
        colour = _colour(str(part["group"].iloc[0]))
        long = (part["workload"] == "long").to_numpy()
        points.set(
            facecolor=[to_rgba(colour, PALE if at else 1.0) for at in long], edgecolor=colour, gid=marks.DATA
        )
        if len(part) == 1:
            x, subject = float(part["value_wh"].iloc[0]), str(part["subject"].iloc[0])
            marks.label_direct(
                ax, x, float(part["y"].iloc[0]), subject, style.MUTED, ha="right", offset_pt=(-4.0, 0.0)
            )
    ax.set_ylabel("")


def _colour(group: str) -> str:
    if group == PUBLISHED:
        return style.MEANING["as_published"]
    if "measured" in group:
        return style.MEANING["measured"]
    return style.MEANING["modelled"] if "modelled" in group else style.MUTED


def _share(rows: pd.DataFrame) -> str:
    return f"{(rows['at_least_4_times'] == 'yes').sum()} of {len(rows)}"
