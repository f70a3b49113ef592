"""Throughput: predicted against measured where nothing was fitted, and the error of each candidate."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import key, marks, style
from pipeline.present.figures.validation import scatter
from pipeline.present.figures.validation.scatter import Points
from pipeline.present.figures.validation.tables import CHAT, SATURATED, STEP_MODEL, ValidationTables
from pipeline.present.save import Drawing

RATE = "output_tokens_per_s"
FORMS = {
    STEP_MODEL: "step model (ours)",
    "pooled linear": "pooled, linear in logs",
    "pooled quadratic": "pooled, quadratic in logs",
    "additive": "additive in tokens (ours)",
    "log-quadratic": "log-quadratic",
    "capped": "log-linear, capped",
    "log-linear": "log-linear (published)",
}
LEFT_OUT = {"model": "one model left out", "cell": "one cell left out"}


def fig_throughput(tables: ValidationTables, profile: Figures) -> Drawing:
    """Left: held out and external rows. Right: median and 90th percentile of the error of each form."""
    figure, (left, right) = style.new_figure(profile, "double", 70, columns=2, width_ratios=[1.15, 1])
    sets = point_sets(tables)
    scatter.draw(left, sets, "output tokens/s")
    style.panel_title(left, "a  Predicted against measured")
    key.key(left, [(s.sample(), s.name) for s in sets[:2]], lift_pt=20)
    key.key(left, [(s.sample(), s.name) for s in sets[2:]], lift_pt=11)
    errors = candidates(tables.comparison)
    draw_candidates(right, errors)
    style.panel_title(right, "b  Error of each form, held out")
    best = "; ".join(f"{r.form}, {r.left_out}: {r.median_abs_ln_error:.2f}" for r in errors.itertuples())
    words = f"median |ln error|: {scatter.in_words(sets)}"
    alt = (
        f"Left: predicted against measured output tokens per second; {words}. "
        f"Right: median |ln error| of each form of the throughput model: {best}."
    )
    caption = (
        f"Throughput. (a) Predictions of rows that were not fitted; {words}. ML.ENERGY and TensorRT-LLM "
        "rows: all rows of the model left out of the fit; MLPerf Offline and online serving: never fitted. "
        "Solid: equality; dashed: a factor of 1.5. (b) Dot: median of |ln error|; line: up to the 90th "
        "percentile."
    )
    return Drawing(figure, alt, caption)


def point_sets(tables: ValidationTables) -> list[Points]:
    """Held-out rows of both sources, MLPerf and online serving."""
    looks = {SATURATED: ("o", style.RULE, 0.6, 2.5), CHAT: ("o", style.MEANING["re_estimated"], 0.75, 4.0)}
    sets = []
    for rows, (marker, colour, alpha, size) in looks.items():
        unseen = tables.unseen(rows, RATE)
        measured, predicted = unseen["measured"].to_numpy(), unseen["predicted_p50"].to_numpy()
        sets.append(Points(rows, measured, predicted, marker, colour, True, alpha, size))
    for name, label, marker in [
        ("mlperf_offline", "MLPerf Offline", "s"),
        ("online_serving", "online serving", "^"),
    ]:
        rows_of = tables.of_set(name, RATE)
        measured, predicted = rows_of["measured"].to_numpy(), rows_of["p50"].to_numpy()
        sets.append(Points(label, measured, predicted, marker, style.INK, False, 1.0, 7.0))
    return sets


def candidates(comparison: pd.DataFrame) -> pd.DataFrame:
    """Throughput forms: both sources with one model left out, saturated tables with one cell left out."""
    rows = comparison[
        (comparison["quantity"] == RATE)
        & comparison["form"].isin(list(FORMS))
        & (
            ((comparison["rows"] == CHAT) & (comparison["left_out"] == "model"))
            | ((comparison["rows"] == SATURATED) & comparison["left_out"].isin(["model", "cell"]))
        )
    ]
    order = ["rows", "left_out", "median_abs_ln_error"]
    return rows.sort_values(order, ascending=[True, False, True], ignore_index=True)


def draw_candidates(ax: Axes, errors: pd.DataFrame) -> None:
    """One row a form, in blocks by what was left out."""
    y, heads = 0.0, []
    ys, names = [], []
    for (rows, left_out), block in errors.groupby(["rows", "left_out"], sort=False):
        heads.append((y, f"{rows}, {LEFT_OUT[str(left_out)]}"))
        y += 1
        columns = ("form", "median_abs_ln_error", "p90_abs_ln_error")
        for form, median, p90 in zip(*(block[name] for name in columns), strict=True):
            meaning = "re_estimated" if form == STEP_MODEL else "as_published"
            marks.range_marks(ax, y, median, median, p90, style.MEANING[meaning])
            ys.append(y)
            names.append(FORMS[form])
            y += 1
        y += 0.4
    ax.set_yticks(ys, labels=names)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(xlim=(0, 1.1), ylim=(y - 0.6, -0.6), xlabel="|ln(measured / predicted)|")
    ax.grid(axis="x")
    for at, text in heads:
        words: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED, "va": "center"}
        ax.annotate(text, (0, at), xycoords=("axes fraction", "data"), ha="left", **words)
